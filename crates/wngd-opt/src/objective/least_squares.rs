use wngd_adjoint::State;
use wngd_linalg::dense::dot;
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LinalgError};

use super::{Objective, check_state, check_tangents};
use crate::error::ObjectiveError;

/// L²: f = ½|c| Σ (ρ − ρ*)², u = ρ − ρ*.
#[derive(Debug, Clone)]
pub struct LeastSquaresMisfit {
    data: Vec<f64>,
    cell_volume: f64,
}

impl LeastSquaresMisfit {
    /// On a grid, with the cell volume as weight.
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
        Self::plain(data).map(|objective| Self { cell_volume: grid.cell_volume(), ..objective })
    }

    /// On plain vectors, with weight 1: f = ½‖ρ − ρ*‖².
    ///
    /// # Errors
    /// Data not finite.
    pub fn plain(data: Vec<f64>) -> Result<Self, ObjectiveError> {
        if let Some(index) = data.iter().position(|v| !v.is_finite()) {
            return Err(ObjectiveError::Data(LinalgError::NotFinite { what: "data", index, value: data[index] }));
        }
        Ok(Self { data, cell_volume: 1.0 })
    }
}

impl Objective for LeastSquaresMisfit {
    fn name(&self) -> &'static str {
        "l2"
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
        let u: Vec<f64> = state.values.iter().zip(&self.data).map(|(r, d)| r - d).collect();
        Ok((0.5 * self.cell_volume * dot(&u, &u), u))
    }
    fn curvature(&self, state: &State, z: Mat<f64>) -> Result<Mat<f64>, ObjectiveError> {
        check_tangents(state, &z, self.data.len())?;
        Ok(z)
    }
}
