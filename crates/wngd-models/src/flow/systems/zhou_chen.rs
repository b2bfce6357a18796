//! Zhou and Chen's system of three layers.
//!
//! # References
//! Zhou and Chen 2004, Int. J. Bifurcation and Chaos; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, Some(1), [0, 1, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(2), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(1, 1.0, None, [0, 1, 1]),
    term(2, -1.0, Some(3), [0, 0, 1]),
    term(2, -1.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "zhou-chen",
    field: || Arc::new(Terms { name: "zhou-chen", parameters: &["a", "b", "c", "e"], terms: TERMS }),
    theta: &[2.97, 0.15, 3.0, 8.78],
    lower: &[-34.0, -76.0, -31.0],
    upper: &[37.0, 82.0, 31.0],
    start: &[-1.563, -2.755, -0.4123],
    equations: &["x' = a*x + b*y + y*z", "y' = -c*y - x*z + y*z", "z' = -e*z - x*y"],
};
