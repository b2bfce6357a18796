//! Rikitake's dynamo.
//!
//! # References
//! Rikitake 1958; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(0), [0, 1, 0]),
    term(1, -1.0, Some(1), [1, 0, 0]),
    term(1, 1.0, None, [1, 0, 1]),
    term(2, 1.0, None, [0, 0, 0]),
    term(2, -1.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "rikitake",
    field: || Arc::new(Terms { name: "rikitake", parameters: &["mu", "a"], terms: TERMS }),
    theta: &[1.0, 1.0],
    lower: &[-5.5, -4.6, -2.7],
    upper: &[4.3, 3.5, 6.1],
    start: &[0.3247, -0.3397, 1.259],
    equations: &["x' = -mu*x + y*z", "y' = -mu*y - a*x + x*z", "z' = 1 - x*y"],
};
