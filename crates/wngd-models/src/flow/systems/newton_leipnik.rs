//! Newton and Leipnik's system.
//!
//! # References
//! Leipnik and Newton 1981, Physics Letters A 86, 63; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 0]),
    term(0, 10.0, None, [0, 1, 1]),
    term(1, -1.0, None, [1, 0, 0]),
    term(1, -0.4, None, [0, 1, 0]),
    term(1, 5.0, None, [1, 0, 1]),
    term(2, 1.0, Some(1), [0, 0, 1]),
    term(2, -5.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "newton-leipnik",
    field: || Arc::new(Terms { name: "newton-leipnik", parameters: &["a", "b"], terms: TERMS }),
    theta: &[0.4, 0.175],
    lower: &[-0.94, -0.38, -0.15],
    upper: &[0.95, 0.38, 0.57],
    start: &[-0.02307, 0.03192, 0.2517],
    equations: &["x' = -a*x + y + 10*y*z", "y' = -x - 0.4*y + 5*x*z", "z' = b*z - 5*x*y"],
};
