//! Nosé and Hoover's oscillator.
//!
//! # References
//! Hoover 1985, doi:10.1103/PhysRevA.31.1695; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 1, 1]),
    term(2, 1.0, Some(0), [0, 0, 0]),
    term(2, -1.0, None, [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "nose-hoover",
    field: || Arc::new(Terms { name: "nose-hoover", parameters: &["a"], terms: TERMS }),
    theta: &[1.5],
    lower: &[-3.5, -4.6, -3.9],
    upper: &[1.5, 4.6, 4.0],
    start: &[0.65, 1.316, -2.233],
    equations: &["x' = y", "y' = -x + y*z", "z' = a - y^2"],
};
