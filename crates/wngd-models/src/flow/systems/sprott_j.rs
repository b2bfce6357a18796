//! Sprott's case J.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 0, 1]),
    term(1, -2.0, None, [0, 1, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, -1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [0, 1, 0]),
    term(2, 1.0, None, [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-j",
    field: || Arc::new(Terms { name: "sprott-j", parameters: &["a"], terms: TERMS }),
    theta: &[2.0],
    lower: &[-9.1, -6.2, -18.0],
    upper: &[30.0, 4.5, 9.9],
    start: &[1.825, 0.9419, 2.842],
    equations: &["x' = a*z", "y' = -2*y + z", "z' = -x + y + y^2"],
};
