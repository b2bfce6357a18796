//! The information matrix.

use wngd::opt::Route;

use super::{SolverChoice, direct};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    direct::entry("information", "G η = −∇f with the information matrix", |section| direct::read(section, Route::Information));
