//! Vallis' model of El Niño.
//!
//! # References
//! Vallis 1988; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(1), [1, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 1]),
    term(2, -1.0, None, [0, 0, 1]),
    term(2, -1.0, None, [1, 1, 0]),
    term(2, 1.0, None, [0, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "vallis",
    field: || Arc::new(Terms { name: "vallis", parameters: &["b", "c"], terms: TERMS }),
    theta: &[102.0, 3.0],
    lower: &[-15.0, -0.85, -0.74],
    upper: &[16.0, 0.91, 0.91],
    start: &[2.251, 0.1744, 0.4615],
    equations: &["x' = b*y - c*x", "y' = -y + x*z", "z' = -z - x*y + 1"],
};
