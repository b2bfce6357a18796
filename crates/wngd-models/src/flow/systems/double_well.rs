//! A double well, on a line and in the plane.

use std::sync::Arc;

use super::entry::Entry;
use crate::flow::field::{VelocityField, names};

pub(super) const LINE: Entry = Entry {
    name: "double-well",
    field: || Arc::new(DoubleWell::line()),
    theta: &[1.0, 1.0, 0.0],
    lower: &[-2.5],
    upper: &[2.5],
    start: &[1.0],
    equations: &["x' = linear*x - cubic*x^3 - tilt"],
};

pub(super) const PLANE: Entry = Entry {
    name: "double-well-2d",
    field: || Arc::new(DoubleWell::plane()),
    theta: &[1.0, 1.0, 0.0, 1.0],
    lower: &[-2.5, -2.5],
    upper: &[2.5, 2.5],
    start: &[1.0, 0.0],
    equations: &["x' = linear*x - cubic*x^3 - tilt", "y' = -stiffness*y"],
};

/// Overdamped motion in a double well: v = −∇V, V = b x⁴/4 − a x²/2 + t x, plus c y²/2 in two dimensions.
///
/// With diffusion D its density is exp(−V/D) up to a factor, which makes it a test case. Parameters
/// a (linear), b (cubic), t (tilt) and, in two dimensions, c (stiffness).
#[derive(Debug, Clone, Copy)]
pub struct DoubleWell {
    two: bool,
}

impl DoubleWell {
    /// The well on a line.
    pub fn line() -> Self {
        Self { two: false }
    }

    /// The well in the plane.
    pub fn plane() -> Self {
        Self { two: true }
    }
}

impl VelocityField for DoubleWell {
    fn name(&self) -> &str {
        if self.two { "double-well-2d" } else { "double-well" }
    }
    fn dim(&self) -> usize {
        if self.two { 2 } else { 1 }
    }
    fn dim_param(&self) -> usize {
        if self.two { 4 } else { 3 }
    }
    fn parameter_names(&self) -> Vec<String> {
        let mut all = names(["linear", "cubic", "tilt", "stiffness"]);
        all.truncate(self.dim_param());
        all
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = theta[0] * x[0] - theta[1] * x[0].powi(3) - theta[2];
        if self.two {
            out[1] = -theta[3] * x[1];
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let slope = theta[0] - 3.0 * theta[1] * x[0] * x[0];
        if self.two {
            out.copy_from_slice(&[slope, 0.0, 0.0, -theta[3]]);
        } else {
            out[0] = slope;
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        let row = [x[0], -x[0].powi(3), -1.0];
        out.fill(0.0);
        out[..3].copy_from_slice(&row);
        if self.two {
            out[7] = -x[1];
        }
    }
}
