//! Systems by their equations alone, a file each, as a user would write them.

use std::sync::Arc;

use super::System;
use crate::flow::expression::{Equations, ExpressionError, ExpressionField};

/// What a file says of a system.
pub(super) struct Written {
    pub(super) name: &'static str,
    /// One per coordinate, as `x' = sigma*(y - x)`.
    equations: &'static [&'static str],
    /// Their names, in order, and usual values.
    parameters: &'static [(&'static str, f64)],
    lower: &'static [f64],
    upper: &'static [f64],
    start: &'static [f64],
}

impl Written {
    pub(super) fn system(&self) -> Result<System, ExpressionError> {
        let parameters = self.parameters.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        Ok(System {
            field: Arc::new(field(self.name, self.equations, parameters)?),
            theta: self.parameters.iter().map(|(_, value)| *value).collect(),
            lower: self.lower.to_vec(),
            upper: self.upper.to_vec(),
            start: self.start.to_vec(),
            equations: self.equations,
        })
    }
}

/// Lines as `x' = sigma*(y - x)` as a field.
pub(super) fn field(
    name: &str,
    lines: &[&str],
    parameters: Vec<(String, f64)>,
) -> Result<ExpressionField, ExpressionError> {
    let (variables, equations) =
        lines.iter().filter_map(|line| line.split_once("' = ")).map(|(x, v)| (x.into(), v.into())).unzip();
    ExpressionField::new(&Equations { name: name.into(), variables, equations, parameters, ..Equations::default() })
}

macro_rules! systems {
    ($($file:ident),*) => {
        $(mod $file;)*
        /// All of them, in the order of lists.
        pub(super) static SYSTEMS: &[Written] = &[$($file::SYSTEM),*];
        /// Their names.
        pub(super) static NAMES: &[&str] = &[$($file::SYSTEM.name),*];
    };
}

systems![
    anishchenko_astakhov,
    arnold_beltrami_childress,
    atmospheric_regime,
    beer_rnn,
    belousov_zhabotinsky,
    blasius,
    bouali,
    bouali2,
    ca_two_plus,
    ca_two_plus_quasiperiodic,
    cellular_neural_network,
    chua,
    coevolving_predator_prey,
    colpitts,
    excitable_cell,
    glycolytic_oscillation,
    guckenheimer_holmes,
    hastings_powell,
    hindmarsh_rose,
    isothermal_chemical,
    itik_banks_tumor,
    jerk_circuit,
    kawczynski_strizhak,
    laser,
    lorenz_bounded,
    lu_chen_cheng,
    multi_chua,
    pan_xu_zhou,
    salton_sea,
    san_um_srisuchinwong,
    sprott_more,
    sprott_torus,
    thomas_labyrinth,
    torus,
    windmi_reduced,
    yu_wang,
    yu_wang2
];
