//! Arena's, Caponetto's, Fortuna's and Porto's cells.
//!
//! # References
//! Arena et al. 1998, Int. J. Bifurcation and Chaos 8, 1527; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "cellular-neural-network",
    equations: &["x' = -x + 0.5*d*(abs(x + 1) - abs(x - 1)) - 0.5*b*(abs(y + 1) - abs(y - 1)) - 0.5*b*(abs(z + 1) - abs(z - 1))", "y' = -y - 0.5*b*(abs(x + 1) - abs(x - 1)) + 0.5*c*(abs(y + 1) - abs(y - 1)) - 0.5*a*(abs(z + 1) - abs(z - 1))", "z' = -z - 0.5*b*(abs(x + 1) - abs(x - 1)) + 0.5*a*(abs(y + 1) - abs(y - 1)) + 0.5*(abs(z + 1) - abs(z - 1))"],
    parameters: &[("a", 4.4), ("b", 3.21), ("c", 1.1), ("d", 1.24)],
    lower: &[-2.1, -1.6, -1.7],
    upper: &[2.1, 1.6, 1.7],
    start: &[-0.3366, -0.2264, 0.2999],
};
