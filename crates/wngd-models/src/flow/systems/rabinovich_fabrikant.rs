//! Rabinovich and Fabrikant's system.
//!
//! # References
//! Rabinovich and Fabrikant 1979, Sov. Phys. JETP 50, 311; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 1]),
    term(0, -1.0, None, [0, 1, 0]),
    term(0, 1.0, None, [2, 1, 0]),
    term(0, 1.0, Some(1), [1, 0, 0]),
    term(1, 3.0, None, [1, 0, 1]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, None, [3, 0, 0]),
    term(1, 1.0, Some(1), [0, 1, 0]),
    term(2, -1.0, Some(0), [0, 0, 1]),
    term(2, -2.0, None, [1, 1, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "rabinovich-fabrikant",
    field: || Arc::new(Terms { name: "rabinovich-fabrikant", parameters: &["a", "g"], terms: TERMS }),
    theta: &[2.2, 0.87],
    lower: &[-2.0, -0.47, -0.015],
    upper: &[-0.25, 2.7, 1.5],
    start: &[-1.025, -0.01988, 0.4816],
    equations: &["x' = y*z - y + x^2*y + g*x", "y' = 3*x*z + x - x^3 + g*y", "z' = -a*z - 2*x*y*z"],
};
