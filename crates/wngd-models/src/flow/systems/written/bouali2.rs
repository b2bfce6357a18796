//! Bouali's economic cycle without a loss of capital.
//!
//! # References
//! Bouali 1999, Int. J. Bifurcation and Chaos 9, 745; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "bouali2",
    equations: &["x' = a*(y0 - y)*x - b*z", "y' = -g*y + g*y*x^2", "z' = -1.5*m*x"],
    parameters: &[("a", 3.0), ("b", 2.2), ("g", 1.0), ("m", -0.0026667), ("y0", 1.0)],
    lower: &[-4.2, 0.0, -0.14],
    upper: &[3.4, 4.1, 0.15],
    start: &[0.9224, 1.348, 0.05538],
};
