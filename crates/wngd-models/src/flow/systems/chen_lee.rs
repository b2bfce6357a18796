//! Chen and Lee's system.
//!
//! # References
//! Chen and Lee 2004, Chaos, Solitons and Fractals; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, -1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(1), [0, 1, 0]),
    term(1, 1.0, None, [1, 0, 1]),
    term(2, -1.0, Some(2), [0, 0, 1]),
    term(2, 1.0, Some(3), [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "chen-lee",
    field: || Arc::new(Terms { name: "chen-lee", parameters: &["a", "b", "c", "d"], terms: TERMS }),
    theta: &[5.0, 10.0, 0.38, 0.333333333333],
    lower: &[-18.0, -15.0, 3.3],
    upper: &[18.0, 15.0, 15.0],
    start: &[0.1318, 0.09725, 6.743],
    equations: &["x' = a*x - y*z", "y' = -b*y + x*z", "z' = -c*z + d*x*y"],
};
