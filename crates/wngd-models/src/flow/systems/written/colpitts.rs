//! The Colpitts oscillator.
//!
//! # References
//! Kennedy 1994, IEEE Trans. Circuits and Systems 41, 771; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "colpitts",
    equations: &["x' = y + 0.5*a*(z - e + 1 - abs(z - e + 1))", "y' = c - x - b*y - z", "z' = y - d*z"],
    parameters: &[("a", 30.0), ("b", 0.8), ("c", 20.0), ("d", 0.08), ("e", 10.0)],
    lower: &[5.1, -1.0, 8.3],
    upper: &[12.0, 3.6, 13.0],
    start: &[10.11, -0.4571, 10.07],
};
