//! San-Um and Srisuchinwong's system.
//!
//! # References
//! San-Um and Srisuchinwong 2012, J. Computers 7; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "san-um-srisuchinwong",
    equations: &["x' = y - x", "y' = -z*tanh(x)", "z' = -a + x*y + abs(y)"],
    parameters: &[("a", 2.0)],
    lower: &[-3.5, -5.3, -7.2],
    upper: &[3.4, 5.0, 9.1],
    start: &[-0.7953, -1.285, -1.399],
};
