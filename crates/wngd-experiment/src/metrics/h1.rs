//! H¹.

use wngd::opt::{Sobolev, SobolevOrder};

use super::{MetricChoice, plain};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn MetricChoice> = plain::entry("h1", "Sobolev H¹", |section| {
    plain::read(section, |section, ground| {
        Ok(Some(Box::new(Sobolev::new(ground.grid(section, "metric")?, SobolevOrder::One))))
    })
});
