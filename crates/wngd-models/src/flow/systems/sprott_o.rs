//! Sprott's case O.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, None, [0, 0, 1]),
    term(2, 1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [1, 0, 1]),
    term(2, 1.0, Some(0), [0, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-o",
    field: || Arc::new(Terms { name: "sprott-o", parameters: &["a"], terms: TERMS }),
    theta: &[2.7],
    lower: &[-0.92, -0.79, -1.8],
    upper: &[0.3, 0.56, 1.2],
    start: &[-0.212, 0.378, -0.3907],
    equations: &["x' = y", "y' = x - z", "z' = x + x*z + a*y"],
};
