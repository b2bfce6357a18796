//! Lorenz' system in a ball of radius r.
//!
//! # References
//! Sprott and Xiong 2015, Chaos 25, 083101; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "lorenz-bounded",
    equations: &["x' = sigma*(y - x)*(1 - (x^2 + y^2 + z^2)/r^2)", "y' = (rho*x - x*z - y)*(1 - (x^2 + y^2 + z^2)/r^2)", "z' = (x*y - beta*z)*(1 - (x^2 + y^2 + z^2)/r^2)"],
    parameters: &[("beta", 2.667), ("r", 64.0), ("rho", 28.0), ("sigma", 10.0)],
    lower: &[-23.0, -31.0, 0.0],
    upper: &[23.0, 31.0, 51.0],
    start: &[7.431, 12.27, 16.27],
};
