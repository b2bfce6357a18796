//! The models an experiment can name, behind one type.

use wngd::adjoint::{ImplicitJacobian, SolveCounts};
use wngd::linalg::faer::{Mat, MatMut, MatRef};
use wngd::models::flow::{FlowFactor, FlowSensitivity, StationaryDensity};
use wngd::prelude::*;

/// A model of an experiment.
pub enum Model {
    /// A Gaussian mixture.
    Mixture(GaussianMixture),
    /// The stationary density of a flow, with its start point.
    Flow {
        /// The density.
        density: StationaryDensity,
        /// Values of the free parameters to start from.
        start: Vec<f64>,
    },
}

/// Z of a [`Model`].
pub enum Jacobian {
    /// Stored.
    Dense(Mat<f64>),
    /// By tangent and adjoint solves.
    Implicit(Box<ImplicitJacobian<FlowFactor, FlowSensitivity>>),
}

impl Model {
    /// The start point.
    pub fn start(&self) -> Vec<f64> {
        match self {
            Model::Mixture(mixture) => mixture.theta(),
            Model::Flow { start, .. } => start.clone(),
        }
    }

    /// Remarks on how the state at θ was found, for models that solve for it.
    pub fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        let Model::Flow { density, .. } = self else { return Ok(Vec::new()) };
        let (_, report) = density.state_with_report(theta)?;
        let mut remarks = vec![format!("stationary density by {}", report.solver)];
        if report.spurious_sink {
            remarks.push(format!(
                "{:.0} % of the mass sits in 8 cells, which only the upwinding holds there; add diffusion or use scharfetter-gummel or semi-lagrangian",
                100.0 * report.concentration
            ));
        }
        Ok(remarks)
    }
}

impl ForwardModel for Model {
    type Jacobian = Jacobian;

    fn dim_param(&self) -> usize {
        match self {
            Model::Mixture(mixture) => mixture.dim_param(),
            Model::Flow { density, .. } => density.dim_param(),
        }
    }
    fn dim_state(&self) -> usize {
        match self {
            Model::Mixture(mixture) => mixture.dim_state(),
            Model::Flow { density, .. } => density.dim_state(),
        }
    }
    fn parameter_names(&self) -> Vec<String> {
        match self {
            Model::Mixture(mixture) => mixture.parameter_names(),
            Model::Flow { density, .. } => density.parameter_names(),
        }
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        match self {
            Model::Mixture(mixture) => mixture.state(theta),
            Model::Flow { density, .. } => density.state(theta),
        }
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        Ok(match self {
            Model::Mixture(mixture) => {
                let Linearization { state, jacobian } = mixture.linearize(theta)?;
                Linearization { state, jacobian: Jacobian::Dense(jacobian) }
            }
            Model::Flow { density, .. } => {
                let Linearization { state, jacobian } = density.linearize(theta)?;
                Linearization { state, jacobian: Jacobian::Implicit(Box::new(jacobian)) }
            }
        })
    }
    fn solve_counts(&self) -> SolveCounts {
        match self {
            Model::Mixture(mixture) => mixture.solve_counts(),
            Model::Flow { density, .. } => density.solve_counts(),
        }
    }
}

impl LinearOp for Jacobian {
    fn nrows(&self) -> usize {
        match self {
            Jacobian::Dense(z) => z.nrows(),
            Jacobian::Implicit(z) => z.nrows(),
        }
    }
    fn ncols(&self) -> usize {
        match self {
            Jacobian::Dense(z) => z.ncols(),
            Jacobian::Implicit(z) => z.ncols(),
        }
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        match self {
            Jacobian::Dense(z) => z.apply(out, x),
            Jacobian::Implicit(z) => z.apply(out, x),
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        match self {
            Jacobian::Dense(z) => z.apply_transpose(out, y),
            Jacobian::Implicit(z) => z.apply_transpose(out, y),
        }
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        match self {
            Jacobian::Dense(z) => Some(z.as_ref()),
            Jacobian::Implicit(_) => None,
        }
    }
    fn into_dense(self) -> Mat<f64> {
        match self {
            Jacobian::Dense(z) => z,
            Jacobian::Implicit(z) => z.to_dense(),
        }
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        (*self).into_dense()
    }
}
