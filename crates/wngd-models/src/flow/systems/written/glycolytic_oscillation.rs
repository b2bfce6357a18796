//! Decroly and Goldbeter's glycolysis by two enzymes.
//!
//! # References
//! Decroly and Goldbeter 1982, PNAS 79, 6917; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "glycolytic-oscillation",
    equations: &["a' = nu - s1*a*(1 + a)*(1 + b)^2/(l1 + (1 + a)^2*(1 + b)^2)", "b' = q1*s1*a*(1 + a)*(1 + b)^2/(l1 + (1 + a)^2*(1 + b)^2) - s2*b*(1 + c)^2/(l2 + (1 + c)^2)", "c' = q2*s2*b*(1 + c)^2/(l2 + (1 + c)^2) - k*c"],
    parameters: &[("nu", 1.0), ("s1", 22.2222), ("l1", 500000000.0), ("q1", 50.0), ("s2", 22.2222), ("l2", 100.0), ("q2", 0.02), ("k", 4.422)],
    lower: &[26.0, 26.0, 0.0],
    upper: &[51.0, 370.0, 2.1],
    start: &[28.59, 159.1, 0.2517],
};
