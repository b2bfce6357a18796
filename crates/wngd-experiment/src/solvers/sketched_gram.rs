//! Exact gradient, sketched information matrix.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("sketched-gram", "exact gradient, sketched G", |section| matrix_free::read(section, Estimator::SketchedGram));
