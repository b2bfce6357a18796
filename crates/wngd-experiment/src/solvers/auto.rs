//! The cheapest estimator, by a cost model.

use wngd::opt::Estimator;

use super::{SolverChoice, matrix_free};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    matrix_free::entry("auto", "without a stored Jacobian, chosen by a cost model, which it reports", |section| matrix_free::read(section, Estimator::Auto));
