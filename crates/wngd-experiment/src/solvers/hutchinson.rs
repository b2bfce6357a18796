//! H_m as published.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("hutchinson", "H_m as published, a baseline", |section| matrix_free::read(section, Estimator::Hutchinson));
