//! Errors of the library as exceptions of Python.

use std::fmt::Display;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use wngd_experiment::ExperimentError;

/// What is wrong with an argument.
pub(crate) fn value(error: impl Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What is wrong with an argument whose name is not in the text.
pub(crate) fn argument(name: &str, problem: impl Display) -> PyErr {
    PyValueError::new_err(format!("{name}: {problem}"))
}

/// A `ValueError` for what the caller can mend, an `OSError` for files, a `RuntimeError` for the rest. Options of the
/// command line are called as arguments of Python.
pub(crate) fn experiment(error: ExperimentError) -> PyErr {
    let text = error.to_string();
    match error {
        ExperimentError::Option { option, problem } => {
            let names: Vec<String> =
                option.split(", ").map(|name| name.trim_start_matches('-').replace('-', "_")).collect();
            argument(&names.join(", "), problem)
        }
        ExperimentError::Read { .. } | ExperimentError::Write { .. } => PyOSError::new_err(text),
        ExperimentError::Internal(_) | ExperimentError::Figure(_) => PyRuntimeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}
