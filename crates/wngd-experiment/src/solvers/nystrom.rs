//! Conjugate gradients with a Nyström preconditioner.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("nystrom", "conjugate gradients, randomised Nyström preconditioner", |section| matrix_free::read(section, Estimator::Nystrom));
