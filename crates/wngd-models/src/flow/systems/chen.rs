//! Chen's system.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const ENTRY: Entry = Entry {
    name: "chen",
    field: || Arc::new(Chen),
    theta: &[35.0, 3.0, 28.0],
    lower: &[-30.0, -32.0, 0.0],
    upper: &[30.0, 32.0, 50.0],
    start: &[-3.0, 2.0, 20.0],
    equations: &["x' = a*(y - x)", "y' = (c - a)*x - x*z + c*y", "z' = x*y - b*z"],
};

/// Chen's system: x' = a(y − x), y' = (c − a)x − xz + cy, z' = xy − bz.
///
/// # References
/// Chen and Ueta 1999, doi:10.1142/S0218127499001024.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chen;

impl VelocityField for Chen {
    fn name(&self) -> &str {
        "chen"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["a", "b", "c"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let [a, b, c] = [theta[0], theta[1], theta[2]];
        out[0] = a * (x[1] - x[0]);
        out[1] = (c - a) * x[0] - x[0] * x[2] + c * x[1];
        out[2] = x[0] * x[1] - b * x[2];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let [a, b, c] = [theta[0], theta[1], theta[2]];
        out.copy_from_slice(&[-a, a, 0.0, c - a - x[2], c, -x[0], x[1], x[0], -b]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[x[1] - x[0], 0.0, 0.0, -x[0], 0.0, x[0] + x[1], 0.0, -x[2], 0.0]);
    }
}
