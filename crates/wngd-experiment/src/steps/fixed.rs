//! A fixed length.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{Fixed, StepRule};

use super::StepChoice;
use crate::error::ExperimentError;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of fixed steps.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// step length, for example 1.0
    length: f64,
}

pub(super) const ENTRY: Entry<dyn StepChoice> = entry!(Options as dyn StepChoice, "fixed", "every step of one length");

impl StepChoice for Options {
    fn check(&self, section: &Section<'_>) -> Result<(), ExperimentError> {
        super::positive(section, "length", Some(self.length))
    }
    fn build(&self) -> Box<dyn StepRule> {
        Box::new(Fixed { length: self.length })
    }
    fn scaled(&self, factor: f64) -> Box<dyn StepChoice> {
        Box::new(Self { length: factor * self.length })
    }
    fn in_words(&self) -> String {
        format!("step {}", self.length)
    }
}
