//! Li's system of three scrolls.
//!
//! # References
//! Li 2008, Physics Letters A 372, 387; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, Some(2), [1, 0, 1]),
    term(1, 1.0, Some(5), [1, 0, 0]),
    term(1, 1.0, Some(4), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, 1.0, Some(1), [0, 0, 1]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, Some(3), [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "dequan-li",
    field: || Arc::new(Terms { name: "dequan-li", parameters: &["a", "c", "d", "r", "f", "k"], terms: TERMS }),
    theta: &[40.0, 1.833, 0.16, 0.65, 20.0, 55.0],
    lower: &[-160.0, -210.0, -56.0],
    upper: &[160.0, 210.0, 260.0],
    start: &[-8.485, -19.26, 146.6],
    equations: &["x' = a*y - a*x + d*x*z", "y' = k*x + f*y - x*z", "z' = c*z + x*y - r*x^2"],
};
