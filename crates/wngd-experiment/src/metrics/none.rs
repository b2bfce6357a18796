//! The standard gradient.

use super::{MetricChoice, plain};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn MetricChoice> = plain::entry("none", "the standard gradient", |section| {
    plain::read(section, |_, _| Ok(None))
});
