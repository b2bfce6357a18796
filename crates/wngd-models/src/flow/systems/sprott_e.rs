//! Sprott's case E.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 1]),
    term(1, 1.0, None, [2, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, None, [0, 0, 0]),
    term(2, -1.0, Some(0), [1, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-e",
    field: || Arc::new(Terms { name: "sprott-e", parameters: &["a"], terms: TERMS }),
    theta: &[4.0],
    lower: &[-1.8, -0.18, -3.3],
    upper: &[2.6, 2.6, 6.4],
    start: &[0.1575, 0.4804, 2.707],
    equations: &["x' = y*z", "y' = x^2 - y", "z' = 1 - a*x"],
};
