//! Genesio and Tesi's system.
//!
//! # References
//! Genesio and Tesi 1992; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, -1.0, Some(2), [1, 0, 0]),
    term(2, -1.0, Some(1), [0, 1, 0]),
    term(2, -1.0, Some(0), [0, 0, 1]),
    term(2, 1.0, None, [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "genesio-tesi",
    field: || Arc::new(Terms { name: "genesio-tesi", parameters: &["a", "b", "c"], terms: TERMS }),
    theta: &[0.44, 1.1, 1.0],
    lower: &[-0.63, -0.74, -0.9],
    upper: &[1.4, 1.1, 1.1],
    start: &[0.6012, -0.3487, 0.09561],
    equations: &["x' = y", "y' = z", "z' = -c*x - b*y - a*z + x^2"],
};
