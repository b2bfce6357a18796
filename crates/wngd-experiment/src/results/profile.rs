//! `profile.json`.

use serde::{Deserialize, Serialize};

use crate::labels::labels;

/// `profile.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Names of the data's columns, where they have names.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// Where the likelihood, or with priors the posterior, is largest.
    pub theta: Vec<f64>,
    /// Standard errors there, by the curvature; null where there is none.
    pub standard_errors: Vec<Option<f64>>,
    /// Covariance of the free parameters, by the curvature; null where there is no standard error.
    #[serde(default)]
    pub covariance: Vec<Vec<Option<f64>>>,
    /// Number of counts N: −2 ln L = 2N f up to a constant.
    pub number: f64,
    /// f there.
    pub objective: f64,
    /// Δ(−2 ln L) at the ends of the intervals.
    pub level: f64,
    /// `likelihood`, or `posterior` where there are priors.
    pub of: String,
    /// One entry per profiled parameter.
    pub profiles: Vec<ProfileEntry>,
    /// One entry per pair of parameters.
    pub contours: Vec<ContourEntry>,
    /// Sentences.
    pub remarks: Vec<String>,
    /// Wall seconds.
    pub seconds: f64,
}

impl ProfileFile {
    /// The parameters' names for people.
    pub fn labels(&self) -> Vec<String> {
        labels(&self.names, self.columns.as_deref())
    }

    /// The name of one of them for people.
    pub fn label(&self, name: &String) -> String {
        labels(std::slice::from_ref(name), self.columns.as_deref()).remove(0)
    }
}

/// The profile of one parameter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProfileEntry {
    /// Its name.
    pub parameter: String,
    /// Best value.
    pub estimate: f64,
    /// Standard error by the curvature.
    pub standard_error: Option<f64>,
    /// Lower end of the interval; null where the level is not reached.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// `estimate` less `lower`.
    pub lower_error: Option<f64>,
    /// `upper` less `estimate`.
    pub upper_error: Option<f64>,
    /// Values of the parameter, increasing.
    pub values: Vec<f64>,
    /// Δ(−2 ln L) at each, the others at their best.
    pub rises: Vec<f64>,
    /// All parameters at each.
    pub thetas: Vec<Vec<f64>>,
    /// Stem of its figure.
    pub figure: String,
}

/// Contours over two parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContourEntry {
    /// Their names.
    pub parameters: [String; 2],
    /// One entry per probability.
    pub levels: Vec<ContourLevel>,
    /// Stem of the figure.
    pub figure: String,
}

/// A contour.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContourLevel {
    /// Probability that it holds both parameters.
    pub probability: f64,
    /// Δ(−2 ln L) on it.
    pub rise: f64,
    /// Points in order; those at a bound, where the rise is less, are among them.
    pub points: Vec<[f64; 2]>,
    /// Whether the rise is reached all around.
    pub closed: bool,
}
