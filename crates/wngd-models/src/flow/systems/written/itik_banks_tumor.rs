//! Itik and Banks' tumour.
//!
//! # References
//! Itik and Banks 2010, Int. J. Bifurcation and Chaos 20, 71; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "itik-banks-tumor",
    equations: &["x' = x*(1 - x) - a12*x*y - a13*x*z", "y' = r2*y*(1 - y) - a21*x*y", "z' = r3*x*z/(x + k3) - a31*x*z - d3*z"],
    parameters: &[("a12", 1.0), ("a13", 2.5), ("a21", 1.5), ("a31", 0.2), ("d3", 0.5), ("k3", 1.0), ("r2", 0.6), ("r3", 4.5)],
    lower: &[0.0, 0.0, 0.0],
    upper: &[1.1, 1.1, 0.97],
    start: &[0.09109, 0.792, 0.01563],
};
