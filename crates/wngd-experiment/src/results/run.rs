//! `result.json` of `wngd run`, the only form in which it is written and read.

use serde::{Deserialize, Serialize};

use crate::numbers::nulls_are_nan;

/// `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResultFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Start point.
    pub theta0: Vec<f64>,
    /// Name of the objective.
    pub objective: String,
    /// Values that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Remarks on the data.
    pub notes: Vec<String>,
    /// One entry per method.
    pub methods: Vec<MethodResult>,
}

/// One method of `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MethodResult {
    /// Label.
    pub label: String,
    /// Metric.
    pub metric: String,
    /// `converged`, `max-iterations`, `stalled` or `stopped`.
    pub status: String,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Iterations made.
    pub iterations: usize,
    /// f at the start.
    pub objective0: f64,
    /// f at the end.
    pub objective: Option<f64>,
    /// Parameters at the end.
    pub theta: Vec<f64>,
    /// Standard errors, where the data are samples; null where a parameter is not determined.
    #[serde(deserialize_with = "nulls_are_nan", default)]
    pub standard_errors: Option<Vec<f64>>,
    /// Why there are no standard errors, where there could be.
    pub standard_errors_note: Option<String>,
    /// Euclidean distance to the values that made the data, where known.
    pub error: Option<f64>,
    /// Rank of the whitened Jacobian behind the last step.
    pub rank: usize,
    /// Its condition number; null where the rank is deficient.
    pub condition: Option<f64>,
    /// Solves of the state equation and its linearisations.
    pub solves: usize,
    /// How the last direction was estimated, for matrix-free solvers.
    pub solver_note: Option<String>,
    /// Wall seconds.
    pub seconds: f64,
    /// Trace file.
    pub trace: String,
    /// File of the fitted density, if there is one.
    pub density: Option<String>,
}
