//! `sketch.json`.

use serde::{Deserialize, Serialize};

use crate::numbers::null_is_nan;

/// `sketch.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Study {
    /// Name of the experiment.
    pub name: String,
    /// Free parameters p.
    pub parameters: usize,
    /// Cells k.
    pub cells: usize,
    /// Seeds per entry.
    pub seeds: u64,
    /// One entry per metric.
    pub metrics: Vec<MetricStudy>,
}

/// One metric.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetricStudy {
    /// Name.
    pub metric: String,
    /// Damping relative to the largest eigenvalue of G.
    pub damping: f64,
    /// Step length at which objectives are compared.
    pub step: f64,
    /// What `auto` says it does, at the error of 1 %.
    pub auto: String,
    /// One entry per estimator and setting.
    pub entries: Vec<Entry>,
    /// Estimators left out, with the reason.
    pub left_out: Vec<String>,
}

/// One estimator at one setting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Estimator.
    pub estimator: String,
    /// Probes, for the sketches.
    pub probes: Option<usize>,
    /// Error aimed for, for the iterations.
    pub tolerance: Option<f64>,
    /// Tangent and adjoint solves.
    pub solves: Quartiles,
    /// Angle to the exact direction in degrees.
    pub angle: Quartiles,
    /// Length as a share of the exact direction's.
    pub length: Quartiles,
    /// ‖η − η*‖/‖η*‖ in the norm of the damped G.
    pub error: Quartiles,
    /// What the estimator said of that error.
    pub estimated: Quartiles,
    /// Decrease of the objective in one step as a share of the exact direction's.
    pub decrease: Quartiles,
}

/// Quartiles over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quartiles {
    /// A quarter lies below.
    #[serde(deserialize_with = "null_is_nan")]
    pub lower: f64,
    /// Half.
    #[serde(deserialize_with = "null_is_nan")]
    pub median: f64,
    /// Three quarters.
    #[serde(deserialize_with = "null_is_nan")]
    pub upper: f64,
}
