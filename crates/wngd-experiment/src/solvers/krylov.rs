//! Golub–Kahan iteration.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("krylov", "Golub–Kahan iteration with tangent and adjoint solves", |section| matrix_free::read(section, Estimator::Krylov));
