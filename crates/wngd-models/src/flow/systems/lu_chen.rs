//! Lü and Chen's system.
//!
//! # References
//! Lü and Chen 2002, Int. J. Bifurcation and Chaos, 659; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(1, 1.0, Some(2), [0, 1, 0]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, Some(1), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "lu-chen",
    field: || Arc::new(Terms { name: "lu-chen", parameters: &["a", "b", "c"], terms: TERMS }),
    theta: &[36.0, 3.0, 18.0],
    lower: &[-20.0, -21.0, 6.1],
    upper: &[20.0, 21.0, 32.0],
    start: &[3.66, 3.869, 16.58],
    equations: &["x' = a*y - a*x", "y' = -x*z + c*y", "z' = x*y - b*z"],
};
