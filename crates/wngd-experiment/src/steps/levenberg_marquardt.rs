//! Levenberg–Marquardt.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{LevenbergMarquardt, StepRule};

use super::StepChoice;
use crate::error::ExperimentError;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of Levenberg–Marquardt steps.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// damping of the first step
    damping: Option<f64>,
    /// length of the full step
    length: Option<f64>,
}

pub(super) const ENTRY: Entry<dyn StepChoice> =
    entry!(Options as dyn StepChoice, "levenberg-marquardt", "full steps, adaptive damping");

impl StepChoice for Options {
    fn check(&self, section: &Section<'_>) -> Result<(), ExperimentError> {
        super::positive(section, "damping", self.damping)?;
        super::positive(section, "length", self.length)
    }
    fn build(&self) -> Box<dyn StepRule> {
        Box::new(LevenbergMarquardt::new(self.damping.unwrap_or(1e-3), self.length.unwrap_or(1.0)))
    }
    fn scaled(&self, factor: f64) -> Box<dyn StepChoice> {
        Box::new(Self { length: Some(factor * self.length.unwrap_or(1.0)), ..self.clone() })
    }
    fn in_words(&self) -> String {
        "Levenberg–Marquardt".into()
    }
}
