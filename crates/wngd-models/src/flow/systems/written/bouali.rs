//! Bouali's economic cycle.
//!
//! # References
//! Bouali 1999, Int. J. Bifurcation and Chaos 9, 745; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "bouali",
    equations: &["x' = a*(y0 - y)*x - b*z", "y' = -g*y + g*y*x^2", "z' = -1.5*m*x + m*bb*x*z - c*z"],
    parameters: &[("a", 1.0), ("b", -0.3), ("bb", 1.0), ("c", 0.05), ("g", 1.0), ("m", 1.0), ("y0", 4.0)],
    lower: &[-3.0, 0.0, -7.9],
    upper: &[3.8, 14.0, 2.3],
    start: &[0.3508, 1.998, 0.03659],
};
