use thiserror::Error;
use wngd_linalg::LinalgError;

/// What can go wrong when a model is evaluated.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The parameters lie where the model is not defined, and a shorter step stays
    /// where it is. Whatever no step can mend is [`Invalid`](ModelError::Invalid).
    #[error("{parameter} = {} is outside the model's domain: {rule}", plain(*.value))]
    OutOfDomain {
        /// Name of the parameter, or of the quantity made from several.
        parameter: String,
        /// Its value.
        value: f64,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// The state is a density, and that found is not positive, or not finite, somewhere.
    #[error("the density is {value:e} in cell {cell}, but must be positive and finite; {remedy}")]
    Density {
        /// Index of the first such cell.
        cell: usize,
        /// The density there.
        value: f64,
        /// What to change.
        remedy: &'static str,
    },
    /// The model was asked to be what it cannot be, whatever the parameters: shapes
    /// that do not fit, options without a meaning. No step can mend it.
    #[error("{field}: {problem}")]
    Invalid {
        /// The option or argument, as a path such as `discretisation.restart`.
        field: String,
        /// What is wrong with it, and the remedy.
        problem: String,
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
        matches!(self, ModelError::OutOfDomain { .. } | ModelError::Density { .. })
    }

    /// An error that no step can mend, about an option or argument.
    pub fn invalid(field: impl Into<String>, problem: impl Into<String>) -> Self {
        ModelError::Invalid { field: field.into(), problem: problem.into() }
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

/// A number in a row of digits where that is short: 1e308 has 309.
fn plain(value: f64) -> String {
    let long = value.is_finite() && value != 0.0 && !(1e-5..1e15).contains(&value.abs());
    if long { format!("{value:e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shorter_step_can_mend_is_recoverable() {
        let far = ModelError::check_theta(&[1.0, f64::INFINITY], 2).unwrap_err();
        assert!(far.is_recoverable() && far.to_string().contains("theta[1] = inf"), "{far}");
        let far = ModelError::OutOfDomain { parameter: "a".into(), value: -1e308, rule: "small" }.to_string();
        assert!(far.starts_with("a = -1e308 is"), "{far}");
        assert!(ModelError::Density { cell: 3, value: -1.0, remedy: "start elsewhere" }.is_recoverable());
        let never = ModelError::invalid("restart", "-1 given; a rate is positive");
        assert!(!never.is_recoverable());
        assert_eq!(never.to_string(), "restart: -1 given; a rate is positive");
        assert!(!ModelError::check_theta(&[1.0], 2).unwrap_err().is_recoverable());
    }
}
