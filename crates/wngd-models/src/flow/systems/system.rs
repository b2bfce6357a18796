//! A system with all that is usual of it.

use std::sync::Arc;

#[cfg(feature = "autodiff")]
use super::lines;
#[cfg(feature = "autodiff")]
use crate::flow::expression::{ExpressionError, ExpressionField};
use crate::flow::field::VelocityField;

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
    /// None for the systems of [`system`](super::system()), whose equations are expressions.
    #[cfg(feature = "autodiff")]
    pub fn written(&self) -> Result<ExpressionField, ExpressionError> {
        let parameters = self.field.parameter_names().into_iter().zip(self.theta.iter().copied()).collect();
        lines::field(self.field.name(), self.equations, parameters)
    }
}

impl std::fmt::Debug for System {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("System").field("field", &self.field.name()).field("theta", &self.theta).finish_non_exhaustive()
    }
}
