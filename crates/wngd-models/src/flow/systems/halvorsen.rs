//! Halvorsen's cyclically symmetric system.
//!
//! # References
//! Sprott 2010, Elegant Chaos, World Scientific, ISBN 978-981-283-881-0; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, -1.0, Some(1), [0, 1, 0]),
    term(0, -1.0, Some(1), [0, 0, 1]),
    term(0, -1.0, None, [0, 2, 0]),
    term(1, -1.0, Some(0), [0, 1, 0]),
    term(1, -1.0, Some(1), [0, 0, 1]),
    term(1, -1.0, Some(1), [1, 0, 0]),
    term(1, -1.0, None, [0, 0, 2]),
    term(2, -1.0, Some(0), [0, 0, 1]),
    term(2, -1.0, Some(1), [1, 0, 0]),
    term(2, -1.0, Some(1), [0, 1, 0]),
    term(2, -1.0, None, [2, 0, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "halvorsen",
    field: || Arc::new(Terms { name: "halvorsen", parameters: &["a", "b"], terms: TERMS }),
    theta: &[1.4, 4.0],
    lower: &[-15.0, -15.0, -15.0],
    upper: &[8.0, 8.0, 8.0],
    start: &[-8.181, -5.59, 3.525],
    equations: &["x' = -a*x - b*y - b*z - y^2", "y' = -a*y - b*z - b*x - z^2", "z' = -a*z - b*x - b*y - x^2"],
};
