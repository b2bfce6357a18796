//! What was found.

use wngd_linalg::Grid;
use wngd_opt::Outcome;

use crate::score::Identifiability;

/// One correction by simulated trajectories.
#[derive(Debug, Clone)]
pub struct Correction {
    /// Parameters simulated.
    pub theta: Vec<f64>,
    /// By how much each simulated trajectory asks to lower them; empty where none could be followed.
    pub shifts: Vec<Vec<f64>>,
    /// Parameters after the correction.
    pub corrected: Vec<f64>,
    /// Whether the mismatch was lower than at the last accepted parameters; if not, the step was halved.
    pub accepted: bool,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Identification {
    /// Fit to the data, before any correction.
    pub raw: Vec<f64>,
    /// Its standard errors from the scatter between stretches of the data, without the bias.
    pub raw_standard_errors: Option<Vec<f64>>,
    /// Corrections, in order.
    pub corrections: Vec<Correction>,
    /// The last corrected parameters, or the raw ones.
    pub theta: Vec<f64>,
    /// Standard errors from the scatter of the replicates.
    pub standard_errors: Option<Vec<f64>>,
    /// Identifiability at the raw fit.
    pub identifiability: Identifiability,
    /// Time between points, given or estimated.
    pub dt: f64,
    /// Time in which points move by about their own scatter.
    pub time_scale: f64,
    /// Standard deviation of the observations' noise per coordinate.
    pub noise: Vec<f64>,
    /// Points used and points outside the box.
    pub points: [usize; 2],
    /// Remarks: what was estimated, what failed.
    pub notes: Vec<String>,
    /// Why the corrections did not end in noise, if so; there are no standard errors then.
    pub stalled: Option<&'static str>,
    /// Grid of the fit.
    pub grid: Grid,
    /// Density of the data.
    pub data: Vec<f64>,
    /// The fit to the data.
    pub fit: Outcome,
}
