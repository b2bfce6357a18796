//! Gilpin and Feldman's prey that evolves.
//!
//! The rate of evolution is a number: k1, k2 and k4 have it as a factor. The collection's delta is 1.
//!
//! # References
//! Gilpin and Feldman 2017, PLOS Computational Biology 13, e1005644; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "coevolving-predator-prey",
    equations: &["x' = x*(a1*u/(1 + b1*u) - a3*y/(1 + b2*x) - d1)", "y' = y*(a2*x/(1 + b2*x) - d2)", "u' = 0.33333*(-a1*k1*x*u/(1 + b1*u) - d1*(4*k4*u^3 - 2*k2*u))"],
    parameters: &[("a1", 2.5), ("a2", 0.05), ("a3", 0.4), ("b1", 6.0), ("b2", 1.333), ("d1", 0.16), ("d2", 0.004), ("k1", 6.0), ("k2", 9.0), ("k4", 9.0)],
    lower: &[0.0, 0.19, 0.0],
    upper: &[0.67, 0.78, 0.78],
    start: &[0.0001175, 0.5152, 0.707],
};
