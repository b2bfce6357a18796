//! Truncated singular value decomposition.

use wngd::opt::Route;

use super::{SolverChoice, direct};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    direct::entry("svd", "truncated singular value decomposition", |section| direct::read(section, Route::Svd));
