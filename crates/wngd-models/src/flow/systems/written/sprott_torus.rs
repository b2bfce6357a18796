//! Sprott's torus beside an attractor.
//!
//! # References
//! Sprott 2014, Physics Letters A 378, 1361; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "sprott-torus",
    equations: &["x' = y + a*x*y + x*z", "y' = 1 - b*x^2 + y*z", "z' = x - x^2 - y^2"],
    parameters: &[("a", 2.0), ("b", 2.0)],
    lower: &[-0.96, -2.4, -2.3],
    upper: &[2.8, 2.1, 2.5],
    start: &[0.6122, -0.2898, 0.9933],
};
