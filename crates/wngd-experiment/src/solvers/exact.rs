//! All tangents, damped plainly.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("exact", "all p tangents", |section| matrix_free::read(section, Estimator::Exact));
