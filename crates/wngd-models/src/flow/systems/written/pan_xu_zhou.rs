//! Pan's, Xu's and Zhou's system.
//!
//! At these values chaos is a transient: every trajectory comes to rest.
//!
//! # References
//! Zhou, Xu, Lu and Pan 2008, Physics Letters A 372, 5773; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "pan-xu-zhou",
    equations: &["x' = a*(y - x)", "y' = k*x - x*z", "z' = c*z + x*y"],
    parameters: &[("a", 10.0), ("c", -2.6667), ("k", 16.0)],
    lower: &[-17.0, -21.0, 0.0],
    upper: &[17.0, 21.0, 31.0],
    start: &[1.0, 2.0, 12.0],
};
