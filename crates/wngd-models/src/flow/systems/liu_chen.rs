//! Liu and Chen's system.
//!
//! # References
//! Liu and Chen 2004, Int. J. Bifurcation and Chaos, 1395; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(1), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, -1.0, Some(2), [0, 0, 1]),
    term(2, -1.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "liu-chen",
    field: || Arc::new(Terms { name: "liu-chen", parameters: &["a", "b", "c"], terms: TERMS }),
    theta: &[0.4, 12.0, 5.0],
    lower: &[-40.0, -28.0, -32.0],
    upper: &[40.0, 27.0, 2.4],
    start: &[-2.167, -3.63e-06, -1.33e-05],
    equations: &["x' = a*x + y*z", "y' = -b*y - x*z", "z' = -c*z - x*y"],
};
