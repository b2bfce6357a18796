//! Sprott's system with a switch.
//!
//! # References
//! Sprott 2020, Chaos Theory and Applications 2; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "sprott-more",
    equations: &["x' = y", "y' = -x - z/abs(z)*y", "z' = y^2 - a*exp(-x^2)"],
    parameters: &[("a", 1.0)],
    lower: &[-2.4, -3.4, -3.3],
    upper: &[2.7, 3.0, 3.5],
    start: &[1.474, 0.1693, 0.3872],
};
