//! Sprott's case A.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 1, 1]),
    term(2, 1.0, Some(0), [0, 0, 0]),
    term(2, -1.0, None, [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-a",
    field: || Arc::new(Terms { name: "sprott-a", parameters: &["a"], terms: TERMS }),
    theta: &[1.0],
    lower: &[-2.5, -3.5, -2.6],
    upper: &[2.5, 3.5, 2.6],
    start: &[0.3875, -0.4195, 1.148],
    equations: &["x' = y", "y' = -x + y*z", "z' = a - y^2"],
};
