//! Sprott's case M.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [0, 0, 1]),
    term(1, -1.0, None, [2, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, Some(0), [0, 0, 0]),
    term(2, 1.0, Some(0), [1, 0, 0]),
    term(2, 1.0, None, [0, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-m",
    field: || Arc::new(Terms { name: "sprott-m", parameters: &["a"], terms: TERMS }),
    theta: &[1.7],
    lower: &[-2.6, -6.2, -3.9],
    upper: &[3.2, 0.16, 2.7],
    start: &[-1.29, -0.5026, 1.782],
    equations: &["x' = -z", "y' = -x^2 - y", "z' = a + a*x + y"],
};
