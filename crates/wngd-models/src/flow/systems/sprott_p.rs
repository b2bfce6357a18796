//! Sprott's case P.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, 1.0, None, [0, 0, 1]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 2, 0]),
    term(2, 1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [0, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-p",
    field: || Arc::new(Terms { name: "sprott-p", parameters: &["a"], terms: TERMS }),
    theta: &[2.7],
    lower: &[-0.81, -1.4, -0.6],
    upper: &[2.2, 0.8, 2.6],
    start: &[0.6247, 0.5983, 0.139],
    equations: &["x' = a*y + z", "y' = -x + y^2", "z' = x + y"],
};
