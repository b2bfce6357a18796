use std::path::PathBuf;

use thiserror::Error;
use wngd::adjoint::ModelError;
use wngd::identify::{IdentifyError, SimulateError};
use wngd::models::{MixtureError, ObserveError, TrajectoryError};
use wngd::opt::{DescentError, DirectionError, MetricError, ObjectiveError, UncertaintyError};
use wngd_figures::FigureError;

/// What can go wrong between an experiment's text and its results.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A value of an experiment file is not usable.
    #[error("{place}: {field}: {problem}")]
    Config {
        /// File and line.
        place: String,
        /// Dotted name of the field.
        field: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// The text is no TOML; the message shows the place.
    #[error("{path}: {text}")]
    Toml {
        /// The file.
        path: String,
        /// Message with line, column and snippet.
        text: String,
    },
    /// A value that an option of a command gave is not usable.
    #[error("{option}: {problem}")]
    Option {
        /// The option.
        option: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// There is no experiment of this name.
    #[error("\"{name}\" is neither a file nor a built-in experiment; built-in are {built_in} (see `wngd list`)")]
    NoExperiment {
        /// The name.
        name: String,
        /// Those that there are.
        built_in: String,
    },
    /// A folder where a file was meant.
    #[error("\"{name}\" is a folder; give a .toml file")]
    Folder {
        /// Its name.
        name: String,
    },
    /// A folder that another command writes into.
    #[error("\"{}\" is being written by {holder}; wait for it, or give another folder", folder.display())]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// Process and command.
        holder: String,
    },
    /// No descent found a minimum to begin with.
    #[error("there is no minimum to begin with: {problem}; see `wngd run`, raise stop.iterations, or start elsewhere")]
    NoMinimum {
        /// How descents ended.
        problem: String,
    },
    /// A folder that holds no results.
    #[error("\"{}\" is no result folder: {problem}", folder.display())]
    NoResults {
        /// The folder.
        folder: PathBuf,
        /// What is missing, and what to do.
        problem: String,
    },
    /// A folder keeps an unfinished command.
    #[error("\"{}\" keeps an unfinished command; go on with `{}`, or start anew", folder.display(), go_on)]
    Unfinished {
        /// The folder.
        folder: PathBuf,
        /// What to type.
        go_on: String,
    },
    /// A folder keeps nothing to go on with.
    #[error("\"{}\" has no {file}: nothing was begun there, or what was begun is finished", folder.display())]
    NothingToResume {
        /// The folder.
        folder: PathBuf,
        /// The file that would hold it.
        file: &'static str,
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
    /// The objective cannot be evaluated.
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
    Model(#[from] ModelError),
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
    /// An identification failed.
    #[error(transparent)]
    Identify(#[from] IdentifyError),
    /// A trajectory could not be followed.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// A trajectory is not usable as data.
    #[error("trajectory: {0}")]
    Trajectory(#[from] TrajectoryError),
    /// A figure could not be drawn.
    #[error("figure: {0}")]
    Figure(#[from] FigureError),
    /// Something that cannot happen did.
    #[error("internal error: {0}; this is a bug, please report it with the command and the input")]
    Internal(String),
}

impl ExperimentError {
    /// Whether the program itself is at fault, not its input.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Internal(_))
    }

    /// Whether the same may succeed later: with room on the disk, with a bug removed, with a server that runs again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Write { .. } | Self::Figure(_) | Self::Internal(_) => true,
            Self::Model(error) | Self::Descent { source: DescentError::Model(error), .. } => {
                matches!(error, ModelError::Model(_))
            }
            _ => false,
        }
    }
}
