//! Thomas' cyclically symmetric system.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const ENTRY: Entry = Entry {
    name: "thomas",
    field: || Arc::new(Thomas),
    theta: &[0.208186],
    lower: &[-6.0; 3],
    upper: &[6.0; 3],
    start: &[1.1, 1.1, -0.01],
    equations: &["x' = sin(y) - b*x", "y' = sin(z) - b*y", "z' = sin(x) - b*z"],
};

/// Thomas' cyclically symmetric system: x' = sin y − bx, y' = sin z − by, z' = sin x − bz.
///
/// # References
/// Thomas 1999, doi:10.1142/S0218127499001383.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thomas;

impl VelocityField for Thomas {
    fn name(&self) -> &str {
        "thomas"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        1
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["b"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        for i in 0..3 {
            out[i] = x[(i + 1) % 3].sin() - theta[0] * x[i];
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for i in 0..3 {
            out[3 * i + (i + 1) % 3] = x[(i + 1) % 3].cos();
            out[3 * i + i] = -theta[0];
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        for i in 0..3 {
            out[i] = -x[i];
        }
    }
}
