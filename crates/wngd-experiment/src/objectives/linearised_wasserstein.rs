//! W₂ linearised at the data.

use wngd::opt::LinearisedWasserstein;

use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = plain::entry("linearised-wasserstein", "W₂ linearised at the data", |section| plain::read(section, FACTS));

const FACTS: Facts = Facts {
    matched: "wasserstein",
    words: "the linearised squared Wasserstein distance",
    build: |section, ground, data| {
        ground.density(section, "kind")?;
        Ok(Box::new(LinearisedWasserstein::new(&ground.plan(section, "kind")?, data.values.values.clone())?))
    },
};
