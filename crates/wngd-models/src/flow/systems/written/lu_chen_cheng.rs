//! Lü's, Chen's and Cheng's system.
//!
//! # References
//! Lü, Chen and Cheng 2004, Int. J. Bifurcation and Chaos 14, 1507; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "lu-chen-cheng",
    equations: &["x' = -a*b/(a + b)*x - y*z + c", "y' = a*y + x*z", "z' = b*z + x*y"],
    parameters: &[("a", -10.0), ("b", -4.0), ("c", 18.1)],
    lower: &[-16.0, -11.0, 0.0],
    upper: &[25.0, 21.0, 25.0],
    start: &[-4.831, 2.872, 10.39],
};
