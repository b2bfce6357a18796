//! Gauss–Newton on the residuals of steps.

use std::time::Instant;

use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::pairs::starts;
use super::residuals::{Residual, residuals};
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, Misfit};
use crate::flow_map::FlowMap;
use crate::hotelling::hotelling;
use crate::rounding::rounding;
use crate::sample::Sample;

/// Most steps that are looked at: on clean data a thousand are exact.
const PAIRS: usize = 1500;
/// Fewest.
const FEWEST: usize = 30;
/// Most Gauss–Newton steps.
const STEPS: usize = 60;
/// A step that promises to lower the residuals by less than this share of them ends the iteration.
const STILL: f64 = 1e-9;
/// Steps from point to point that the iteration begins with.
const SOME: usize = 200;
/// Gauss–Newton steps on all of them, coordinates weighed by what is left of them.
const POLISH: usize = 2;
/// Error of the flow in standard deviations of the data.
const TOLERANCE: f64 = 1e-10;
/// Residuals that count as one draw.
const CLUSTER: usize = 5;
/// Error of whoever integrated the data, in standard deviations, that is not held against the model.
const INTEGRATION: f64 = 1e-6;
/// Errors of data that agree to their digits are made this many times wider.
const CAUTION: f64 = 4.0;
/// Mean square of residuals over that of rounding below which nothing is left to explain.
const ROUNDED: f64 = 9.0;
/// Eigenvalues of the scaled information below this share of the largest determine nothing.
const BLIND: f64 = 1e-15;

/// One-step shooting.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shooting;

/// What the residuals of a step say about the parameters.
struct Sums {
    information: Mat<f64>,
    gradient: Vec<f64>,
    /// Weighted mean square of the residuals.
    value: f64,
    /// Weighted mean square per coordinate.
    squares: Vec<f64>,
}

impl Shooting {
    /// Parameters of a system from ordered points, from a start that the flow can be compared at: that of
    /// [`WeakStationary`](crate::WeakStationary), say.
    ///
    /// # Shapes
    /// `start`: one value per free parameter.
    ///
    /// # Cost
    /// A flow with variational equations over at most 1500 time steps per Gauss–Newton step.
    ///
    /// # Errors
    /// Points without order, a system with diffusion, flows that cannot be followed from the data.
    pub fn estimate(&self, dynamics: &Dynamics, sample: &Sample, start: &[f64]) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        if sample.dim != dynamics.dim() {
            return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: sample.dim });
        }
        let Some(dt) = sample.dt.filter(|_| dynamics.diffusion.is_none()) else {
            return Err(IdentifyError::NotOrdered);
        };
        let map = FlowMap::new(dynamics, sample, dt, start, TOLERANCE).ok_or(IdentifyError::FlowLost { dt })?;
        let picked = starts(sample, 1, map.worth(PAIRS));
        if picked.len() < FEWEST {
            return Err(IdentifyError::FewSteps { steps: picked.len(), least: FEWEST });
        }
        let mut path = Path { dynamics, sample, dt, theta: start.to_vec() };
        let some: Vec<usize> = picked.iter().step_by(picked.len().div_ceil(map.worth(SOME))).copied().collect();
        let ones = vec![1.0; sample.dim];
        let at_start = summed(&path.residuals(&some)?, &ones, start.len()).value;
        let mut converged = path.descend(&some, &ones)?;
        // Coordinates weigh by what is left of them.
        let (mut found, mut precise) = (path.residuals(&picked)?, ones.clone());
        let mut sums = summed(&found, &precise, start.len());
        for _ in 0..if converged { POLISH } else { 0 } {
            precise = sums.squares.iter().map(|s| 1.0 / s.max(1e-26)).collect();
            sums = summed(&found, &precise, start.len());
            let Some(step) = damped(&sums, 0.0) else { break };
            path.theta.iter_mut().zip(&step).for_each(|(t, s)| *t += s);
            found = path.residuals(&picked)?;
            sums = summed(&found, &precise, start.len());
        }
        let theta = path.theta;
        let mut remarks = Vec::new();
        if !converged {
            remarks.push("the residuals of steps did not come to rest; start closer".into());
        }
        let exact = left_over(&found, sample) < ROUNDED;
        let (covariance, misfit) = concluded(&found, &sums, &precise, sample, exact)?;
        let p = theta.len();
        let covariance = covariance.map(|c| {
            let least = |i: usize, j: usize| if i == j { (1e-14 * theta[j]).powi(2) } else { f64::NEG_INFINITY };
            (0..p * p).map(|at| (at / p, at % p)).map(|(i, j)| c[(i, j)].max(least(i, j))).collect::<Vec<f64>>()
        });
        let standard_errors: Option<Vec<Option<f64>>> =
            covariance.as_ref().map(|c| (0..p).map(|j| Some(c[j * p + j].sqrt())).collect());
        if standard_errors.is_none() {
            remarks.push("the steps do not determine every parameter".into());
            converged = false;
        }
        if exact {
            remarks.push("steps agree with the flow to the digits of the data".into());
        }
        Ok(Estimate {
            estimator: "shooting",
            theta: theta.clone(),
            standard_errors,
            covariance,
            misfit,
            undetermined: Vec::new(),
            converged,
            noise: vec![0.0; sample.dim],
            remarks,
            objections: Vec::new(),
            trace: vec![(start.to_vec(), at_start), (theta.clone(), summed(&found, &ones, p).value)],
            seconds: clock.elapsed().as_secs_f64(),
        })
    }
}

/// Gauss–Newton under way.
struct Path<'a> {
    dynamics: &'a Dynamics,
    sample: &'a Sample,
    dt: f64,
    theta: Vec<f64>,
}

impl Path<'_> {
    fn lost(&self) -> IdentifyError {
        IdentifyError::FlowLost { dt: self.dt }
    }

    /// Residuals at θ, with a flow that is fine enough there.
    fn residuals(&self, picked: &[usize]) -> Result<Vec<Residual>, IdentifyError> {
        let map =
            FlowMap::new(self.dynamics, self.sample, self.dt, &self.theta, TOLERANCE).ok_or_else(|| self.lost())?;
        let found = residuals(&map, self.sample, picked, &self.dynamics.theta_full(&self.theta));
        if found.len() * 10 < picked.len() * 9 { Err(self.lost()) } else { Ok(found) }
    }

    /// Goes on until the parameters stand still, by Levenberg and Marquardt; whether they do.
    fn descend(&mut self, picked: &[usize], precise: &[f64]) -> Result<bool, IdentifyError> {
        let p = self.theta.len();
        let map =
            FlowMap::new(self.dynamics, self.sample, self.dt, &self.theta, TOLERANCE).ok_or_else(|| self.lost())?;
        let at = |theta: &[f64]| {
            let found = residuals(&map, self.sample, picked, &self.dynamics.theta_full(theta));
            (found.len() * 10 >= picked.len() * 9).then(|| summed(&found, precise, p))
        };
        let mut sums = at(&self.theta).ok_or_else(|| self.lost())?;
        let mut damping = 1e-3;
        for _ in 0..STEPS {
            let Some(step) = damped(&sums, damping) else { return Ok(false) };
            let gain: f64 = step.iter().zip(&sums.gradient).map(|(s, g)| s * g).sum();
            if gain <= STILL * sums.value + 1e-26 {
                return Ok(true);
            }
            let tried: Vec<f64> = self.theta.iter().zip(&step).map(|(t, s)| t + s).collect();
            match at(&tried) {
                Some(there) if there.value <= sums.value => {
                    (self.theta, sums) = (tried, there);
                    damping *= 0.03;
                }
                _ if damping > 1e10 => return Ok(false),
                _ => damping *= 10.0,
            }
        }
        Ok(false)
    }
}

fn summed(found: &[Residual], precise: &[f64], p: usize) -> Sums {
    let d = precise.len();
    let mut sums = Sums { information: Mat::zeros(p, p), gradient: vec![0.0; p], value: 0.0, squares: vec![0.0; d] };
    let total: f64 = found.iter().map(|r| r.weight).sum();
    for residual in found {
        for c in 0..d {
            let row = &residual.by_theta[c * p..(c + 1) * p];
            let (value, weight) = (residual.value[c], residual.weight / total);
            sums.squares[c] += weight * value * value;
            let weight = weight * precise[c];
            sums.value += weight * value * value;
            for i in 0..p {
                sums.gradient[i] += weight * row[i] * value;
                for j in 0..p {
                    sums.information[(i, j)] += weight * row[i] * row[j];
                }
            }
        }
    }
    sums
}

/// (H + λ diag H)⁻¹ of a gradient, in directions that are seen.
fn damped(sums: &Sums, damping: f64) -> Option<Vec<f64>> {
    let p = sums.gradient.len();
    let unit: Vec<f64> = (0..p).map(|j| sums.information[(j, j)].sqrt()).collect();
    let unit: Vec<f64> = unit.into_iter().map(|u| if u > 0.0 { 1.0 / u } else { 0.0 }).collect();
    let scaled = Mat::from_fn(p, p, |i, j| unit[i] * sums.information[(i, j)] * unit[j]);
    let (values, vectors) = symmetric_eigen(scaled.as_ref()).ok()?;
    let mut step = vec![0.0; p];
    for l in (0..p).filter(|l| values[*l] > BLIND * values[p - 1]) {
        let along: f64 = (0..p).map(|j| vectors[(j, l)] * unit[j] * sums.gradient[j]).sum::<f64>();
        (0..p).for_each(|i| step[i] += unit[i] * vectors[(i, l)] * along / (values[l] + damping));
    }
    step.iter().all(|s| s.is_finite()).then_some(step)
}

/// Mean square of the residuals over what rounding and integration explain.
fn left_over(found: &[Residual], sample: &Sample) -> f64 {
    let d = sample.dim;
    let rounded: Vec<f64> = rounding(sample)
        .iter()
        .zip(&sample.deviations)
        .map(|(r, s)| (r / s).powi(2) + INTEGRATION * INTEGRATION)
        .collect();
    let share = |residual: &Residual| -> f64 {
        let each = (0..d).map(|c| {
            let carried: f64 = (0..d).map(|k| residual.by_x[c * d + k].powi(2) * rounded[k]).sum();
            residual.value[c].powi(2) / (rounded[c] + carried)
        });
        each.sum::<f64>() / d as f64
    };
    found.iter().map(share).sum::<f64>() / found.len() as f64
}

/// Covariance of the parameters by the scatter of their scores, and whether functions of the points explain what is left.
fn concluded(
    found: &[Residual],
    sums: &Sums,
    precise: &[f64],
    sample: &Sample,
    exact: bool,
) -> Result<(Option<Mat<f64>>, Option<Misfit>), IdentifyError> {
    let (d, p) = (sample.dim, sums.gradient.len());
    let unit: Vec<f64> = (0..p).map(|j| sums.information[(j, j)].sqrt()).collect();
    if unit.iter().any(|u| !(*u > 0.0)) {
        return Ok((None, None));
    }
    let scaled = Mat::from_fn(p, p, |i, j| sums.information[(i, j)] / (unit[i] * unit[j]));
    let (values, vectors) = symmetric_eigen(scaled.as_ref())?;
    if !(values[0] > BLIND * values[p - 1]) {
        return Ok((None, None));
    }
    let inverse = Mat::from_fn(p, p, |i, j| {
        (0..p).map(|l| vectors[(i, l)] * vectors[(j, l)] / values[l]).sum::<f64>() / (unit[i] * unit[j])
    });
    let total: f64 = found.iter().map(|r| r.weight).sum();
    // Influence of each residual on the parameters.
    let influence = |residual: &Residual| -> Vec<f64> {
        let mut score = vec![0.0; p];
        for c in 0..d {
            let weight = residual.weight / total * precise[c] * residual.value[c];
            score.iter_mut().zip(&residual.by_theta[c * p..(c + 1) * p]).for_each(|(s, a)| *s += weight * a);
        }
        (0..p).map(|i| (0..p).map(|j| inverse[(i, j)] * score[j]).sum()).collect()
    };
    let influences: Vec<Vec<f64>> = found.iter().map(influence).collect();
    let mut covariance = Mat::zeros(p, p);
    for cluster in influences.chunks(CLUSTER) {
        let sum: Vec<f64> = (0..p).map(|j| cluster.iter().map(|row| row[j]).sum()).collect();
        (0..p).for_each(|i| (0..p).for_each(|j| covariance[(i, j)] += sum[i] * sum[j]));
    }
    if exact {
        // What is left is the error of whoever integrated the data, which is no noise: its scatter says too little.
        (0..p).for_each(|i| (0..p).for_each(|j| covariance[(i, j)] *= CAUTION * CAUTION));
        let misfit = Misfit { statistic: 0.0, degrees_of_freedom: (found.len() * d - p) as f64, p_value: 1.0 };
        return Ok((Some(covariance), Some(misfit)));
    }
    // Moments of the residuals with functions of the points that they start from.
    let draws = found.len().div_ceil(CLUSTER);
    let functions = (20 / d).clamp(1, 8).min((draws / (6 * d)).max(1));
    let waves = super::super::weak::waves(&sample.deviations, functions);
    let instruments = |residual: &Residual| -> Vec<f64> {
        let x = sample.point(residual.from);
        let mut all = Vec::with_capacity(2 * functions * d);
        for wave in &waves {
            let phase: f64 = wave.iter().map(|&(axis, w)| w * x[axis]).sum();
            let (sine, cosine) = phase.sin_cos();
            all.extend([sine, cosine]);
        }
        all
    };
    let q = 2 * functions * d;
    let mut slopes = Mat::<f64>::zeros(q, p);
    let mut rows: Vec<Vec<f64>> = Vec::new();
    for residual in found {
        let h = instruments(residual);
        let weight = residual.weight / total;
        let mut row = vec![0.0; q];
        for c in 0..d {
            for (k, h) in h.iter().enumerate() {
                row[c * 2 * functions + k] = weight * h * residual.value[c];
                for j in 0..p {
                    slopes[(c * 2 * functions + k, j)] += weight * h * residual.by_theta[c * p + j];
                }
            }
        }
        rows.push(row);
    }
    for (row, influence) in rows.iter_mut().zip(&influences) {
        for (k, value) in row.iter_mut().enumerate() {
            *value -= (0..p).map(|j| slopes[(k, j)] * influence[j]).sum::<f64>();
        }
    }
    let clusters: Vec<Vec<f64>> =
        rows.chunks(CLUSTER).map(|cluster| (0..q).map(|k| cluster.iter().map(|row| row[k]).sum()).collect()).collect();
    Ok((Some(covariance), hotelling(&clusters)))
}
