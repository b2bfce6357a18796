use thiserror::Error;
use wngd_linalg::LinalgError;

/// What can go wrong when a model is evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The parameters lie where the model is not defined. Recoverable: a line
    /// search shortens its step.
    #[error("{parameter} = {value} is outside the model's domain: {rule}")]
    OutOfDomain {
        /// Name of the parameter, or of the quantity made from several.
        parameter: String,
        /// Its value.
        value: f64,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The parameter vector has the wrong length.
    #[error("{found} parameters given, the model has {expected}")]
    Shape {
        /// Number of parameters of the model.
        expected: usize,
        /// Number given.
        found: usize,
    },
    /// A linear solve failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// The state equation could not be solved.
    #[error("the state equation stopped at residual {residual:e} after {iterations} iterations; {remedy}")]
    StateSolve {
        /// Relative residual reached.
        residual: f64,
        /// Iterations made.
        iterations: usize,
        /// What to change.
        remedy: &'static str,
    },
    /// A model written elsewhere failed for a reason of its own.
    #[error("the model failed: {0}")]
    Model(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ModelError {
    /// Whether a smaller step could avoid the error.
    pub fn is_recoverable(&self) -> bool {
        matches!(self, ModelError::OutOfDomain { .. })
    }

    /// Checks the length and finiteness of a parameter vector.
    ///
    /// # Errors
    /// [`ModelError::Shape`], or [`ModelError::OutOfDomain`] for NaN and infinities.
    pub fn check_theta(theta: &[f64], expected: usize) -> Result<(), ModelError> {
        if theta.len() != expected {
            return Err(ModelError::Shape { expected, found: theta.len() });
        }
        match theta.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(ModelError::OutOfDomain {
                parameter: format!("theta[{i}]"),
                value: theta[i],
                rule: "parameters are finite numbers",
            }),
            None => Ok(()),
        }
    }
}
