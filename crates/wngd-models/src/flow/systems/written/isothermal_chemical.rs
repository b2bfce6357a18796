//! Petrov's, Scott's and Showalter's isothermal reaction.
//!
//! # References
//! Petrov, Scott and Showalter 1992, J. Chemical Physics 97, 6191; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "isothermal-chemical",
    equations: &["x' = mu*(kappa + z) - x*y^2 - x", "y' = (x*y^2 + x - y)/sigma", "z' = (y - z)/delta"],
    parameters: &[("delta", 1.0), ("kappa", 2.5), ("mu", 0.29786), ("sigma", 0.013)],
    lower: &[0.27, 0.17, 0.97],
    upper: &[0.54, 2.9, 1.3],
    start: &[0.5051, 1.23, 1.008],
};
