//! Sprott's jerk circuit with a diode.
//!
//! # References
//! Sprott 2011, IEEE Trans. Circuits and Systems II 58, 240; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "jerk-circuit",
    equations: &["x' = y", "y' = z", "z' = -z - x - eps*(exp(y/y0) - 1)"],
    parameters: &[("eps", 1e-9), ("y0", 0.026)],
    lower: &[-2.2, -1.3, -1.6],
    upper: &[1.1, 0.81, 1.8],
    start: &[-0.9011, 0.3551, -0.4721],
};
