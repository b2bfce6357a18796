//! Solvers without a stored Jacobian: they differ in their estimator and share their options.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{DirectionSolver, Estimator, MatrixFree, Metric};

use super::SolverChoice;
use crate::error::ExperimentError;
use crate::models::Jacobian;
use crate::registry::{Entry, schema_of};
use crate::source::Section;

/// Most probes of a sketch.
const MAX_PROBES: usize = 100_000;

/// Options of the solvers without a stored Jacobian.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// error of the direction that the solver aims for, between 0 and 1
    tolerance: Option<f64>,
    /// probes, or rank; found by itself if absent
    probes: Option<usize>,
    /// seed of the probes
    seed: Option<u64>,
}

struct Rule {
    estimator: Estimator,
    options: Options,
}

/// Describes a solver.
pub(super) const fn entry(
    name: &'static str,
    summary: &'static str,
    read: fn(&Section<'_>) -> Result<Box<dyn SolverChoice>, ExperimentError>,
) -> Entry<dyn SolverChoice> {
    Entry { name, summary, old_names: &[], schema: schema_of::<Options>, read }
}

/// Reads a solver of an estimator.
pub(super) fn read(section: &Section<'_>, estimator: Estimator) -> Result<Box<dyn SolverChoice>, ExperimentError> {
    let options: Options = section.read()?;
    if !options.tolerance.is_none_or(|v| v > 0.0 && v < 1.0) {
        return Err(section.error("tolerance", "a number between 0 and 1 is needed, for example 1e-2"));
    }
    if options.probes.is_some_and(|m| m == 0 || m > MAX_PROBES) {
        return Err(section.error("probes", "between 1 and 100000 are possible"));
    }
    Ok(Box::new(Rule { estimator, options }))
}

impl SolverChoice for Rule {
    fn build(&self, metric: Box<dyn Metric + Send>, damping: Option<f64>) -> Box<dyn DirectionSolver<Jacobian> + Send> {
        let usual = MatrixFree::new(metric);
        Box::new(MatrixFree {
            estimator: self.estimator,
            damping: damping.unwrap_or(usual.damping),
            tolerance: self.options.tolerance.unwrap_or(usual.tolerance),
            probes: self.options.probes,
            seed: self.options.seed.unwrap_or(usual.seed),
            ..usual
        })
    }
    fn estimator(&self) -> Option<(Estimator, u64)> {
        Some((self.estimator, self.options.seed.unwrap_or(0)))
    }
}
