//! Sprott's case I.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, 1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [0, 2, 0]),
    term(2, -1.0, None, [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-i",
    field: || Arc::new(Terms { name: "sprott-i", parameters: &["a"], terms: TERMS }),
    theta: &[0.2],
    lower: &[-0.57, -1.3, -0.38],
    upper: &[0.17, 0.88, 0.63],
    start: &[0.07964, 0.2648, 0.1313],
    equations: &["x' = -a*y", "y' = x + z", "z' = x + y^2 - z"],
};
