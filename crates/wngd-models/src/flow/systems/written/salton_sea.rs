//! Fish, sick fish and pelicans of the Salton Sea.
//!
//! # References
//! Upadhyay, Bairagi, Kundu and Chattopadhyay 2007, Applied Mathematics and Computation; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "salton-sea",
    equations: &["x' = r*x*(1 - (x + y)/k) - lam*x*y", "y' = lam*x*y - m*y*z/(y + a) - mu*y", "z' = th*y*z/(y + a) - d*z"],
    parameters: &[("a", 15.0), ("d", 8.3), ("k", 400.0), ("lam", 0.06), ("m", 15.5), ("mu", 3.4), ("r", 22.0), ("th", 10.0)],
    lower: &[38.0, 4.1, 26.0],
    upper: &[390.0, 220.0, 74.0],
    start: &[331.5, 27.2, 51.88],
};
