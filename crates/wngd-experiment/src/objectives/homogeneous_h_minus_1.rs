//! ½‖ρ − ρ*‖² in Ḣ⁻¹.

use wngd::opt::NegativeSobolev;

use super::plain::{self, Facts};
use super::ObjectiveChoice;
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn ObjectiveChoice> = Entry { old_names: &["h-1"], ..plain::entry("homogeneous-h-1", "½‖ρ − ρ*‖² in Ḣ⁻¹", |section| plain::read(section, FACTS)) };

const FACTS: Facts = Facts {
    matched: "homogeneous-h-1",
    words: "the squared Ḣ⁻¹ distance",
    build: |section, ground, data| {
        Ok(Box::new(NegativeSobolev::new(ground.grid(section, "kind")?, data.values.values.clone())?))
    },
};
