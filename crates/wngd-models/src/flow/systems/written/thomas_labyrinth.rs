//! Thomas' labyrinth.
//!
//! # References
//! Thomas 1999, doi:10.1142/S0218127499001383; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "thomas-labyrinth",
    equations: &["x' = -a*x + b*sin(y)", "y' = -a*y + b*sin(z)", "z' = -a*z + b*sin(x)"],
    parameters: &[("a", 0.5), ("b", 10.0)],
    lower: &[-13.0, -14.0, -14.0],
    upper: &[15.0, 15.0, 12.0],
    start: &[-1.304, 0.01783, -7.042],
};
