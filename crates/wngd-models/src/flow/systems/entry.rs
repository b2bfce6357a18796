//! What there is to say of a system.

use std::sync::Arc;

use super::system::System;
use crate::flow::field::VelocityField;

/// What a file of a system says of it.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) field: fn() -> Arc<dyn VelocityField>,
    pub(super) theta: &'static [f64],
    pub(super) lower: &'static [f64],
    pub(super) upper: &'static [f64],
    pub(super) start: &'static [f64],
    pub(super) equations: &'static [&'static str],
}

impl Entry {
    pub(super) fn system(&self) -> System {
        System {
            field: (self.field)(),
            theta: self.theta.to_vec(),
            lower: self.lower.to_vec(),
            upper: self.upper.to_vec(),
            start: self.start.to_vec(),
            equations: self.equations,
        }
    }
}
