//! Fisher–Rao.

use wngd::opt::FisherRao;

use super::{MetricChoice, plain};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn MetricChoice> = plain::entry("fisher-rao", "ρ^(−1/2) Z, the metric of maximum likelihood", |section| {
    plain::read(section, |section, ground| {
        ground.density(section, "metric")?;
        Ok(Some(Box::new(FisherRao)))
    })
});
