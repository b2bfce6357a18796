//! Sprott's case L.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(0, 1.0, Some(0), [0, 0, 1]),
    term(1, 1.0, Some(1), [2, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, None, [0, 0, 0]),
    term(2, -1.0, None, [1, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-l",
    field: || Arc::new(Terms { name: "sprott-l", parameters: &["a", "b"], terms: TERMS }),
    theta: &[3.9, 0.9],
    lower: &[-11.0, 5.8, -13.0],
    upper: &[8.6, 40.0, 0.67],
    start: &[6.011, 15.94, -3.485],
    equations: &["x' = y + a*z", "y' = b*x^2 - y", "z' = 1 - x"],
};
