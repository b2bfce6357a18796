//! Chua's circuit.
//!
//! # References
//! Matsumoto, Chua and Komuro 1985, IEEE Trans. Circuits and Systems 32, 797; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "chua",
    equations: &["x' = alpha*(y - x - m1*x - 0.5*(m0 - m1)*(abs(x + 1) - abs(x - 1)))", "y' = x - y + z", "z' = -beta*y"],
    parameters: &[("alpha", 15.6), ("beta", 28.0), ("m0", -1.142857), ("m1", -0.71429)],
    lower: &[-2.8, -0.47, -4.4],
    upper: &[2.8, 0.47, 4.4],
    start: &[0.3462, -0.07284, -1.152],
};
