//! A line that winds n times around a torus of radius r; how thick the torus is follows from the start.
//!
//! # References
//! Strogatz 1994, Nonlinear Dynamics and Chaos; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "torus",
    equations: &["x' = -n*x*z/sqrt(x^2 + y^2) - y", "y' = -n*y*z/sqrt(x^2 + y^2) + x", "z' = n*(sqrt(x^2 + y^2) - r)"],
    parameters: &[("n", 15.3), ("r", 1.0)],
    lower: &[-1.8, -1.8, -0.61],
    upper: &[1.8, 1.8, 0.61],
    start: &[1.5, 0.0, 0.0],
};
