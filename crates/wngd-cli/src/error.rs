use thiserror::Error;
use wngd::identify::SimulateError;
use wngd_experiment::ExperimentError;

/// Anything that ends a command; [`exit_code`](Self::exit_code) says how.
#[derive(Debug, Error)]
pub enum CliError {
    /// An option of the command line is not usable.
    #[error("{option}: {problem}")]
    Usage {
        /// The option.
        option: String,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// Something is wrong with the experiment, its data or its results.
    #[error(transparent)]
    Experiment(ExperimentError),
    /// Nothing could be served.
    #[cfg(feature = "play")]
    #[error("cannot serve: {source}")]
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
            CliError::Experiment(error) if error.is_internal() => 3,
            _ => 2,
        }
    }

    /// A usage error of one option.
    pub fn usage(option: impl Into<String>, problem: impl Into<String>) -> Self {
        CliError::Usage { option: option.into(), problem: problem.into() }
    }
}

impl From<ExperimentError> for CliError {
    /// What an argument of the command names is told by its name.
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::NoExperiment { .. } | ExperimentError::Folder { .. } => {
                Self::usage("experiment", error.to_string())
            }
            ExperimentError::NoResults { .. } | ExperimentError::NothingToResume { .. } => {
                Self::usage("folder", error.to_string())
            }
            ExperimentError::Unfinished { folder, go_on } => {
                let folder = folder.display();
                let problem = format!(
                    "\"{folder}\" keeps an unfinished command; go on with `{go_on}`, or give --restart to start anew"
                );
                Self::usage("--out", problem)
            }
            other => Self::Experiment(other),
        }
    }
}

impl From<SimulateError> for CliError {
    fn from(error: SimulateError) -> Self {
        Self::Experiment(error.into())
    }
}
