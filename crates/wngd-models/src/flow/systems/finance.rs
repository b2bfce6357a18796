//! Cai and Huang's model of finance.
//!
//! # References
//! Cai and Huang 2007, International Journal of Nonlinear Science 3; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 0, 1]),
    term(0, 1.0, None, [1, 1, 0]),
    term(1, -1.0, Some(1), [0, 1, 0]),
    term(1, -1.0, None, [2, 0, 0]),
    term(2, -1.0, None, [1, 0, 0]),
    term(2, -1.0, Some(2), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "finance",
    field: || Arc::new(Terms { name: "finance", parameters: &["k", "b", "c"], terms: TERMS }),
    theta: &[4.999, 0.2, 1.1],
    lower: &[-3.1, -6.9, -1.7],
    upper: &[3.2, -1.9, 1.7],
    start: &[1.205, -4.075, -0.6244],
    equations: &["x' = k*x + z + x*y", "y' = -b*y - x^2", "z' = -x - c*z"],
};
