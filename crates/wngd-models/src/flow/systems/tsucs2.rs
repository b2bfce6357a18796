//! The unified chaotic system of three scrolls.
//!
//! # References
//! Pan, Zhou and Li 2013; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, Some(2), [1, 0, 1]),
    term(1, 1.0, Some(4), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, 1.0, Some(1), [0, 0, 1]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, Some(3), [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "tsucs2",
    field: || Arc::new(Terms { name: "tsucs2", parameters: &["a", "c", "d", "r", "f"], terms: TERMS }),
    theta: &[40.0, 0.833, 0.5, 0.65, 20.0],
    lower: &[-80.0, -78.0, -15.0],
    upper: &[80.0, 78.0, 82.0],
    start: &[2.79, 3.191, 25.5],
    equations: &["x' = a*y - a*x + d*x*z", "y' = f*y - x*z", "z' = c*z + x*y - r*x^2"],
};
