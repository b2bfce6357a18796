//! Sketch-to-precondition.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("preconditioned", "sketch-to-precondition, m = 4p probes", |section| matrix_free::read(section, Estimator::Preconditioned));
