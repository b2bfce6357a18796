use wngd_adjoint::State;
use wngd_linalg::dense::sum;
use wngd_linalg::faer::Mat;
use wngd_linalg::{ACTIVE_DENSITY, Grid, LinalgError, check_density};

use super::{Objective, check_state, check_tangents};
use crate::error::ObjectiveError;

/// Data mass in cells where the model underflows that is still taken for rounding.
const NEGLIGIBLE_MASS: f64 = 1e-14;
/// ln(ρ*/ρ) beyond which ρ is below the smallest density.
const LOST: f64 = 650.0;

/// Generalised Kullback–Leibler divergence: f = |c| Σ [ρ* ln(ρ*/ρ) − ρ* + ρ], u = 1 − ρ*/ρ.
///
/// No term is below 0, whatever the masses of data and model are, and f = 0 at ρ = ρ* alone; where both masses are 1
/// it is the usual divergence. Logarithms of the state are used where the model provides them. For histogram
/// data f is the negative mean log-likelihood up to a constant.
///
/// # References
/// Csiszár 1991, doi:10.1214/aos/1176348385.
#[derive(Debug, Clone)]
pub struct KullbackLeibler {
    data: Vec<f64>,
    log_data: Vec<f64>,
    cell_volume: f64,
    /// Whether there are no data outside the box, rather than none that are known.
    complete: bool,
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
        if let Some(found) = data.log_values.as_ref().map(Vec::len).filter(|found| *found != grid.len()) {
            let (what, expected) = ("logarithms of the data", grid.len());
            return Err(ObjectiveError::Data(LinalgError::Shape { what, expected, found }));
        }
        let log_data = data.log_values.unwrap_or_else(|| data.values.iter().map(|v| v.ln()).collect());
        Ok(Self { data: data.values, log_data, cell_volume: grid.cell_volume(), complete: false })
    }

    /// The same for data that are all there is, so that what the model has outside the box counts as one more cell, with
    /// nothing in it: f = |c| Σ ρ* ln(ρ*/ρ), u = −ρ*/ρ.
    ///
    /// The difference |c| Σ (ρ* − ρ) is 0 for models that keep their mass in the box. It is not for a Gaussian near the
    /// edge of a box that cut no sample: there the likelihood of the samples is this one.
    pub fn complete(self) -> Self {
        Self { complete: true, ..self }
    }

    fn log_ratio(&self, state: &State, i: usize) -> f64 {
        let log_state = match &state.log_values {
            Some(logs) => logs[i],
            None => state.values[i].ln(),
        };
        self.log_data[i] - log_state
    }

    /// u in a cell. Where the state is a floor under its logarithm, the ratio to the floor is meant: Z stands on it, too.
    fn answer(&self, state: &State, i: usize) -> f64 {
        let r = self.log_ratio(state, i);
        let r = if r > LOST { self.log_data[i] - state.values[i].ln() } else { r };
        if self.complete { -r.exp() } else { -r.exp_m1() }
    }

    fn check(&self, state: &State) -> Result<(), ObjectiveError> {
        check_state(state, self.data.len())?;
        if let Some(index) = state.values.iter().position(|v| !(*v >= 0.0)) {
            return Err(ObjectiveError::State(LinalgError::NegativeDensity { index, value: state.values[index] }));
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

/// ρ* r − ρ* + ρ with r = ln(ρ*/ρ); near r = 0 by its series, where the three cancel.
fn term(data: f64, state: f64, log_ratio: f64) -> f64 {
    let r = log_ratio;
    if r.abs() < 0.05 {
        // ρ = ρ* e⁻ʳ: r − 1 + e⁻ʳ = r²/2 − r³/6 + …
        let mut tail = 1.0;
        for n in (3..=9).rev() {
            tail = 1.0 - r / f64::from(n) * tail;
        }
        0.5 * data * r * r * tail
    } else {
        (data * (r - 1.0) + state).max(0.0)
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
        let terms = (0..self.data.len()).map(|i| {
            let known = state.values[i] > 0.0 || state.log_values.is_some();
            if self.data[i] > 0.0 && known {
                term(self.data[i], state.values[i], self.log_ratio(state, i))
            } else {
                (state.values[i] - self.data[i]).max(0.0)
            }
        });
        let inside = sum(terms);
        let outside = if self.complete { sum(self.data.iter().zip(&state.values).map(|(d, r)| d - r)) } else { 0.0 };
        Ok(self.cell_volume * (inside + outside))
    }
    fn derivative(&self, state: &State) -> Result<(f64, Vec<f64>), ObjectiveError> {
        let value = self.value(state)?;
        let u = (0..self.data.len())
            .map(|i| if state.values[i] > ACTIVE_DENSITY { self.answer(state, i) } else { 0.0 })
            .map(|u| if u.is_finite() { u } else { 0.0 })
            .collect();
        Ok((value, u))
    }
    fn curvature(&self, state: &State, z: Mat<f64>) -> Result<Mat<f64>, ObjectiveError> {
        check_tangents(state, &z, self.data.len())?;
        let mut z = z;
        for j in 0..z.ncols() {
            for (value, &r) in z.col_as_slice_mut(j).iter_mut().zip(&state.values) {
                *value = if r > ACTIVE_DENSITY { *value / r } else { 0.0 };
            }
        }
        Ok(z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_term_is_negative_and_the_series_meets_the_formula() {
        for r in [-30.0, -1.0, -0.05, -0.049, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.049, 0.05, 1.0, 30.0f64] {
            let found = term(2.0, 2.0 * (-r).exp(), r);
            assert!(found >= 0.0);
            let plain = 2.0 * (r + (-r).exp_m1());
            assert!((found - plain).abs() <= 4e-16 + 1e-11 * plain, "{r}: {found:e} {plain:e}");
        }
        // Where the formula cancels the series does not.
        assert!((term(1.0, 1.0, 1e-9) / 5e-19 - 1.0).abs() < 1e-8);
    }

    #[test]
    fn complete_data_count_the_mass_outside_as_an_empty_cell() {
        let grid = Grid::new(&[0.0], &[1.0], &[4]).unwrap();
        let data = vec![1.2, 1.6, 0.0, 1.2];
        let objective = KullbackLeibler::new(&grid, data.clone()).unwrap().complete();
        let values = vec![0.7, 1.1, 0.3, 1.5];
        let expected: f64 = 0.25
            * data
                .iter()
                .zip(&values)
                .filter(|(d, _)| **d > 0.0)
                .map(|(d, r): (&f64, &f64)| d * (d / r).ln())
                .sum::<f64>();
        let (f, u) = objective.derivative(&State::new(values.clone())).unwrap();
        assert!((f - expected).abs() < 1e-15);
        for i in 0..4 {
            assert!((u[i] + data[i] / values[i]).abs() < 1e-14);
        }
    }

    #[test]
    fn a_floored_state_answers_with_its_logarithm_in_f_and_its_floor_in_u() {
        let grid = Grid::new(&[0.0], &[1.0], &[2]).unwrap();
        let objective = KullbackLeibler::new(&grid, vec![1.5, 0.5]).unwrap();
        let floor = 2.0 * ACTIVE_DENSITY;
        let state = State { values: vec![2.0, floor], log_values: Some(vec![2f64.ln(), -1240.0]) };
        let (f, u) = objective.derivative(&state).unwrap();
        assert!((f - 0.5 * (1.5 * (0.75f64).ln() + 0.5 * (0.5f64.ln() + 1240.0))).abs() < 1e-12 * f);
        assert!((u[1] * floor / -0.5 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn mass_outside_the_box_makes_no_divergence_negative() {
        let grid = Grid::new(&[0.0], &[1.0], &[4]).unwrap();
        let objective = KullbackLeibler::new(&grid, vec![0.9, 1.8, 0.0, 0.9]).unwrap();
        for scale in [0.5, 0.9, 1.0, 1.1, 3.0] {
            let state = State::new([0.9, 1.8, 0.0, 0.9].map(|v| scale * v).to_vec());
            let value = objective.value(&state).unwrap();
            let expected = 0.9 * (-f64::ln(scale) - 1.0 + scale);
            assert!((value - expected).abs() < 1e-15 && value >= 0.0, "{scale}: {value} {expected}");
        }
    }
}
