//! Wang and Sun's attractor of four wings.
//!
//! # References
//! Wang, Sun, van Wyk, Qi and van Wyk 2009, Brazilian Journal of Physics 39; parameters as in Gilpin 2021, arXiv:2110.05266.

use std::sync::Arc;

use super::entry::Entry;
use super::terms::{Term, Terms, term};

const TERMS: &[Term] = &[
    term(0, 1.0, Some(0), [1, 0, 0]),
    term(0, 1.0, None, [0, 1, 1]),
    term(1, -1.0, Some(1), [1, 0, 0]),
    term(1, -1.0, Some(2), [0, 1, 0]),
    term(1, -1.0, None, [1, 0, 1]),
    term(2, -1.0, None, [0, 0, 1]),
    term(2, -1.0, None, [1, 1, 0]),
];

pub(super) const ENTRY: Entry = Entry {
    name: "wang-sun",
    field: || Arc::new(Terms { name: "wang-sun", parameters: &["a", "b", "d"], terms: TERMS }),
    theta: &[0.2, 0.01, 0.4],
    lower: &[-2.8, -3.2, -2.0],
    upper: &[3.3, 2.7, 2.7],
    start: &[1.091, -0.9593, 0.7435],
    equations: &["x' = a*x + y*z", "y' = -b*x - d*y - x*z", "z' = -z - x*y"],
};
