//! Lorenz' model of the atmosphere of 1984.
//!
//! # References
//! Lorenz 1984, doi:10.1111/j.1600-0870.1984.tb00230.x; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, -1.0, None, [0, 2, 0]),
    term(0, -1.0, None, [0, 0, 2]),
    term(0, 1.0, Some(2), [0, 0, 0]),
    term(1, -1.0, None, [0, 1, 0]),
    term(1, 1.0, None, [1, 1, 0]),
    term(1, -1.0, Some(1), [1, 0, 1]),
    term(1, 1.0, Some(3), [0, 0, 0]),
    term(2, -1.0, None, [0, 0, 1]),
    term(2, 1.0, Some(1), [1, 1, 0]),
    term(2, 1.0, None, [1, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "lorenz84",
    field: || Arc::new(Terms { name: "lorenz84", parameters: &["a", "b", "f", "g"], terms: TERMS }),
    theta: &[1.32, 7.91, 6.3756, 4.194],
    lower: &[-1.1, -3.0, -3.0],
    upper: &[2.6, 3.5, 3.8],
    start: &[0.7298, 2.053, 2.465],
    equations: &["x' = -a*x - y^2 - z^2 + f", "y' = -y + x*y - b*x*z + g", "z' = -z + b*x*y + x*z"],
};
