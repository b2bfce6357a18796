//! The difference of moments near some parameters: linear in them, known up to the noise of simulations.

use wngd_linalg::LinalgError;
use wngd_linalg::dense::{gram, symmetric_eigen};
use wngd_linalg::faer::Mat;

use super::moments::{CLEAR, Moments, whitener};
use crate::distribution::beyond_hotelling;
use crate::estimate::Misfit;

/// Share of what all rows tell of a direction that the clear ones must tell to be freed of it.
const TOLD: f64 = 1e-9;
/// Moments beyond the unknowns that a misfit needs.
const SPARE: usize = 1;
/// Curvature over what the noise of the simulations alone would give beyond which a direction counts as determined.
const SEEN: f64 = 1.0;
/// The same as a relative standard error.
const LEAST: f64 = 1.0;

/// Derivative of the simulated moments by one unknown, in units of the unknown.
pub(super) struct Column {
    pub(super) slope: Vec<f64>,
    /// Covariance of the slope that the noise of simulations leaves; none where it is exact.
    pub(super) covariance: Option<Vec<f64>>,
}

/// The linearised problem, whitened.
pub(super) struct Local {
    whitener: Vec<Vec<f64>>,
    /// What of the unit variance of each row is no error of the integrator.
    shares: Vec<f64>,
    columns: Vec<Vec<f64>>,
    residual: Vec<f64>,
    draws: f64,
    /// Curvature and direction of what is determined.
    seen: Vec<(f64, Vec<f64>)>,
    /// Directions that are not.
    pub(super) blind: Vec<Vec<f64>>,
    /// ‖residual‖²
    pub(super) value: f64,
}

impl Local {
    /// `data` and `simulated` are the moments on either side; the covariance is that of their difference.
    pub(super) fn new(data: &Moments, simulated: &Moments, columns: &[Column]) -> Result<Self, LinalgError> {
        let q = data.mean.len();
        let sum: Vec<f64> = data.covariance.iter().zip(&simulated.covariance).map(|(a, b)| a + b).collect();
        let (rows, shares) = whitener(&sum, q, columns.len() + SPARE)?;
        let apply = |v: &[f64]| -> Vec<f64> { rows.iter().map(|row| dot(row, v)).collect() };
        let difference: Vec<f64> = data.mean.iter().zip(&simulated.mean).map(|(a, b)| a - b).collect();
        let residual = apply(&difference);
        let whitened: Vec<Vec<f64>> = columns.iter().map(|c| apply(&c.slope)).collect();
        // Squares of slopes are too large by what their noise adds.
        let noise: Vec<f64> =
            columns.iter().map(|c| c.covariance.as_ref().map_or(0.0, |own| trace(&rows, own, q))).collect();
        let k = columns.len();
        let entry = |i: usize, j: usize| dot(&whitened[i], &whitened[j]) - if i == j { noise[i] } else { 0.0 };
        let (values, vectors) = symmetric_eigen(Mat::from_fn(k, k, entry).as_ref())?;
        let (mut seen, mut blind) = (Vec::new(), Vec::new());
        for (l, value) in values.iter().enumerate() {
            let vector: Vec<f64> = (0..k).map(|i| vectors[(i, l)]).collect();
            let level: f64 = vector.iter().zip(&noise).map(|(v, n)| v * v * n).sum();
            if *value > SEEN * level && *value > LEAST {
                seen.push((*value, vector));
            } else {
                blind.push(vector);
            }
        }
        let value = dot(&residual, &residual);
        Ok(Self { whitener: rows, shares, columns: whitened, residual, draws: data.draws, seen, blind, value })
    }

    /// ‖X(data − simulated)‖² elsewhere, in the metric of here.
    pub(super) fn value_of(&self, data: &Moments, simulated: &[f64]) -> f64 {
        let difference: Vec<f64> = data.mean.iter().zip(simulated).map(|(a, b)| a - b).collect();
        self.whitener.iter().map(|row| dot(row, &difference).powi(2)).sum()
    }

    /// Number of moments that count.
    pub(super) fn rank(&self) -> usize {
        self.whitener.len()
    }

    /// Gauss–Newton step in the determined directions, and its square in standard errors.
    pub(super) fn step(&self) -> (Vec<f64>, f64) {
        let k = self.columns.len();
        let gradient: Vec<f64> = self.columns.iter().map(|c| dot(c, &self.residual)).collect();
        let (mut step, mut square) = (vec![0.0; k], 0.0);
        for (value, vector) in &self.seen {
            let along = dot(vector, &gradient) / value;
            step.iter_mut().zip(vector).for_each(|(s, v)| *s += along * v);
            square += along * along * value;
        }
        (step, square)
    }

    /// Covariance after the step, row-major, along what is determined: A⁻¹ B A⁻¹ with B the squares of the slopes as they are, times
    /// the variance of each row, and A less their noise, and Rao's factor for weights from so many draws.
    pub(super) fn covariance(&self) -> Vec<f64> {
        let k = self.columns.len();
        let over = self.rank().saturating_sub(self.seen.len()) as f64;
        let factor = if self.draws - over > 2.0 {
            self.draws / (self.draws - over) * (self.draws - 1.0) / (self.draws - over - 1.0)
        } else {
            f64::INFINITY
        };
        let mut inverse = vec![0.0; k * k];
        for (value, vector) in &self.seen {
            (0..k * k).for_each(|at| inverse[at] += vector[at / k] * vector[at % k] / value);
        }
        let entry = |i: usize, j: usize| -> f64 {
            self.columns[i].iter().zip(&self.columns[j]).zip(&self.shares).map(|((a, b), share)| a * b * share).sum()
        };
        let spread: Vec<f64> = (0..k * k).map(|at| entry(at / k, at % k)).collect();
        let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
            (0..k * k).map(|at| (0..k).map(|l| a[at / k * k + l] * b[l * k + at % k]).sum()).collect()
        };
        times(&times(&inverse, &spread), &inverse).into_iter().map(|v| factor * v).collect()
    }

    /// What steps leave of the rows that are clear of the integrator's errors: steps of least squares on these rows alone, so that what
    /// is left has a known distribution.
    pub(super) fn misfit(&self) -> Option<Misfit> {
        let clear: Vec<usize> = (0..self.rank()).filter(|r| self.shares[*r] > CLEAR).collect();
        let k = self.seen.len();
        // Slopes along what is determined.
        let slope =
            |r: usize, l: usize| -> f64 { self.columns.iter().zip(&self.seen[l].1).map(|(c, v)| c[r] * v).sum() };
        let columns = Mat::from_fn(clear.len(), k, |i, l| slope(clear[i], l) / self.seen[l].0.sqrt());
        let mut left: Vec<f64> = clear.iter().map(|r| self.residual[*r]).collect();
        let mut lost = 0;
        if k > 0 {
            let (values, vectors) = symmetric_eigen(gram(columns.as_ref()).as_ref()).ok()?;
            for l in (0..k).filter(|l| values[*l] > TOLD) {
                let direction: Vec<f64> =
                    (0..clear.len()).map(|i| (0..k).map(|j| columns[(i, j)] * vectors[(j, l)]).sum()).collect();
                let along = dot(&direction, &left) / values[l];
                left.iter_mut().zip(&direction).for_each(|(v, d)| *v -= along * d);
                lost += 1;
            }
        }
        let (statistic, over) = (dot(&left, &left), clear.len().saturating_sub(lost) as f64);
        (over > 0.0 && self.draws > over + 1.0).then(|| Misfit {
            statistic,
            degrees_of_freedom: over,
            p_value: beyond_hotelling(statistic, over, self.draws),
        })
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// tr(X C Xᵀ)
fn trace(rows: &[Vec<f64>], covariance: &[f64], q: usize) -> f64 {
    rows.iter().map(|row| (0..q).map(|i| row[i] * dot(&covariance[i * q..(i + 1) * q], row)).sum::<f64>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_in_slopes_is_no_curvature() {
        // Three moments, the first of which tells the first unknown; the second unknown has a slope of noise alone.
        let unit = |size: f64| (0..9).map(|at| if at % 4 == 0 { size } else { 0.0 }).collect::<Vec<f64>>();
        let moments = |mean: [f64; 3], size: f64| Moments { mean: mean.to_vec(), covariance: unit(size), draws: 1e6 };
        let columns = [
            Column { slope: vec![10.0, 0.0, 0.0], covariance: None },
            Column { slope: vec![0.0, 3.0, -2.0], covariance: Some(unit(4.0)) },
        ];
        let local = Local::new(&moments([1.0, 0.5, 0.0], 0.75), &moments([0.0; 3], 0.25), &columns).unwrap();
        assert_eq!((local.blind.len(), local.rank()), (1, 3));
        let (step, square) = local.step();
        assert!((step[0] - 0.1).abs() < 1e-8 && step[1] == 0.0 && (square - 1.0).abs() < 1e-8, "{step:?}");
        assert!((local.covariance()[0] - 0.01).abs() < 1e-6);
        let misfit = local.misfit().unwrap();
        assert!((misfit.statistic - 0.25).abs() < 1e-8 && misfit.degrees_of_freedom == 2.0, "{misfit:?}");
    }
}
