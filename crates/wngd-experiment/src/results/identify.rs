//! `result.json` of an identification: that of `wngd run` and what only identification knows.

use serde::{Deserialize, Serialize};
use wngd::identify;

use super::ResultFile;
use crate::numbers::nulls_are_nan;

/// The file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IdentifyFile {
    /// What it shares with a run.
    #[serde(flatten)]
    pub result: ResultFile,
    /// The rest.
    pub identification: Identification,
}

/// What was found, but for the fit, which has files of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identification {
    /// Parameters of the fit alone.
    pub raw: Vec<f64>,
    /// Their standard errors.
    #[serde(deserialize_with = "nulls_are_nan", default)]
    pub raw_standard_errors: Option<Vec<f64>>,
    /// Corrections by simulation.
    pub corrections: Vec<Correction>,
    /// The parameters.
    pub theta: Vec<f64>,
    /// Their standard errors.
    #[serde(deserialize_with = "nulls_are_nan", default)]
    pub standard_errors: Option<Vec<f64>>,
    /// Which combinations of parameters the data determine.
    pub identifiability: Identifiability,
    /// Time between points.
    pub dt: f64,
    /// Time scale of the system.
    pub time_scale: f64,
    /// Standard deviation of the noise of each coordinate.
    pub noise: Vec<f64>,
    /// Points inside and outside the box.
    pub points: [usize; 2],
    /// Remarks.
    pub notes: Vec<String>,
    /// Why the corrections did not end well.
    pub stalled: Option<String>,
}

/// One correction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Correction {
    /// Parameters simulated.
    pub theta: Vec<f64>,
    /// By how much each simulated trajectory asks to lower them.
    pub shifts: Vec<Vec<f64>>,
    /// Parameters after it.
    pub corrected: Vec<f64>,
    /// Whether the mismatch fell.
    pub accepted: bool,
}

/// Combinations of parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Identifiability {
    /// What parameters are measured by.
    pub scale: Vec<f64>,
    /// Curvature along each.
    pub eigenvalues: Vec<f64>,
    /// The combinations.
    pub eigenvectors: Vec<Vec<f64>>,
    /// Relative errors along each.
    #[serde(deserialize_with = "nulls_are_nan", default)]
    pub relative_errors: Option<Vec<f64>>,
}

impl IdentifyFile {
    /// The file of a result.
    pub fn of(result: ResultFile, found: &identify::Identification) -> Self {
        let identify::Identifiability { scale, eigenvalues, eigenvectors, relative_errors } =
            found.identifiability.clone();
        let corrections = found.corrections.iter().cloned();
        let identification = Identification {
            raw: found.raw.clone(),
            raw_standard_errors: found.raw_standard_errors.clone(),
            corrections: corrections
                .map(|identify::Correction { theta, shifts, corrected, accepted }| Correction {
                    theta,
                    shifts,
                    corrected,
                    accepted,
                })
                .collect(),
            theta: found.theta.clone(),
            standard_errors: found.standard_errors.clone(),
            identifiability: Identifiability { scale, eigenvalues, eigenvectors, relative_errors },
            dt: found.dt,
            time_scale: found.time_scale,
            noise: found.noise.clone(),
            points: found.points,
            notes: found.notes.clone(),
            stalled: found.stalled.map(str::to_string),
        };
        Self { result, identification }
    }
}
