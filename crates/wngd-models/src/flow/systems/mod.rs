//! Systems by name, a file each.

mod chen;
mod double_well;
mod entry;
mod lorenz63;
mod roessler;
mod thomas;
mod van_der_pol;

use std::sync::Arc;

#[cfg(feature = "autodiff")]
use crate::flow::expression::{Equations, ExpressionError, ExpressionField};
use crate::flow::field::VelocityField;
use entry::Entry;

pub use chen::Chen;
pub use double_well::DoubleWell;
pub use lorenz63::Lorenz63;
pub use roessler::Roessler;
pub use thomas::Thomas;
pub use van_der_pol::VanDerPol;

/// All systems, in the order of lists.
static ENTRIES: &[Entry] = &[
    lorenz63::ENTRY,
    roessler::ENTRY,
    chen::ENTRY,
    thomas::ENTRY,
    van_der_pol::ENTRY,
    double_well::LINE,
    double_well::PLANE,
];

/// Names that [`system`] knows.
pub static SYSTEM_NAMES: &[&str] = &{
    let mut names = [""; ENTRIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ENTRIES[i].name;
        i += 1;
    }
    names
};

/// A velocity field with the usual parameters, a box that holds its attractor and a typical start.
#[derive(Clone)]
pub struct System {
    /// The field.
    pub field: Arc<dyn VelocityField>,
    /// Usual parameters.
    pub theta: Vec<f64>,
    /// Lower corner of the box.
    pub lower: Vec<f64>,
    /// Upper corner of the box.
    pub upper: Vec<f64>,
    /// A point from which trajectories reach the attractor.
    pub start: Vec<f64>,
    /// The equations, one per coordinate, with the parameters' names, as `x' = sigma*(y - x)`.
    pub equations: &'static [&'static str],
}

impl System {
    /// The system as a user would write it, with the usual parameters to start from.
    ///
    /// # Errors
    /// None for the systems of [`system`], whose equations are expressions.
    #[cfg(feature = "autodiff")]
    pub fn written(&self) -> Result<ExpressionField, ExpressionError> {
        let (variables, equations) =
            self.equations.iter().filter_map(|line| line.split_once("' = ")).map(|(x, v)| (x.into(), v.into())).unzip();
        let parameters = self.field.parameter_names().into_iter().zip(self.theta.iter().copied()).collect();
        let name = self.field.name().to_string();
        ExpressionField::new(&Equations { name, variables, equations, parameters, ..Equations::default() })
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("field", &self.field.name()).field("theta", &self.theta).finish_non_exhaustive()
    }
}

/// The system of a given name; [`SYSTEM_NAMES`] lists them.
///
/// ```
/// let lorenz = wngd_models::flow::system("lorenz63").expect("a known name");
/// assert_eq!(lorenz.field.parameter_names(), ["sigma", "rayleigh", "beta"]);
/// ```
pub fn system(name: &str) -> Option<System> {
    let Entry { field, theta, lower, upper, start, equations, .. } = ENTRIES.iter().find(|e| e.name == name)?;
    Some(System {
        field: field(),
        theta: theta.to_vec(),
        lower: lower.to_vec(),
        upper: upper.to_vec(),
        start: start.to_vec(),
        equations,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::field::check_field;

    #[test]
    fn every_registered_system_has_exact_derivatives() {
        for name in SYSTEM_NAMES {
            let system = system(name).unwrap();
            let x: Vec<f64> = system.lower.iter().zip(&system.upper).map(|(a, b)| a + 0.61 * (b - a)).collect();
            let check = check_field(&*system.field, &x, &system.theta);
            assert!(check.is_exact(), "{name}: {check:?}");
            assert_eq!(system.field.parameter_names().len(), system.field.dim_param());
            assert_eq!(system.field.name(), *name);
            assert!(system.lower.len() == system.field.dim() && system.start.len() == system.field.dim());
            // The equations that are shown are those that are computed.
            let written = system.written().unwrap();
            let (mut shown, mut computed) = (x.clone(), x.clone());
            written.velocity(&x, &system.theta, &mut shown);
            system.field.velocity(&x, &system.theta, &mut computed);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
            assert!(shown.iter().zip(&computed).all(close), "{name}: {shown:?} {computed:?}");
            assert!(written.is_affine(), "{name}");
        }
        assert!(system("nowhere").is_none());
    }
}
