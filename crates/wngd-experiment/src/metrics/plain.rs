//! Metrics without options.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::Metric;

use super::MetricChoice;
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::models::Model;
use crate::registry::{Entry, schema_of};
use crate::source::Section;

/// No options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {}

/// What makes a metric.
pub(super) type Build = fn(&Section<'_>, &Ground) -> Result<Option<Box<dyn Metric + Send>>, ExperimentError>;

struct Plain(Build);

/// Describes a metric.
pub(super) const fn entry(
    name: &'static str,
    summary: &'static str,
    read: fn(&Section<'_>) -> Result<Box<dyn MetricChoice>, ExperimentError>,
) -> Entry<dyn MetricChoice> {
    Entry { name, summary, old_names: &[], schema: schema_of::<Options>, read }
}

/// Reads a metric that needs no more than its ground.
pub(super) fn read(section: &Section<'_>, build: Build) -> Result<Box<dyn MetricChoice>, ExperimentError> {
    let Options {} = section.read()?;
    Ok(Box::new(Plain(build)))
}

impl MetricChoice for Plain {
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        _: &dyn Model,
    ) -> Result<Option<Box<dyn Metric + Send>>, ExperimentError> {
        (self.0)(section, ground)
    }
}
