//! Yu and Wang's system with an exponential.
//!
//! # References
//! Yu and Wang 2012, Engineering, Technology & Applied Science Research 2, 209; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "yu-wang",
    equations: &["x' = a*(y - x)", "y' = b*x - c*x*z", "z' = exp(x*y) - d*z"],
    parameters: &[("a", 10.0), ("b", 40.0), ("c", 2.0), ("d", 2.5)],
    lower: &[-2.7, -4.8, 1.6],
    upper: &[2.7, 4.8, 51.0],
    start: &[-0.3222, -0.02301, 16.68],
};
