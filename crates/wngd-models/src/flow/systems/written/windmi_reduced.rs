//! Horton's, Weigel's and Sprott's substorms.
//!
//! The pressure drives v in proportion, as in the collection; with the square root of the article a trajectory at these
//! values is lost.
//!
//! # References
//! Horton, Weigel and Sprott 2001, Physics of Plasmas 8, 2946; parameters as in Gilpin 2021, arXiv:2110.05266.

use super::entry::Written;

pub(super) const SYSTEM: Written = Written {
    name: "windmi-reduced",
    equations: &["i' = a1*(vsw - v)", "v' = b1*i - 0.5*b2*p - b3*v", "p' = vsw^2 - 0.5*p^1.25*sqrt(vsw)*(1 + tanh(d1*(i - 1)))"],
    parameters: &[("a1", 0.247), ("b1", 10.8), ("b2", 0.0752), ("b3", 1.06), ("d1", 2200.0), ("vsw", 5.0)],
    lower: &[0.46, 3.6, 18.0],
    upper: &[1.1, 7.1, 180.0],
    start: &[0.9334, 6.268, 41.97],
};
