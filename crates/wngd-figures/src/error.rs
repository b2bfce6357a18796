//! What can go wrong when a figure is drawn.

use std::fmt;
use std::path::PathBuf;

/// Why a figure was not written.
#[derive(Debug)]
pub enum FigureError {
    /// The data do not fit together (an empty list, lengths that disagree, ...).
    Shape {
        /// The field at fault, as a path inside the figure's struct.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be written.
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bitmap or the page could not be made.
    Render {
        /// The file that was to be written.
        path: PathBuf,
        /// The rasteriser's or the writer's reason.
        problem: String,
    },
}

impl FigureError {
    /// A [`FigureError::Shape`] for `field`.
    pub(crate) fn shape(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Shape { field: field.into(), problem: problem.into() }
    }
}

impl fmt::Display for FigureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { field, problem } => {
                write!(f, "the figure's data are inconsistent: `{field}` {problem}")
            }
            Self::Io { path, source } => {
                write!(f, "cannot write the figure {}: {source}", path.display())
            }
            Self::Render { path, problem } => {
                write!(f, "cannot render the figure {}: {problem}", path.display())
            }
        }
    }
}

impl std::error::Error for FigureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
