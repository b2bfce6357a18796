//! The command line, run in this process.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command line on arguments, the program's name first, and returns its exit code.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| wngd_cli::main_of(arguments))
}
