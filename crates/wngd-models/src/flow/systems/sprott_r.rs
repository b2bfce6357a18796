//! Sprott's case R.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 0, 0]),
    term(0, -1.0, None, [0, 1, 0]),
    term(1, 1.0, Some(1), [0, 0, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, None, [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-r",
    field: || Arc::new(Terms { name: "sprott-r", parameters: &["a", "b"], terms: TERMS }),
    theta: &[0.9, 0.4],
    lower: &[-7.3, -5.0, -16.0],
    upper: &[4.3, 9.1, 7.1],
    start: &[1.764, 0.00248, -0.0491],
    equations: &["x' = a - y", "y' = b + z", "z' = x*y - z"],
};
