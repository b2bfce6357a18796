//! Kullback–Leibler.

use wngd::opt::KullbackLeibler;

use crate::data::Cells;
use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = plain::entry("kl", "KL(ρ*‖ρ), maximum likelihood", |section| plain::read(section, FACTS));

const FACTS: Facts = Facts {
    matched: "fisher-rao",
    words: "the Kullback–Leibler divergence",
    build: |section, ground, data| {
        let grid = ground.density(section, "kind")?;
        let objective = KullbackLeibler::with_logarithms(grid, data.values.clone())?;
        // Where nothing was left out, what the model has outside the box was not seen.
        let complete = data.cells == Cells::Counted { cut: false };
        Ok(Box::new(if complete { objective.complete() } else { objective }))
    },
};
