//! Anishchenko and Astakhov's oscillator with inertial nonlinearity.
//!
//! # References
//! Anishchenko et al. 2007, Nonlinear Dynamics of Chaotic and Stochastic Systems, Springer; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "anishchenko-astakhov",
    equations: &["x' = mu*x + y - x*z", "y' = -x", "z' = -eta*z + 0.5*eta*x*(x + abs(x))"],
    parameters: &[("mu", 1.2), ("eta", 0.5)],
    lower: &[-4.9, -2.9, 0.0],
    upper: &[5.2, 8.0, 5.0],
    start: &[2.66, 0.69, 1.365],
};
