//! L².

use wngd::opt::L2;

use super::{MetricChoice, plain};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn MetricChoice> = plain::entry("l2", "L², least squares on the density", |section| {
    plain::read(section, |_, _| Ok(Some(Box::new(L2))))
});
