//! Sprott's case C.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 1]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, Some(0), [0, 0, 0]),
    term(2, -1.0, None, [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-c",
    field: || Arc::new(Terms { name: "sprott-c", parameters: &["a"], terms: TERMS }),
    theta: &[1.0],
    lower: &[-3.8, -2.4, -5.4],
    upper: &[3.8, 2.4, 5.0],
    start: &[-0.5014, -0.8907, -0.2331],
    equations: &["x' = y*z", "y' = x - y", "z' = a - x^2"],
};
