//! Sprott's case Q.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [0, 0, 1]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, 1.0, Some(0), [1, 0, 0]),
    term(2, 1.0, None, [0, 2, 0]),
    term(2, 1.0, Some(1), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-q",
    field: || Arc::new(Terms { name: "sprott-q", parameters: &["a", "b"], terms: TERMS }),
    theta: &[3.1, 0.5],
    lower: &[-7.5, -4.6, -6.9],
    upper: &[4.3, 2.1, 11.0],
    start: &[-2.311, -2.547, -1.131],
    equations: &["x' = -z", "y' = x - y", "z' = a*x + y^2 + b*z"],
};
