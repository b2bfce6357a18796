//! Armijo line searches.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{Armijo, ArmijoStart, StepRule};

use super::StepChoice;
use crate::error::ExperimentError;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of line searches.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// first length tried; found by doubling and halving if absent
    initial: Option<f64>,
    /// share of the promised decrease that is asked for, between 0 and 1
    c1: Option<f64>,
    /// start from twice the last length instead of `initial`
    remember: Option<bool>,
}

pub(super) const ENTRY: Entry<dyn StepChoice> =
    entry!(Options as dyn StepChoice, "armijo", "line search; its length is found by doubling and halving unless initial is given (default)");

impl StepChoice for Options {
    fn check(&self, section: &Section<'_>) -> Result<(), ExperimentError> {
        super::positive(section, "initial", self.initial)?;
        if !self.c1.is_none_or(|c| c > 0.0 && c < 1.0) {
            return Err(section.error("c1", "a number between 0 and 1 is needed, for example 1e-4"));
        }
        Ok(())
    }
    fn build(&self) -> Box<dyn StepRule> {
        let c1 = self.c1.unwrap_or(1e-4);
        let mut rule = match self.initial {
            Some(initial) => Armijo::new(initial, c1),
            None => Armijo::expanding(c1),
        };
        if self.remember == Some(true) && self.initial.is_some() {
            rule.start = ArmijoStart::Remember;
        }
        Box::new(rule)
    }
    fn scaled(&self, factor: f64) -> Box<dyn StepChoice> {
        Box::new(Self { initial: self.initial.map(|i| factor * i), ..self.clone() })
    }
    fn in_words(&self) -> String {
        self.initial.map_or_else(|| "line search".into(), |initial| format!("line search from {initial}"))
    }
}
