//! Pehlivan and Wei's system.
//!
//! # References
//! Pehlivan and Wei 2012; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(0, -1.0, None, [0, 1, 1]),
    term(1, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(0), [1, 0, 0]),
    term(2, 1.0, Some(1), [0, 0, 0]),
    term(2, -1.0, None, [1, 1, 0]),
    term(2, -1.0, None, [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "pehlivan-wei",
    field: || Arc::new(Terms { name: "pehlivan-wei", parameters: &["a", "b"], terms: TERMS }),
    theta: &[2.0, 2.0],
    lower: &[-5.8, -6.5, -7.7],
    upper: &[5.8, 6.5, 2.8],
    start: &[0.9645, 0.9575, -0.522],
    equations: &["x' = y - y*z", "y' = y + y*z - a*x", "z' = b - x*y - y^2"],
};
