//! `toys.json`.

use serde::{Deserialize, Serialize};

/// `toys.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToysFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Values that the toys were made with.
    pub truth: Vec<f64>,
    /// `best fit` or `truth`: where those values are from.
    pub from: String,
    /// Counts per toy, or their mean.
    pub number: f64,
    /// Whether the number of counts scatters, too (Poisson), as it does for models with yields.
    pub poisson: bool,
    /// Toys that were made.
    pub count: usize,
    /// Seed.
    pub seed: u64,
    /// Label of the method that fits them.
    pub method: String,
    /// One entry per parameter.
    pub parameters: Vec<PullEntry>,
    /// How many ended how; those that did not converge count in nothing else.
    pub statuses: Vec<StatusCount>,
    /// One entry per toy.
    pub toys: Vec<ToyEntry>,
    /// Sentences.
    pub remarks: Vec<String>,
    /// Wall seconds of the fits that this process made.
    pub seconds: f64,
}

/// Pulls (estimate − truth)/standard error of a parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PullEntry {
    /// Its name.
    pub parameter: String,
    /// Toys that count: converged, with a standard error.
    pub count: usize,
    /// Mean estimate less the truth.
    pub bias: Option<f64>,
    /// Standard deviation of the estimates.
    pub scatter: Option<f64>,
    /// Mean of the standard errors.
    pub mean_standard_error: Option<f64>,
    /// Mean of the pulls.
    pub pull_mean: Option<f64>,
    /// Its standard error.
    pub pull_mean_error: Option<f64>,
    /// Standard deviation of the pulls.
    pub pull_width: Option<f64>,
    /// Its standard error.
    pub pull_width_error: Option<f64>,
    /// Share of toys whose truth is within one standard error; 0.683 is right.
    pub coverage_1: Option<f64>,
    /// Within two; 0.954 is right.
    pub coverage_2: Option<f64>,
}

/// How many toys ended in a way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusCount {
    /// `converged`, `stalled`, … or what failed.
    pub status: String,
    /// How many.
    pub count: usize,
}

/// A toy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToyEntry {
    /// Estimate; null where the fit could not be carried out.
    pub theta: Option<Vec<f64>>,
    /// Standard errors; null where there are none.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// f there.
    pub objective: Option<f64>,
    /// Iterations.
    pub iterations: usize,
    /// How it ended.
    pub status: String,
}
