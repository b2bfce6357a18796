//! Sprott's case G.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 0, 1]),
    term(1, 1.0, None, [1, 0, 1]),
    term(1, -1.0, None, [0, 1, 0]),
    term(2, -1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [0, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-g",
    field: || Arc::new(Terms { name: "sprott-g", parameters: &["a"], terms: TERMS }),
    theta: &[0.4],
    lower: &[-3.0, -2.9, -2.4],
    upper: &[1.5, 1.3, 2.5],
    start: &[-1.024, -0.8941, 1.427],
    equations: &["x' = a*x + z", "y' = x*z - y", "z' = -x + y"],
};
