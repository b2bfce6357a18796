use std::path::PathBuf;

use thiserror::Error;
use wngd::identify::{IdentifyError, SimulateError};
use wngd::models::{MixtureError, ObserveError, TrajectoryError};
use wngd::opt::{DescentError, DirectionError, MetricError, ObjectiveError, UncertaintyError};

use crate::figures::FigureError;

/// Anything that ends a command; [`exit_code`](Self::exit_code) says how.
#[derive(Debug, Error)]
pub enum CliError {
    /// A configuration value is not usable.
    #[error("{place}: {field}: {problem}")]
    Config {
        /// File and line.
        place: String,
        /// Dotted name of the field.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The configuration is not valid TOML for the schema; the text shows the place.
    #[error("{path}: {text}")]
    Toml {
        /// The file.
        path: String,
        /// Message with line, column and snippet.
        text: String,
    },
    /// An option of the command line is not usable.
    #[error("{option}: {problem}")]
    Usage {
        /// The option.
        option: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A data file holds something unusable.
    #[error("{}: {problem}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the row where there is one.
        problem: String,
    },
    /// Samples are not usable.
    #[error("data.samples: {0}")]
    Samples(#[from] ObserveError),
    /// The mixture is not usable.
    #[error("model: {0}")]
    Mixture(#[from] MixtureError),
    /// The objective cannot be evaluated at the start.
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// A descent could not be carried out.
    #[error("method \"{label}\": {source}")]
    Descent {
        /// Label of the method.
        label: String,
        /// Why.
        source: DescentError,
    },
    /// A model evaluation failed outside a descent.
    #[error(transparent)]
    Model(#[from] wngd::adjoint::ModelError),
    /// A metric failed outside a descent.
    #[error("metric: {0}")]
    Metric(#[from] MetricError),
    /// A direction failed outside a descent.
    #[error("direction: {0}")]
    Direction(#[from] DirectionError),
    /// A factorisation or decomposition failed.
    #[error(transparent)]
    Linalg(#[from] wngd::linalg::LinalgError),
    /// Standard errors failed.
    #[error("standard errors: {0}")]
    Uncertainty(#[from] UncertaintyError),
    /// A figure could not be drawn.
    #[error("figure: {0}")]
    Figure(#[from] FigureError),
    /// A trajectory could not be simulated.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A system could not be identified.
    #[error(transparent)]
    Identify(#[from] IdentifyError),
    /// A trajectory is not usable as data.
    #[error("trajectory: {0}")]
    Trajectory(#[from] TrajectoryError),
    /// The page could not be served.
    #[error("cannot serve the page: {source}")]
    Serve {
        /// Why.
        source: std::io::Error,
    },
    /// Something that cannot happen did.
    #[error("internal error: {0}; this is a bug, please report it with the command and the input")]
    Internal(String),
}

impl CliError {
    /// 2 for bad input or usage, 3 for internal failures.
    pub fn exit_code(&self) -> u8 {
        match self {
            CliError::Internal(_) => 3,
            _ => 2,
        }
    }

    /// Whether the same command may succeed later: with room on the disk, with a bug removed.
    pub fn may_pass(&self) -> bool {
        matches!(self, CliError::Write { .. } | CliError::Figure(_) | CliError::Internal(_))
    }

    /// A usage error of one option.
    pub fn usage(option: impl Into<String>, problem: impl Into<String>) -> Self {
        CliError::Usage { option: option.into(), problem: problem.into() }
    }
}
