//! ½‖ρ − ρ*‖².

use wngd::opt::LeastSquaresMisfit;

use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = plain::entry("l2", "½‖ρ − ρ*‖²", |section| plain::read(section, FACTS));

const FACTS: Facts = Facts {
    matched: "l2",
    words: "the squared L² distance",
    build: |_, ground, data| {
        Ok(match ground.maybe_grid() {
            Some(grid) if ground.is_density() => Box::new(LeastSquaresMisfit::new(grid, data.values.values.clone())?),
            // A plain vector of observations: every one counts alike.
            _ => Box::new(LeastSquaresMisfit::plain(data.values.values.clone())?),
        })
    },
};
