//! Objectives without options.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::Objective;

use super::ObjectiveChoice;
use crate::data::Data;
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::registry::{Entry, schema_of};
use crate::source::Section;

/// No options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {}

/// What an objective says of itself.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    /// Metric whose natural gradient is the Gauss–Newton direction.
    pub(super) matched: &'static str,
    /// In a sentence.
    pub(super) words: &'static str,
    /// What makes it.
    pub(super) build: Build,
}

/// Makes an objective of its section, the ground and the data.
type Build = fn(&Section<'_>, &Ground, &Data) -> Result<Box<dyn Objective + Send>, ExperimentError>;

/// Describes an objective.
pub(super) const fn entry(
    name: &'static str,
    summary: &'static str,
    read: fn(&Section<'_>) -> Result<Box<dyn ObjectiveChoice>, ExperimentError>,
) -> Entry<dyn ObjectiveChoice> {
    Entry { name, summary, old_names: &[], schema: schema_of::<Options>, read }
}

/// Reads an objective.
pub(super) fn read(section: &Section<'_>, facts: Facts) -> Result<Box<dyn ObjectiveChoice>, ExperimentError> {
    let Options {} = section.read()?;
    Ok(Box::new(facts))
}

impl ObjectiveChoice for Facts {
    fn matched_metric(&self) -> &'static str {
        self.matched
    }
    fn in_words(&self) -> &'static str {
        self.words
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        data: &Data,
    ) -> Result<Box<dyn Objective + Send>, ExperimentError> {
        (self.build)(section, ground, data)
    }
}
