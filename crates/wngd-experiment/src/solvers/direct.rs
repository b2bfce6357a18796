//! Solvers on the stored, whitened Jacobian: they differ in their route and have no options.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{DirectionSolver, Metric, Natural, Route};

use super::SolverChoice;
use crate::error::ExperimentError;
use crate::models::Jacobian;
use crate::registry::{Entry, schema_of};
use crate::source::Section;

/// No options.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {}

struct Direct(Route);

/// Describes a solver.
pub(super) const fn entry(
    name: &'static str,
    summary: &'static str,
    read: fn(&Section<'_>) -> Result<Box<dyn SolverChoice>, ExperimentError>,
) -> Entry<dyn SolverChoice> {
    Entry { name, summary, old_names: &[], schema: schema_of::<Options>, read }
}

/// Reads a solver of a route.
pub(super) fn read(section: &Section<'_>, route: Route) -> Result<Box<dyn SolverChoice>, ExperimentError> {
    let Options {} = section.read()?;
    Ok(Box::new(Direct(route)))
}

impl SolverChoice for Direct {
    fn build(&self, metric: Box<dyn Metric + Send>, damping: Option<f64>) -> Box<dyn DirectionSolver<Jacobian> + Send> {
        Box::new(Natural { metric, route: self.0, damping: damping.unwrap_or(0.0) })
    }
}
