//! Blasius', Huppert's and Stone's chain of food.
//!
//! # References
//! Blasius, Huppert and Stone 1999, Nature 399, 354; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "blasius",
    equations: &["x' = a*x - alpha1*x*y/(1 + k1*x)", "y' = -b*y + alpha1*x*y/(1 + k1*x) - alpha2*y*z", "z' = -c*(z - zs) + alpha2*y*z"],
    parameters: &[("a", 1.0), ("alpha1", 0.2), ("alpha2", 1.0), ("b", 1.0), ("c", 10.0), ("k1", 0.05), ("zs", 0.006)],
    lower: &[2.7, 2.5, 0.0],
    upper: &[16.0, 15.0, 1.4],
    start: &[4.378, 5.883, 0.05103],
};
