//! Sprott's case S.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [1, 0, 0]),
    term(0, -1.0, Some(0), [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 0, 2]),
    term(2, 1.0, None, [0, 0, 0]),
    term(2, 1.0, None, [1, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-s",
    field: || Arc::new(Terms { name: "sprott-s", parameters: &["a"], terms: TERMS }),
    theta: &[4.0],
    lower: &[-5.0, -1.3, -1.7],
    upper: &[1.8, 2.6, 2.3],
    start: &[-3.603, 0.8431, 0.5232],
    equations: &["x' = -x - a*y", "y' = x + z^2", "z' = 1 + x"],
};
