//! Sprott's case K.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [1, 1, 0]),
    term(0, -1.0, None, [0, 0, 1]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, None, [1, 0, 0]),
    term(2, 1.0, Some(0), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-k",
    field: || Arc::new(Terms { name: "sprott-k", parameters: &["a"], terms: TERMS }),
    theta: &[0.3],
    lower: &[-3.5, -2.0, -1.2],
    upper: &[1.9, 1.5, 4.1],
    start: &[0.7759, 0.206, -0.3537],
    equations: &["x' = x*y - z", "y' = x - y", "z' = x + a*z"],
};
