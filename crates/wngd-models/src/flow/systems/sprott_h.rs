//! Sprott's case H.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [0, 1, 0]),
    term(0, 1.0, None, [0, 0, 2]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, 1.0, Some(0), [0, 1, 0]),
    term(2, 1.0, None, [1, 0, 0]),
    term(2, -1.0, None, [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-h",
    field: || Arc::new(Terms { name: "sprott-h", parameters: &["a"], terms: TERMS }),
    theta: &[0.5],
    lower: &[-5.4, -1.4, -3.3],
    upper: &[2.2, 5.7, 1.7],
    start: &[0.05339, -0.7707, -0.4441],
    equations: &["x' = -y + z^2", "y' = x + a*y", "z' = x - z"],
};
