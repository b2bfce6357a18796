//! Rucklidge's model of double convection.
//!
//! # References
//! Rucklidge 1992; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, -1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, Some(1), [0, 1, 0]),
    term(0, -1.0, None, [0, 1, 1]),
    term(1, 1.0, None, [1, 0, 0]),
    term(2, -1.0, None, [0, 0, 1]),
    term(2, 1.0, None, [0, 2, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "rucklidge",
    field: || Arc::new(Terms { name: "rucklidge", parameters: &["kappa", "lambda"], terms: TERMS }),
    theta: &[2.0, 6.7],
    lower: &[-12.0, -6.5, -0.96],
    upper: &[12.0, 6.4, 17.0],
    start: &[1.086, 0.7839, 1.551],
    equations: &["x' = -kappa*x + lambda*y - y*z", "y' = x", "z' = -z + y^2"],
};
