//! Ḣ⁻¹.

use wngd::opt::{Sobolev, SobolevOrder};

use super::{MetricChoice, plain};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn MetricChoice> = plain::entry("homogeneous-h-1", "Ḣ⁻¹, blind to the mean", |section| {
    plain::read(section, |section, ground| {
        Ok(Some(Box::new(Sobolev::new(ground.grid(section, "metric")?, SobolevOrder::HomogeneousMinusOne))))
    })
});
