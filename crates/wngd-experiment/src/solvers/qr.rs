//! Rank-revealing QR.

use wngd::opt::Route;

use super::{SolverChoice, direct};
use crate::registry::Entry;

pub(super) const ENTRY: Entry<dyn SolverChoice> =
    direct::entry("qr", "rank-revealing QR, minimum norm (default)", |section| direct::read(section, Route::Qr));
