//! Shimizu and Morioka's system.
//!
//! # References
//! Shimizu and Morioka 1980, Physics Letters A 76, 201; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, -1.0, Some(0), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, -1.0, Some(1), [0, 0, 1]),
    term(2, 1.0, None, [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "shimizu-morioka",
    field: || Arc::new(Terms { name: "shimizu-morioka", parameters: &["a", "b"], terms: TERMS }),
    theta: &[0.85, 0.5],
    lower: &[-1.6, -0.94, -0.14],
    upper: &[1.6, 0.95, 2.3],
    start: &[-0.9918, 0.6563, 2.032],
    equations: &["x' = y", "y' = x - a*y - x*z", "z' = -b*z + x^2"],
};
