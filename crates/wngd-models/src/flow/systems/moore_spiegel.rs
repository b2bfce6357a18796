//! Moore and Spiegel's thermally excited oscillator.
//!
//! # References
//! Moore and Spiegel 1966, doi:10.1086/148562; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [0, 1, 0]),
    term(1, 1.0, Some(0), [0, 0, 1]),
    term(2, -1.0, None, [0, 0, 1]),
    term(2, 1.0, Some(2), [0, 1, 0]),
    term(2, -1.0, None, [2, 1, 0]),
    term(2, -1.0, Some(1), [1, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "moore-spiegel",
    field: || Arc::new(Terms { name: "moore-spiegel", parameters: &["a", "b", "r"], terms: TERMS }),
    theta: &[10.0, 4.0, 9.0],
    lower: &[-8.1, -64.0, -150.0],
    upper: &[10.0, 67.0, 63.0],
    start: &[-3.864, -4.542, 3.401],
    equations: &["x' = y", "y' = a*z", "z' = -z + r*y - x^2*y - b*x"],
};
