//! `result.json` of an identification: that of `wngd run` and what only identification knows.

use std::collections::BTreeMap;

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
    /// All estimates, in the order in which they ran.
    #[serde(default)]
    pub estimates: Vec<EstimateEntry>,
    /// Name of the one that answers.
    #[serde(default)]
    pub answer: String,
    /// `fits`, `misfit`, `undetermined` or `not-converged`.
    #[serde(default)]
    pub verdict: String,
    /// Combinations of parameters that the data do not determine.
    #[serde(default)]
    pub undetermined: Vec<UndeterminedEntry>,
    /// Noise of the observations.
    #[serde(default)]
    pub noise: Option<NoiseEntry>,
    /// D of each coordinate at the answer.
    #[serde(default)]
    pub diffusion: Option<Vec<f64>>,
    /// What only the estimator `density` knows.
    #[serde(default)]
    pub identification: Option<Identification>,
}

/// One estimate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EstimateEntry {
    /// Name of the estimator.
    pub estimator: String,
    /// The parameters.
    pub theta: Vec<f64>,
    /// Their standard errors; null for one that is not determined.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// How well the model fits.
    pub misfit: Option<MisfitEntry>,
    /// Wall seconds.
    pub seconds: f64,
    /// What was noticed.
    pub remarks: Vec<String>,
}

/// A test of the misfit.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct MisfitEntry {
    /// Its statistic.
    pub statistic: f64,
    /// What that is on average if the model fits.
    pub degrees_of_freedom: f64,
    /// Chance of a statistic this large if the model fits.
    pub p_value: f64,
}

/// A combination of parameters that is not determined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UndeterminedEntry {
    /// Its entries by parameter.
    pub direction: BTreeMap<String, f64>,
    /// It in words.
    pub text: String,
}

/// Noise of the observations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NoiseEntry {
    /// Standard deviation as a share of the scatter, per coordinate.
    pub share: Vec<f64>,
    /// Whether it was estimated.
    pub estimated: bool,
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
    /// The file of a fit of the density.
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
        Self {
            result,
            estimates: Vec::new(),
            answer: String::new(),
            verdict: String::new(),
            undetermined: Vec::new(),
            noise: None,
            diffusion: None,
            identification: Some(identification),
        }
    }
}
