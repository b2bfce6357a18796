//! Lorenz' convection model.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const ENTRY: Entry = Entry {
    name: "lorenz63",
    field: || Arc::new(Lorenz63),
    theta: &[10.0, 28.0, 8.0 / 3.0],
    lower: &[-25.0, -30.0, 0.0],
    upper: &[25.0, 30.0, 50.0],
    start: &[1.0, 1.0, 20.0],
    equations: &["x' = sigma*(y - x)", "y' = x*(rayleigh - z) - y", "z' = x*y - beta*z"],
};

/// Lorenz' convection model: x' = σ(y − x), y' = x(r − z) − y, z' = xy − βz.
///
/// Parameters sigma, rayleigh (Lorenz' own ρ) and beta.
///
/// # References
/// Lorenz 1963, doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lorenz63;

impl VelocityField for Lorenz63 {
    fn name(&self) -> &str {
        "lorenz63"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["sigma", "rayleigh", "beta"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = theta[0] * (x[1] - x[0]);
        out[1] = x[0] * (theta[1] - x[2]) - x[1];
        out[2] = x[0] * x[1] - theta[2] * x[2];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[-theta[0], theta[0], 0.0, theta[1] - x[2], -1.0, -x[0], x[1], x[0], -theta[2]]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[x[1] - x[0], 0.0, 0.0, 0.0, x[0], 0.0, 0.0, 0.0, -x[2]]);
    }
}
