//! Sprott's case B.
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
    term(2, -1.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-b",
    field: || Arc::new(Terms { name: "sprott-b", parameters: &["a"], terms: TERMS }),
    theta: &[1.0],
    lower: &[-6.1, -3.6, -5.6],
    upper: &[5.7, 3.5, 5.1],
    start: &[0.5564, -0.1861, -0.8606],
    equations: &["x' = y*z", "y' = x - y", "z' = a - x*y"],
};
