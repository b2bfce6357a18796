//! Aizawa's system.
//!
//! # References
//! Aizawa and Uezu 1982, Progress of Theoretical Physics 67, 982; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, None, [1, 0, 1]),
    term(0, -1.0, Some(1), [1, 0, 0]),
    term(0, -1.0, Some(3), [0, 1, 0]),
    term(1, 1.0, Some(3), [1, 0, 0]),
    term(1, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(1), [0, 1, 0]),
    term(2, 1.0, Some(2), [0, 0, 0]),
    term(2, 1.0, Some(0), [0, 0, 1]),
    term(2, -0.333333333333, None, [0, 0, 3]),
    term(2, -1.0, None, [2, 0, 0]),
    term(2, -1.0, None, [0, 2, 0]),
    term(2, -1.0, Some(4), [2, 0, 1]),
    term(2, -1.0, Some(4), [0, 2, 1]),
    term(2, 1.0, Some(5), [3, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "aizawa",
    field: || Arc::new(Terms { name: "aizawa", parameters: &["a", "b", "c", "d", "e", "f"], terms: TERMS }),
    theta: &[0.95, 0.7, 0.6, 3.5, 0.25, 0.1],
    lower: &[-1.8, -1.7, -0.55],
    upper: &[1.8, 1.8, 2.1],
    start: &[0.3541, 1.203, 0.1317],
    equations: &[
        "x' = x*z - b*x - d*y",
        "y' = d*x + y*z - b*y",
        "z' = c + a*z - 0.3333333333333333*z^3 - x^2 - y^2 - e*x^2*z - e*y^2*z + f*x^3*z",
    ],
};
