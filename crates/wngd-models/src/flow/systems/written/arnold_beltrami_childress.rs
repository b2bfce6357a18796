//! Arnold's, Beltrami's and Childress' steady flow; its coordinates are angles and wander without bound.
//!
//! # References
//! Arnold 1966, J. Applied Mathematics and Mechanics 30, 223; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

// Digits as in the collection.
#[allow(clippy::approx_constant)]
pub(super) const SYSTEM: Written = Written {
    name: "arnold-beltrami-childress",
    equations: &["x' = a*sin(z) + c*cos(y)", "y' = b*sin(x) + a*cos(z)", "z' = c*sin(y) + b*cos(x)"],
    parameters: &[("a", 1.73205), ("b", 1.41421), ("c", 1.0)],
    lower: &[0.0, 0.0, 0.0],
    upper: &[6.3, 6.3, 6.3],
    start: &[3.399, 2.77, 6.075],
};
