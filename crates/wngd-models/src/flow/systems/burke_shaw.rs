//! Burke and Shaw's system.
//!
//! # References
//! Shaw 1981, Zeitschrift für Naturforschung A 36, 80; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(1), [1, 0, 0]),
    term(0, -1.0, Some(1), [0, 1, 0]),
    term(1, 1.0, None, [0, 1, 0]),
    term(1, -1.0, Some(1), [1, 0, 1]),
    term(2, 1.0, Some(1), [1, 1, 0]),
    term(2, 1.0, Some(0), [0, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "burke-shaw",
    field: || Arc::new(Terms { name: "burke-shaw", parameters: &["e", "n"], terms: TERMS }),
    theta: &[13.0, 10.0],
    lower: &[-3.4, -5.4, -5.2],
    upper: &[3.4, 5.6, 4.2],
    start: &[-0.8357, 1.46, 1.534],
    equations: &["x' = -n*x - n*y", "y' = y - n*x*z", "z' = n*x*y + e"],
};
