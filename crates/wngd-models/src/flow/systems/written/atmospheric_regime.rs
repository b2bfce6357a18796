//! Tuwankotta's coupled oscillators of the atmosphere.
//!
//! # References
//! Tuwankotta 2006, Int. J. Non-Linear Mechanics 41, 180; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "atmospheric-regime",
    equations: &["x' = mu1*x + sigma*x*y", "y' = mu2*y + omega*z + alpha*y*z + beta*z^2 - sigma*x^2", "z' = mu2*z - omega*y - alpha*y^2 - beta*y*z"],
    parameters: &[("alpha", -2.0), ("beta", -5.0), ("mu1", 0.05), ("mu2", -0.01), ("omega", 3.0), ("sigma", 1.1)],
    lower: &[0.0, -0.63, -0.65],
    upper: &[0.76, 0.63, 0.87],
    start: &[0.001205, 0.08802, 0.5573],
};
