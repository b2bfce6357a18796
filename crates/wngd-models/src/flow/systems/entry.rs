//! What there is to say of a system.

use std::sync::Arc;

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
