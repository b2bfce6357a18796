//! Rössler's band.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const ENTRY: Entry = Entry {
    name: "roessler",
    field: || Arc::new(Roessler),
    theta: &[0.2, 0.2, 5.7],
    lower: &[-12.0, -14.0, -1.0],
    upper: &[14.0, 11.0, 26.0],
    start: &[1.0, 1.0, 0.0],
    equations: &["x' = -y - z", "y' = x + a*y", "z' = b + z*(x - c)"],
};

/// Rössler's band: x' = −y − z, y' = x + ay, z' = b + z(x − c).
///
/// # References
/// Rössler 1976, doi:10.1016/0375-9601(76)90101-8.
#[derive(Debug, Clone, Copy, Default)]
pub struct Roessler;

impl VelocityField for Roessler {
    fn name(&self) -> &str {
        "roessler"
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
        out[0] = -x[1] - x[2];
        out[1] = x[0] + theta[0] * x[1];
        out[2] = theta[1] + x[2] * (x[0] - theta[2]);
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, -1.0, -1.0, 1.0, theta[0], 0.0, x[2], 0.0, x[0] - theta[2]]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, 0.0, 0.0, x[1], 0.0, 0.0, 0.0, 1.0, -x[2]]);
    }
}
