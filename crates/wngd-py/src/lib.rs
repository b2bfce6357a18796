#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

mod arrays;
mod callables;
mod check;
mod command;
mod error;
mod field;
mod identify;
mod interrupt;
mod minimize;
mod mixture;
mod model;
mod pieces;
mod problem;
mod system;
mod values;
mod work;

use pyo3::prelude::*;

/// What is compiled of Python's package `wngd`; its functions are documented there.
#[pymodule]
mod _wngd {
    #[pymodule_export]
    use crate::callables::OutOfDomain;
    #[pymodule_export]
    use crate::check::check;
    #[pymodule_export]
    use crate::command::command;
    #[pymodule_export]
    use crate::field::check_field;
    #[pymodule_export]
    use crate::identify::identify_records;
    #[pymodule_export]
    use crate::minimize::minimize;
    #[pymodule_export]
    use crate::mixture::{fit_bins, fit_samples, mixture_at, mixture_sample};
    #[pymodule_export]
    use crate::pieces::{laplacian, lstsq, probes, sketch, transport, whiten};
    #[pymodule_export]
    use crate::system::{describe_system, simulate, stationary_density, system_names};
    #[pymodule_export]
    use crate::work::run_experiment;

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "it is Python's name")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
