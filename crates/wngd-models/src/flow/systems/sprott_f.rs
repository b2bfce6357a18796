//! Sprott's case F.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(0, 1.0, None, [0, 0, 1]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, 1.0, Some(0), [0, 1, 0]),
    term(2, 1.0, None, [2, 0, 0]),
    term(2, -1.0, None, [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-f",
    field: || Arc::new(Terms { name: "sprott-f", parameters: &["a"], terms: TERMS }),
    theta: &[0.5],
    lower: &[-3.3, -4.5, -0.4],
    upper: &[1.7, 0.98, 5.5],
    start: &[0.5408, -0.07108, 0.1608],
    equations: &["x' = y + z", "y' = -x + a*y", "z' = x^2 - z"],
};
