use wngd_adjoint::State;
use wngd_linalg::dense::sum;
use wngd_linalg::faer::Mat;
use wngd_linalg::{ACTIVE_DENSITY, Grid, check_density};

use super::Objective;
use crate::error::ObjectiveError;

/// Data mass in cells where the model underflows that is still taken for rounding.
const NEGLIGIBLE_MASS: f64 = 1e-14;

/// Kullback–Leibler: f = |c| Σ ρ* ln(ρ*/ρ), u = −ρ*/ρ.
///
/// Logarithms of the state are used where the model provides them. For histogram
/// data f is the negative mean log-likelihood up to a constant.
#[derive(Debug, Clone)]
pub struct KullbackLeibler {
    data: Vec<f64>,
    log_data: Vec<f64>,
    cell_volume: f64,
}

impl KullbackLeibler {
    /// From the data density.
    ///
    /// # Errors
    /// Data that are no density on the grid.
    pub fn new(grid: &Grid, data: Vec<f64>) -> Result<Self, ObjectiveError> {
        Self::with_logarithms(grid, State::new(data))
    }

    /// From a data density known with its logarithm, so that cells where it underflows still count.
    ///
    /// # Errors
    /// Data that are no density on the grid.
    pub fn with_logarithms(grid: &Grid, data: State) -> Result<Self, ObjectiveError> {
        check_density(grid, &data.values).map_err(ObjectiveError::Data)?;
        let log_data = data.log_values.unwrap_or_else(|| data.values.iter().map(|v| v.ln()).collect());
        Ok(Self { data: data.values, log_data, cell_volume: grid.cell_volume() })
    }

    fn log_ratio(&self, state: &State, i: usize) -> f64 {
        let log_state = match &state.log_values {
            Some(logs) => logs[i],
            None => state.values[i].ln(),
        };
        self.log_data[i] - log_state
    }

    fn check(&self, state: &State) -> Result<(), ObjectiveError> {
        if let Some(index) = state.values.iter().position(|v| !(*v >= 0.0)) {
            return Err(ObjectiveError::State(wngd_linalg::LinalgError::NegativeDensity {
                index,
                value: state.values[index],
            }));
        }
        let lost = state.values.iter().zip(&self.data).filter(|(r, d)| **r <= ACTIVE_DENSITY && **d > 0.0);
        let cells = lost.clone().count();
        let mass = self.cell_volume * sum(lost.map(|(_, d)| *d));
        if mass > NEGLIGIBLE_MASS * self.cell_volume * sum(self.data.iter().copied()) {
            return Err(ObjectiveError::Underflow { cells, mass });
        }
        Ok(())
    }
}

impl Objective for KullbackLeibler {
    fn name(&self) -> &'static str {
        "kl"
    }
    fn data(&self) -> &[f64] {
        &self.data
    }
    fn cell_volume(&self) -> f64 {
        self.cell_volume
    }
    fn value(&self, state: &State) -> Result<f64, ObjectiveError> {
        self.check(state)?;
        let terms = (0..self.data.len())
            .filter(|&i| self.data[i] > 0.0 && (state.values[i] > 0.0 || state.log_values.is_some()));
        Ok(self.cell_volume * sum(terms.map(|i| self.data[i] * self.log_ratio(state, i))))
    }
    fn derivative(&self, state: &State) -> Result<(f64, Vec<f64>), ObjectiveError> {
        let value = self.value(state)?;
        let u = (0..self.data.len())
            .map(|i| if state.values[i] > ACTIVE_DENSITY { -self.log_ratio(state, i).exp() } else { 0.0 })
            .map(|u| if u.is_finite() { u } else { 0.0 })
            .collect();
        Ok((value, u))
    }
    fn curvature(&self, state: &State, z: Mat<f64>) -> Result<Mat<f64>, ObjectiveError> {
        let mut z = z;
        for j in 0..z.ncols() {
            for (value, &r) in z.col_as_slice_mut(j).iter_mut().zip(&state.values) {
                *value = if r > ACTIVE_DENSITY { *value / r } else { 0.0 };
            }
        }
        Ok(z)
    }
}
