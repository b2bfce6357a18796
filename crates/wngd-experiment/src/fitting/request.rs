//! What is asked of a fit.

use std::path::{Path, PathBuf};

use wngd::fit::{Components, Family, FitError, Options};

use crate::error::ExperimentError;

/// What is fitted, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// CSV or NPY file.
    pub path: PathBuf,
    /// Columns; all but that of weights if absent.
    pub columns: Option<Vec<String>>,
    /// Column of weights.
    pub weights: Option<String>,
    /// Columns of edges of a histogram: a pair, lower and upper, per axis.
    pub edges: Option<Vec<String>>,
    /// Column of its counts.
    pub counts: Option<String>,
    /// Number of components.
    pub components: Components,
    /// Family of the covariances.
    pub family: Family,
    /// Starts per number of components.
    pub starts: usize,
    /// Seed.
    pub seed: u64,
}

impl Request {
    /// Options of the crate.
    pub(super) fn options(&self) -> Options {
        Options {
            components: self.components,
            family: self.family,
            starts: self.starts,
            seed: self.seed,
            ..Options::default()
        }
    }
}

/// A name that may be a folder's: that of the data file.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_start_matches('.').to_string();
    if name.is_empty() { "fit".into() } else { name }
}

/// An error of an option of the crate as one of the command's.
pub(super) fn option_error(option: &str, problem: String) -> ExperimentError {
    ExperimentError::Option { option: format!("--{option}"), problem }
}

impl From<FitError> for ExperimentError {
    fn from(error: FitError) -> Self {
        match error {
            FitError::Option { option, problem } => option_error(option, problem),
            other => option_error("components", other.to_string()),
        }
    }
}
