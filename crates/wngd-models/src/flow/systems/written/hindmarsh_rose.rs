//! Hindmarsh and Rose's neuron.
//!
//! # References
//! Marhl and Perc 2006, Chaos, Solitons & Fractals 28, 822; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "hindmarsh-rose",
    equations: &["x' = -x + (y - a*x^3 + b*x^2 + z)/tx", "y' = -a*x^3 - (d - b)*x^2 + z", "z' = (c - s*x - z)/tz"],
    parameters: &[("a", 0.49), ("b", 1.0), ("c", 0.0322), ("d", 1.0), ("s", 1.0), ("tx", 0.03), ("tz", 0.8)],
    lower: &[-1.1, -0.54, -0.52],
    upper: &[1.9, 0.045, 0.33],
    start: &[-0.254, -0.04964, -0.01502],
};
