//! `basin.json`.

use serde::{Deserialize, Serialize};

/// `basin.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BasinFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Names of the varied ones.
    pub parameters: Vec<String>,
    /// Positions of the varied ones among the free.
    #[serde(skip)]
    pub varied: Vec<usize>,
    /// Full start points.
    pub starts: Vec<Vec<f64>>,
    /// Minima found by any method, best first.
    pub minima: Vec<MinimumEntry>,
    /// One entry per method.
    pub methods: Vec<BasinMethod>,
}

/// One minimum of `basin.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MinimumEntry {
    /// Parameters.
    pub theta: Vec<f64>,
    /// Objective there.
    pub objective: f64,
    /// Descents of all methods that end there.
    pub count: usize,
}

/// One method of `basin.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BasinMethod {
    /// Label.
    pub label: String,
    /// Metric.
    pub metric: String,
    /// Share of the starts that end at the best minimum.
    pub fraction_best: f64,
    /// Minimum reached from each start; null if none.
    pub minimum: Vec<Option<usize>>,
    /// End of each descent; null where there is none.
    pub ends: Vec<Option<Vec<f64>>>,
    /// Objectives there.
    pub objectives: Vec<Option<f64>>,
    /// Iterations of each descent.
    pub iterations: Vec<usize>,
    /// How each descent ended.
    pub statuses: Vec<String>,
}
