//! LSMR.

use wngd::opt::Route;

use super::{SolverChoice, direct};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    direct::entry("lsmr", "iterative", |section| direct::read(section, Route::Lsmr));
