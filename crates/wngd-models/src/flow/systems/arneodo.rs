//! Arneodo, Coullet and Tresser's system.
//!
//! # References
//! Arneodo, Coullet and Tresser 1980; parameters as in Gilpin 2021, arXiv:2110.05266.

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
    name: "arneodo",
    field: || Arc::new(Terms { name: "arneodo", parameters: &["a", "b", "c", "d"], terms: TERMS }),
    theta: &[-5.5, 4.5, 1.0, -1.0],
    lower: &[-3.9, -5.3, -11.0],
    upper: &[3.9, 5.4, 11.0],
    start: &[2.67, 2.2, -1.291],
    equations: &["x' = y", "y' = z", "z' = -a*x - b*y - c*z + d*x^3"],
};
