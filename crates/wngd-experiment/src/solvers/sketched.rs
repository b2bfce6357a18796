//! Sketched least squares.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("sketched", "sketched least squares", |section| matrix_free::read(section, Estimator::Sketched));
