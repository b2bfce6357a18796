//! Strizhak and Kawczynski's chemical oscillator.
//!
//! # References
//! Strizhak and Kawczynski 1995, J. Physical Chemistry 99, 10830; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "kawczynski-strizhak",
    equations: &["x' = gamma*(y - x^3 + 3*mu*x)", "y' = -2*mu*x - y - z + beta", "z' = kappa*(x - z)"],
    parameters: &[("beta", -0.4), ("gamma", 0.49), ("kappa", 0.2), ("mu", 2.1)],
    lower: &[-2.8, -8.3, -1.4],
    upper: &[2.8, 8.2, 0.68],
    start: &[-1.148, 5.781, -1.195],
};
