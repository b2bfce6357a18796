//! Dynamical systems dx/dt = v(x; θ) and the stationary densities of their noisy or restarted flows.
//!
//! [`VelocityField`] is the interface to a system ([`GenericField`] if its derivatives are to be automatic), [`system`] a list of well-known ones,
//! [`StationaryDensity`] the model θ → ρ on a grid with tangent and adjoint solves.
//!
//! ```
//! use wngd_adjoint::{ForwardModel, taylor_test};
//! use wngd_linalg::Grid;
//! use wngd_models::flow::{Discretisation, StationaryDensity, system};
//!
//! let vdp = system("van-der-pol").expect("a known name");
//! let grid = Grid::new(&vdp.lower, &vdp.upper, &[20, 24])?;
//! let scheme = Discretisation::ScharfetterGummel { diffusion: 0.2, restart: 1e-3 };
//! let model = StationaryDensity::new(vdp.field, grid.clone(), scheme, None, vdp.theta)?;
//! let rho = model.state(&[1.0])?.values;
//! assert!((grid.cell_volume() * rho.iter().sum::<f64>() - 1.0).abs() < 1e-12);
//! assert!(taylor_test(&model, &[1.0], &[0.5])?.rate > 1.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "autodiff")]
mod automatic;
mod field;
mod finite_volume;
mod perturbation;
mod semi_lagrangian;
mod stationary;
mod systems;

#[cfg(feature = "autodiff")]
pub use automatic::{Automatic, GenericField};
pub use field::{
    Chen, DoubleWell, FieldCheck, Lorenz63, Polynomial, Roessler, Thomas, VanDerPol, VelocityField, check_field,
};
pub use finite_volume::FaceSensitivity;
pub use perturbation::HatPerturbation;
pub use stationary::{
    Discretisation, FlowConstraint, FlowFactor, FlowReport, FlowSensitivity, Solver, SolverUsed, StationaryDensity,
};
pub use systems::{SYSTEM_NAMES, System, system};

use wngd_adjoint::ModelError;
use wngd_linalg::faer::MatMut;

/// All parameters of a field, and which of them are free.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    /// Values of all parameters; those of free ones are placeholders.
    pub(crate) full: Vec<f64>,
    /// Index in `full` of each free parameter.
    pub(crate) free: Vec<usize>,
    /// Place among the free parameters, for each of all.
    pub(crate) place: Vec<Option<usize>>,
}

impl Parameters {
    pub(crate) fn new(full: Vec<f64>, free: Option<Vec<usize>>) -> Result<Self, ModelError> {
        ModelError::check_theta(&full, full.len())?;
        let free = free.unwrap_or_else(|| (0..full.len()).collect());
        let mut place = vec![None; full.len()];
        for (j, &index) in free.iter().enumerate() {
            match place.get_mut(index) {
                Some(slot @ None) => *slot = Some(j),
                _ => {
                    return Err(ModelError::OutOfDomain {
                        parameter: format!("free[{j}]"),
                        value: index as f64,
                        rule: "free parameters are distinct indices into theta",
                    });
                }
            }
        }
        Ok(Self { full, free, place })
    }

    /// θ with the free parameters put in.
    pub(crate) fn expand(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        ModelError::check_theta(theta, self.free.len())?;
        let mut full = self.full.clone();
        for (&index, &value) in self.free.iter().zip(theta) {
            full[index] = value;
        }
        Ok(full)
    }
}

/// The columns of a block, to be written in parallel.
fn columns_of(block: MatMut<'_, f64>) -> Vec<MatMut<'_, f64>> {
    let mut rest = block;
    let mut columns = Vec::with_capacity(rest.ncols());
    while rest.ncols() > 0 {
        let (head, tail) = rest.split_at_col_mut(1);
        columns.push(head);
        rest = tail;
    }
    columns
}

/// The error of a flow that is not finite at θ.
fn not_finite(field: &dyn VelocityField, theta: &[f64], value: f64, rule: &'static str) -> ModelError {
    let shown: Vec<String> = theta.iter().take(8).map(|t| format!("{t}")).collect();
    let more = if theta.len() > 8 { ", .." } else { "" };
    let parameter = format!("flow of {} at theta = [{}{more}]", field.name(), shown.join(", "));
    ModelError::OutOfDomain { parameter, value, rule }
}
