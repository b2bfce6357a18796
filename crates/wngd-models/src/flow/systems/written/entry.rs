//! What there is to say of a system that is its equations.

use std::sync::Arc;

use crate::flow::expression::ExpressionError;
use crate::flow::systems::lines;
use crate::flow::systems::system::System;

/// What a file says of a system.
pub(crate) struct Written {
    pub(crate) name: &'static str,
    /// One per coordinate, as `x' = sigma*(y - x)`.
    pub(super) equations: &'static [&'static str],
    /// Their names, in order, and usual values.
    pub(super) parameters: &'static [(&'static str, f64)],
    pub(super) lower: &'static [f64],
    pub(super) upper: &'static [f64],
    pub(super) start: &'static [f64],
}

impl Written {
    pub(crate) fn system(&self) -> Result<System, ExpressionError> {
        let parameters = self.parameters.iter().map(|(name, value)| (name.to_string(), *value)).collect();
        Ok(System {
            field: Arc::new(lines::field(self.name, self.equations, parameters)?),
            theta: self.parameters.iter().map(|(_, value)| *value).collect(),
            lower: self.lower.to_vec(),
            upper: self.upper.to_vec(),
            start: self.start.to_vec(),
            equations: self.equations,
        })
    }
}
