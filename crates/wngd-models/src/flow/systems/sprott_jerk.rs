//! Sprott's simplest dissipative flow.
//!
//! # References
//! Sprott 1997; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, -1.0, None, [1, 0, 0]),
    term(2, 1.0, None, [0, 2, 0]),
    term(2, -1.0, Some(0), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-jerk",
    field: || Arc::new(Terms { name: "sprott-jerk", parameters: &["mu"], terms: TERMS }),
    theta: &[2.017],
    lower: &[-1.8, -3.6, -3.8],
    upper: &[8.8, 2.6, 1.8],
    start: &[1.177, 1.4, 0.4218],
    equations: &["x' = y", "y' = z", "z' = -x + y^2 - mu*z"],
};
