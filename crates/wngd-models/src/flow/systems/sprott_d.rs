//! Sprott's case D.
//!
//! # References
//! Sprott 1994, doi:10.1103/PhysRevE.50.R647; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 0]),
    term(1, 1.0, None, [0, 0, 1]),
    term(2, 1.0, None, [1, 0, 1]),
    term(2, 1.0, Some(0), [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "sprott-d",
    field: || Arc::new(Terms { name: "sprott-d", parameters: &["a"], terms: TERMS }),
    theta: &[3.0],
    lower: &[-5.3, -2.9, -0.13],
    upper: &[0.32, 2.4, 5.1],
    start: &[-0.1168, 0.185, 0.4773],
    equations: &["x' = -y", "y' = x + z", "z' = x*z + a*y^2"],
};
