//! Chua's circuit of many scrolls.
//!
//! # References
//! Yalçin, Suykens and Vandewalle 2005, Cellular Neural Networks, Multi-Scroll Chaos and Synchronization, World Scientific; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "multi-chua",
    equations: &["x' = a*(y - m5*x - 0.5*(m0 - m1)*(abs(x + c1) - abs(x - c1)) - 0.5*(m1 - m2)*(abs(x + c2) - abs(x - c2)) - 0.5*(m2 - m3)*(abs(x + c3) - abs(x - c3)) - 0.5*(m3 - m4)*(abs(x + c4) - abs(x - c4)) - 0.5*(m4 - m5)*(abs(x + c5) - abs(x - c5)))", "y' = x - y + z", "z' = -b*y"],
    parameters: &[("a", 9.0), ("b", 14.286), ("c1", 1.0), ("c2", 2.15), ("c3", 3.6), ("c4", 8.2), ("c5", 13.0), ("m0", -0.14285714), ("m1", 0.28571429), ("m2", -0.57142857), ("m3", 0.28571429), ("m4", -0.57142857), ("m5", 0.28571429)],
    lower: &[-36.0, -5.8, -49.0],
    upper: &[36.0, 5.8, 49.0],
    start: &[-21.35, 2.206, 32.1],
};
