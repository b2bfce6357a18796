//! Abooee's, Yaghini-Bonabi's and Jahed-Motlagh's laser.
//!
//! # References
//! Abooee, Yaghini-Bonabi and Jahed-Motlagh 2013, Comm. Nonlinear Science 18, 1235; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "laser",
    equations: &["x' = a*(y - x) + b*y*z^2", "y' = c*x + d*x*z^2", "z' = h*z + k*x^2"],
    parameters: &[("a", 10.0), ("b", 1.0), ("c", 5.0), ("d", -1.0), ("h", -5.0), ("k", -6.0)],
    lower: &[-3.8, -2.8, -5.8],
    upper: &[3.8, 2.8, 0.49],
    start: &[1.979, 2.025, -2.002],
};
