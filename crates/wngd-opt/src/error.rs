use thiserror::Error;
use wngd_adjoint::ModelError;
use wngd_linalg::LinalgError;
use wngd_transport::TransportError;

/// What can go wrong when an objective is built or evaluated.
#[derive(Debug, Clone, Error, PartialEq)]
#[non_exhaustive]
pub enum ObjectiveError {
    /// The data are not a density on the grid.
    #[error("data: {0}")]
    Data(#[source] LinalgError),
    /// The model's state is not usable.
    #[error("state: {0}")]
    State(#[source] LinalgError),
    /// The model has no density where the data have mass. Recoverable.
    #[error(
        "the model's density underflows in {cells} cells that hold {mass:e} of the data's mass, so its divergence from the data is infinite or loses its derivative there; start nearer to the data or use another objective"
    )]
    Underflow {
        /// Number of such cells.
        cells: usize,
        /// Mass of the data in them.
        mass: f64,
    },
    /// The transport problem could not be solved.
    #[error("optimal transport: {0}")]
    Transport(#[from] TransportError),
}

/// What can go wrong when a metric is placed at a state.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetricError {
    /// The state is no density, or the factorisation failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// The face densities of the model could not be evaluated.
    #[error("face densities: {0}")]
    Faces(#[source] ModelError),
}

/// What can go wrong when a direction is computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectionError {
    /// The metric could not be placed at the state.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The least-squares or information system could not be solved.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// The whitened Jacobian would have to be stored.
    #[error(
        "exact directions store the whitened Jacobian, for at most {limit} parameters, not {parameters}; use \"auto\", \"krylov\" or \"nystrom\""
    )]
    TooManyParameters {
        /// Parameters p.
        parameters: usize,
        /// Largest p.
        limit: usize,
    },
    /// The estimator cannot do without damping here.
    #[error("\"{estimator}\" needs damping > 0 here: its approximation of the information matrix is singular")]
    NeedsDamping {
        /// Name of the estimator.
        estimator: &'static str,
    },
    /// The direction is not made from a stored Jacobian, and so takes no priors.
    #[error("priors need a solver that stores the Jacobian: \"qr\", \"svd\", \"lsmr\" or \"information\"")]
    Priors,
    /// The direction is not finite.
    #[error("the direction is not finite (entry {index}); add damping or free fewer parameters")]
    NotFinite {
        /// First bad entry.
        index: usize,
    },
}

/// What can go wrong in a descent. Nothing of this is a matter of convergence.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DescentError {
    /// The model could not be evaluated at the start or at an accepted point.
    #[error("model: {0}")]
    Model(#[from] ModelError),
    /// The objective could not be evaluated there.
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// The direction could not be computed.
    #[error("direction: {0}")]
    Direction(#[from] DirectionError),
    /// Objective and model do not belong together.
    #[error("the model's state has {state} values, the objective compares {objective}")]
    Mismatch {
        /// State dimension of the model.
        state: usize,
        /// Dimension of the objective's data.
        objective: usize,
    },
    /// A trace cannot be continued by this descent.
    #[error("the trace cannot be continued: {0}")]
    Resume(String),
    /// The objective is NaN at the start.
    #[error("the objective is {value} at the start; choose another start point")]
    NotFinite {
        /// Its value.
        value: f64,
    },
}
