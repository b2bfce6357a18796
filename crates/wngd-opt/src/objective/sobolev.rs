use std::sync::Arc;

use wngd_adjoint::State;
use wngd_linalg::dense::{dot, sum};
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LinalgError, NeumannLaplacian};

use super::{Objective, check_state, check_tangents};
use crate::error::ObjectiveError;

/// Ḣ⁻¹: f = ½|c| Σ d u with −Δu = d, d = (ρ − ρ*) less its mean, no flux through the boundary.
///
/// # Cost
/// Two cosine transforms.
#[derive(Debug, Clone)]
pub struct NegativeSobolev {
    data: Vec<f64>,
    cell_volume: f64,
    laplacian: Arc<NeumannLaplacian>,
}

impl NegativeSobolev {
    /// From the data density.
    ///
    /// # Errors
    /// Data of the wrong length or not finite.
    pub fn new(grid: &Grid, data: Vec<f64>) -> Result<Self, ObjectiveError> {
        if data.len() != grid.len() {
            return Err(ObjectiveError::Data(LinalgError::Shape {
                what: "data",
                expected: grid.len(),
                found: data.len(),
            }));
        }
        if let Some(index) = data.iter().position(|v| !v.is_finite()) {
            return Err(ObjectiveError::Data(LinalgError::NotFinite { what: "data", index, value: data[index] }));
        }
        Ok(Self { data, cell_volume: grid.cell_volume(), laplacian: Arc::new(NeumannLaplacian::new(grid)) })
    }
}

/// λ⁻¹ with the constant mode dropped.
fn inverse(lambda: f64) -> f64 {
    if lambda > 0.0 { 1.0 / lambda } else { 0.0 }
}

impl Objective for NegativeSobolev {
    fn name(&self) -> &'static str {
        "homogeneous-h-1"
    }
    fn data(&self) -> &[f64] {
        &self.data
    }
    fn cell_volume(&self) -> f64 {
        self.cell_volume
    }
    fn value(&self, state: &State) -> Result<f64, ObjectiveError> {
        Ok(self.derivative(state)?.0)
    }
    fn derivative(&self, state: &State) -> Result<(f64, Vec<f64>), ObjectiveError> {
        check_state(state, self.data.len())?;
        let mut d: Vec<f64> = state.values.iter().zip(&self.data).map(|(r, s)| r - s).collect();
        let mean = sum(d.iter().copied()) / d.len() as f64;
        d.iter_mut().for_each(|v| *v -= mean);
        let mut u = d.clone();
        self.laplacian.apply(&mut u, inverse);
        Ok((0.5 * self.cell_volume * dot(&d, &u), u))
    }
    fn curvature(&self, state: &State, z: Mat<f64>) -> Result<Mat<f64>, ObjectiveError> {
        check_tangents(state, &z, self.data.len())?;
        let mut z = z;
        self.laplacian.apply_columns(z.as_mut(), inverse);
        Ok(z)
    }
}
