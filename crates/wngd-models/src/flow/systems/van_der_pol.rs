//! Van der Pol's oscillator.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const ENTRY: Entry = Entry {
    name: "van-der-pol",
    field: || Arc::new(VanDerPol),
    theta: &[1.0],
    lower: &[-3.0, -4.0],
    upper: &[3.0, 4.0],
    start: &[2.0, 0.0],
    equations: &["x' = y", "y' = mu*(1 - x^2)*y - x"],
};

/// Van der Pol's oscillator: x' = y, y' = μ(1 − x²)y − x.
#[derive(Debug, Clone, Copy, Default)]
pub struct VanDerPol;

impl VelocityField for VanDerPol {
    fn name(&self) -> &str {
        "van-der-pol"
    }
    fn dim(&self) -> usize {
        2
    }
    fn dim_param(&self) -> usize {
        1
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["mu"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = x[1];
        out[1] = theta[0] * (1.0 - x[0] * x[0]) * x[1] - x[0];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let mu = theta[0];
        out.copy_from_slice(&[0.0, 1.0, -2.0 * mu * x[0] * x[1] - 1.0, mu * (1.0 - x[0] * x[0])]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, (1.0 - x[0] * x[0]) * x[1]]);
    }
}
