//! Guckenheimer and Holmes' unfolding.
//!
//! # References
//! Guckenheimer and Holmes 1983, Nonlinear Oscillations, Dynamical Systems, and Bifurcations of Vector Fields, Springer; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "guckenheimer-holmes",
    equations: &["x' = a*x - b*y + c*z*x + d*z*x^2 + d*z*y^2", "y' = a*y + b*x + c*z*y", "z' = e - z^2 - f*x^2 - f*y^2 - a*z^3"],
    parameters: &[("a", 0.4), ("b", 20.25), ("c", 3.0), ("d", 1.6), ("e", 1.7), ("f", 0.44)],
    lower: &[-4.9, -5.3, -1.8],
    upper: &[4.2, 4.7, 1.3],
    start: &[1.937, 3.077, 0.3251],
};
