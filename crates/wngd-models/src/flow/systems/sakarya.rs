//! The Sakarya system.
//!
//! # References
//! Li et al. 2015, IEICE Electronics Express 12.4; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, -1.0, None, [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, 1.0, Some(0), [1, 0, 1]),
    term(2, 1.0, None, [0, 0, 1]),
    term(2, -1.0, Some(1), [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sakarya",
    field: || Arc::new(Terms { name: "sakarya", parameters: &["q", "r"], terms: TERMS }),
    theta: &[0.4, 0.3],
    lower: &[-24.0, -13.0, -8.8],
    upper: &[28.0, 14.0, 13.0],
    start: &[-0.5929, 4.304, 4.964],
    equations: &["x' = -x + y + y*z", "y' = -y - x + q*x*z", "z' = z - r*x*y"],
};
