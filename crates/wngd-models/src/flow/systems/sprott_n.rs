//! Sprott's case N.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 0, 2]),
    term(2, 1.0, None, [0, 0, 0]),
    term(2, 1.0, None, [0, 1, 0]),
    term(2, -2.0, None, [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-n",
    field: || Arc::new(Terms { name: "sprott-n", parameters: &["a"], terms: TERMS }),
    theta: &[2.0],
    lower: &[-31.0, -18.0, -5.7],
    upper: &[8.8, 9.9, 5.0],
    start: &[4.071, 3.241, 0.6993],
    equations: &["x' = -a*y", "y' = x + z^2", "z' = 1 + y - 2*z"],
};
