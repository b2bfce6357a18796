//! Kullback–Leibler.

use wngd::opt::KullbackLeibler;

use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = plain::entry("kl", "KL(ρ*‖ρ), maximum likelihood", |section| plain::read(section, FACTS));

const FACTS: Facts = Facts {
    matched: "fisher-rao",
    words: "the Kullback–Leibler divergence",
    build: |section, ground, data| {
        let grid = ground.density(section, "kind")?;
        Ok(Box::new(KullbackLeibler::with_logarithms(grid, data.clone())?))
    },
};
