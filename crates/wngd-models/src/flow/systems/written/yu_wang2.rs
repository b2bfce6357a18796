//! Yu and Wang's system with a hyperbolic cosine.
//!
//! # References
//! Yu and Wang 2012, Engineering, Technology & Applied Science Research 2, 209; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "yu-wang2",
    equations: &["x' = a*(y - x)", "y' = b*x - c*x*z", "z' = 0.5*(exp(x*y) + exp(-x*y)) - d*z"],
    parameters: &[("a", 10.0), ("b", 30.0), ("c", 2.0), ("d", 2.5)],
    lower: &[-2.8, -4.5, 3.2],
    upper: &[2.8, 4.5, 35.0],
    start: &[-1.203, -2.293, 5.922],
};
