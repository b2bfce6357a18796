//! Coullet's system.
//!
//! # References
//! Arneodo, Coullet and Tresser 1980, Physics Letters A 79, 259; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, -1.0, Some(0), [1, 0, 0]),
    term(2, -1.0, Some(1), [0, 1, 0]),
    term(2, -1.0, Some(2), [0, 0, 1]),
    term(2, 1.0, Some(3), [3, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "coullet",
    field: || Arc::new(Terms { name: "coullet", parameters: &["a", "b", "c", "d"], terms: TERMS }),
    theta: &[-0.8, 1.1, 0.45, -1.0],
    lower: &[-1.6, -1.4, -1.4],
    upper: &[1.6, 1.4, 1.5],
    start: &[0.963, -0.4035, -0.4491],
    equations: &["x' = y", "y' = z", "z' = -a*x - b*y - c*z + d*x^3"],
};
