//! Dadras and Momeni's system.
//!
//! # References
//! Dadras and Momeni 2009; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, Some(1), [0, 1, 1]),
    term(1, 1.0, Some(2), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, 1.0, Some(3), [1, 1, 0]),
    term(2, -1.0, Some(4), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "dadras",
    field: || Arc::new(Terms { name: "dadras", parameters: &["p", "o", "r", "c", "e"], terms: TERMS }),
    theta: &[3.0, 2.7, 1.7, 2.0, 9.0],
    lower: &[-17.0, -11.0, -13.0],
    upper: &[19.0, 8.6, 11.0],
    start: &[0.4543, -0.5656, -0.06905],
    equations: &["x' = y - p*x + o*y*z", "y' = r*y - x*z + z", "z' = c*x*y - e*z"],
};
