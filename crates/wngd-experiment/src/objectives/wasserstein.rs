//! ½W₂², exact.

use wngd::opt::Wasserstein;

use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = plain::entry("wasserstein", "½W₂², exact transport", |section| plain::read(section, FACTS));

const FACTS: Facts = Facts {
    matched: "wasserstein",
    words: "the squared Wasserstein distance",
    build: |section, ground, data| {
        ground.density(section, "kind")?;
        Ok(Box::new(Wasserstein::new(&ground.plan(section, "kind")?, data.values.values.clone())?))
    },
};
