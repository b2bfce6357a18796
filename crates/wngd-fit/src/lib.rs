#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod binned;
mod cells;
mod chi_squared;
mod component;
mod dense;
#[cfg(test)]
mod derivatives_tests;
mod descent;
mod em;
mod error;
mod fit;
mod frame;
mod goodness;
mod histogram;
mod kernel;
mod lattice;
mod layout;
mod likelihood;
mod mixture;
mod options;
mod points;
mod pool;
mod remark;
mod rounding;
mod samples;
mod search;
mod start;
mod uncertainty;

pub use error::FitError;
pub use fit::{Fit, Iterate, Score, Status, fit, fit_histogram};
pub use goodness::Goodness;
pub use histogram::Histogram;
pub use lattice::rounding_step;
pub use mixture::Mixture;
pub use options::{Components, Family, MOST_COMPONENTS, Options};
pub use remark::Remark;
pub use samples::{Samples, Weighting};
