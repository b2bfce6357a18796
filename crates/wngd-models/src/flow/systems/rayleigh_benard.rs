//! Yanagita and Kaneko's model of convection.
//!
//! # References
//! Yanagita and Kaneko 1995, Physica D; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [0, 1, 0]),
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(1, 1.0, Some(2), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, 1.0, None, [1, 1, 0]),
    term(2, -1.0, Some(1), [0, 0, 1]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "rayleigh-benard",
    field: || Arc::new(Terms { name: "rayleigh-benard", parameters: &["a", "b", "r"], terms: TERMS }),
    theta: &[30.0, 5.0, 18.0],
    lower: &[-26.0, -29.0, 0.11],
    upper: &[27.0, 30.0, 40.0],
    start: &[12.78, 9.775, 25.2],
    equations: &["x' = a*y - a*x", "y' = r*y - x*z", "z' = x*y - b*z"],
};
