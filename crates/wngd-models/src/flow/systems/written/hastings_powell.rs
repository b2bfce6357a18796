//! Hastings and Powell's chain of food.
//!
//! # References
//! Hastings and Powell 1991, Ecology 72, 896; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "hastings-powell",
    equations: &["x' = x*(1 - x) - a1*x*y/(1 + b1*x)", "y' = a1*x*y/(1 + b1*x) - a2*y*z/(1 + b2*y) - d1*y", "z' = a2*y*z/(1 + b2*y) - d2*z"],
    parameters: &[("a1", 5.0), ("a2", 0.1), ("b1", 3.0), ("b2", 2.0), ("d1", 0.4), ("d2", 0.01)],
    lower: &[0.068, 0.0, 7.1],
    upper: &[1.1, 0.48, 11.0],
    start: &[0.6828, 0.09973, 8.531],
};
