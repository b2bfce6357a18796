//! Qi and Chen's system.
//!
//! # References
//! Qi et al. 2008, Chaos, Solitons and Fractals; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, 1.0, Some(2), [1, 0, 0]),
    term(1, 1.0, None, [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, Some(1), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "qi-chen",
    field: || Arc::new(Terms { name: "qi-chen", parameters: &["a", "b", "c"], terms: TERMS }),
    theta: &[38.0, 2.666, 80.0],
    lower: &[-86.0, -38.0, 43.0],
    upper: &[96.0, 44.0, 130.0],
    start: &[49.44, 22.62, 82.63],
    equations: &["x' = a*y - a*x + y*z", "y' = c*x + y - x*z", "z' = x*y - b*z"],
};
