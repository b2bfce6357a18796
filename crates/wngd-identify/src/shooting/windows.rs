//! Shooting over windows with free states, for data with noise.
//!
//! Each window of L points has its own first state; parameters and states together minimise the distance from the points.
//! Windows grow by doubling from two points, each length from the end of the one before: long ones are precise and
//! have narrow valleys.

use std::time::Instant;

use rayon::prelude::*;
use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::solve::Shooting;
use crate::distribution::beyond_f;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, Misfit};
use crate::flow_map::{FlowMap, Image};
use crate::sample::Sample;

/// Longest window, in points.
const LONGEST: usize = 64;
/// Most points that are looked at.
const POINTS: usize = 12_288;
/// Fewest windows.
const FEWEST: usize = 20;
/// Growth of a difference over a window beyond which it is not made longer.
const GROWTH: f64 = 5.0;
/// Error of the flow in standard deviations, far below the noise.
const TOLERANCE: f64 = 1e-7;
/// Gauss–Newton steps per length, and at the last one.
const STEPS: usize = 2;
const LAST: usize = 12;
/// Promised gain, as a share of the distance, that ends the iteration.
const STILL: f64 = 1e-9;
/// Added to the diagonal of what states are solved by.
const DAMPING: f64 = 1e-6;

/// A window with its first state.
#[derive(Debug, Clone)]
struct Window {
    from: usize,
    state: Vec<f64>,
}

/// What a window says: distance, and normal equations of parameters and its state.
struct Normal {
    cost: f64,
    /// Growth of differences over the window.
    growth: f64,
    /// ∂²/∂θ², ∂²/∂s∂θ and ∂²/∂s², row-major.
    by_theta: Vec<f64>,
    mixed: Vec<f64>,
    inverse: Vec<f64>,
    /// Gradients.
    theta: Vec<f64>,
    state: Vec<f64>,
}

/// The iteration under way.
struct Windows<'a> {
    dynamics: &'a Dynamics,
    sample: &'a Sample,
    map: FlowMap<'a>,
    /// Standard deviation of the noise.
    noise: Vec<f64>,
    theta: Vec<f64>,
    windows: Vec<Window>,
    length: usize,
}

impl Shooting {
    /// Parameters from ordered points with noise: windows of up to 64 points with free states.
    ///
    /// # Shapes
    /// `start`: one value per free parameter; `noise`: one standard deviation per coordinate.
    ///
    /// # Cost
    /// A flow with variational equations over at most 12 288 time steps per Gauss–Newton step, some twenty of them.
    ///
    /// # Errors
    /// As [`estimate`](Self::estimate).
    pub fn estimate_with_noise(
        &self,
        dynamics: &Dynamics,
        sample: &Sample,
        start: &[f64],
        noise: &[f64],
    ) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        let Some(dt) = sample.dt.filter(|_| dynamics.diffusion.is_none()) else {
            return Err(IdentifyError::NotOrdered);
        };
        let lost = || IdentifyError::FlowLost { dt };
        let map = FlowMap::new(dynamics, sample, dt, start, TOLERANCE).ok_or_else(lost)?;
        // A coordinate without noise would outweigh all others.
        let most = noise.iter().zip(&sample.deviations).fold(0.0, |most: f64, (s, d)| most.max(s / d));
        let noise: Vec<f64> = noise.iter().zip(&sample.deviations).map(|(s, d)| s.max(0.02 * most * d)).collect();
        let windows = stretches(sample, 2);
        if windows.len() < FEWEST {
            return Err(IdentifyError::NotOrdered);
        }
        let mut it = Windows { dynamics, sample, map, noise, theta: start.to_vec(), windows, length: 2 };
        let at_start = it.cost(&it.normals(&it.theta, &it.windows).ok_or_else(lost)?);
        let mut converged = false;
        let mut halves: Option<(Vec<f64>, usize)> = None;
        loop {
            let longer = 2 * it.length <= it.longest();
            converged = it.descend(if longer { STEPS } else { LAST })? || (longer && converged);
            let normals = it.normals(&it.theta, &it.windows).ok_or_else(lost)?;
            let growth = normals.iter().map(|n| n.growth).sum::<f64>() / normals.len() as f64;
            if !longer || growth > GROWTH {
                if longer {
                    converged = it.descend(LAST)?;
                }
                break;
            }
            let costs = normals.iter().map(|n| n.cost).collect();
            halves = Some((costs, it.length));
            it.grow();
        }
        it.concluded((start.to_vec(), at_start), converged, halves, clock)
    }
}

/// Windows of a length that tile stretches of the longest one, evenly spread over the records.
fn stretches(sample: &Sample, length: usize) -> Vec<Window> {
    let spans = sample.spans();
    let whole = spans.iter().map(|(a, b)| b - a).min().unwrap_or(0).min(LONGEST);
    let whole = if whole < 2 { return Vec::new() } else { 1 << whole.ilog2() };
    let all: Vec<usize> = spans.into_iter().flat_map(|(a, b)| (a..).step_by(whole).take((b - a) / whole)).collect();
    let step = (all.len() * whole).div_ceil(POINTS).max(1);
    let pieces = |from: usize| (0..whole / length).map(move |k| from + k * length);
    let window = |from: usize| Window { from, state: sample.point(from).to_vec() };
    all.into_iter().step_by(step).flat_map(pieces).map(window).collect()
}

impl Windows<'_> {
    /// Longest windows that the stretches hold.
    fn longest(&self) -> usize {
        let mut length = self.length;
        // Neighbours of one stretch follow each other.
        while length < LONGEST && self.windows.len() * self.length >= length * 2 * FEWEST {
            let runs = self.windows.chunks_exact(2 * length / self.length);
            if runs.clone().len() == 0
                || runs.clone().any(|run| run[run.len() - 1].from - run[0].from != 2 * length - self.length)
            {
                break;
            }
            length *= 2;
        }
        length
    }

    /// Two neighbours become one, which begins where the first did.
    fn grow(&mut self) {
        self.windows = self.windows.chunks_exact(2).map(|pair| pair[0].clone()).collect();
        self.length *= 2;
    }

    fn normal(&self, window: &Window, full: &[f64], p: usize) -> Option<Normal> {
        let d = window.state.len();
        let mut x = window.state.clone();
        let mut by_state = vec![0.0; d * d];
        (0..d).for_each(|i| by_state[i * d + i] = 1.0);
        let mut by_theta = vec![0.0; d * p];
        let mut normal = Normal {
            cost: 0.0,
            growth: 0.0,
            by_theta: vec![0.0; p * p],
            mixed: vec![0.0; d * p],
            inverse: vec![0.0; d * d],
            theta: vec![0.0; p],
            state: vec![0.0; d],
        };
        for k in 0..self.length {
            if k > 0 {
                let Image { x: next, by_x, by_theta: own } = self.map.image(&x, full);
                by_state = product(&by_x, &by_state, d, d);
                by_theta = product(&by_x, &by_theta, d, p);
                by_theta.iter_mut().zip(&own).for_each(|(a, b)| *a += b);
                x = next;
            }
            let seen = self.sample.point(window.from + k);
            for c in 0..d {
                let weight = 1.0 / (self.noise[c] * self.noise[c]);
                let r = seen[c] - x[c];
                normal.cost += weight * r * r;
                let (js, jt) = (&by_state[c * d..(c + 1) * d], &by_theta[c * p..(c + 1) * p]);
                for i in 0..d {
                    normal.state[i] += weight * js[i] * r;
                    (0..d).for_each(|j| normal.inverse[i * d + j] += weight * js[i] * js[j]);
                    (0..p).for_each(|j| normal.mixed[i * p + j] += weight * js[i] * jt[j]);
                }
                for i in 0..p {
                    normal.theta[i] += weight * jt[i] * r;
                    (0..p).for_each(|j| normal.by_theta[i * p + j] += weight * jt[i] * jt[j]);
                }
            }
        }
        normal.growth = (by_state.iter().map(|v| v * v).sum::<f64>() / d as f64).sqrt();
        if !normal.cost.is_finite() || !normal.growth.is_finite() {
            return None;
        }
        (0..d).for_each(|i| normal.inverse[i * d + i] *= 1.0 + DAMPING);
        normal.inverse = inverted(&normal.inverse, d)?;
        Some(normal)
    }

    /// Of all windows; `None` if one of them cannot be followed.
    fn normals(&self, theta: &[f64], windows: &[Window]) -> Option<Vec<Normal>> {
        let full = self.dynamics.theta_full(theta);
        windows.par_iter().map(|window| self.normal(window, &full, theta.len())).collect()
    }

    fn cost(&self, normals: &[Normal]) -> f64 {
        normals.iter().map(|n| n.cost).sum::<f64>() / (normals.len() * self.length) as f64
    }

    /// Gauss–Newton steps; whether the last one promised nothing more.
    fn descend(&mut self, steps: usize) -> Result<bool, IdentifyError> {
        let lost = IdentifyError::FlowLost { dt: self.sample.dt.unwrap_or(0.0) };
        let Some(mut normals) = self.normals(&self.theta, &self.windows) else { return Err(lost) };
        let p = self.theta.len();
        for _ in 0..steps {
            let (information, gradient) = reduced(&normals, p);
            let Some(step) = solved(&information, &gradient, p) else { return Ok(false) };
            let cost: f64 = normals.iter().map(|n| n.cost).sum();
            let gain: f64 = step.iter().zip(&gradient).map(|(a, b)| a * b).sum::<f64>();
            let d = self.sample.dim;
            let mut of_states = 0.0;
            let moves: Vec<Vec<f64>> = normals
                .iter()
                .map(|n| {
                    let right: Vec<f64> = (0..d)
                        .map(|i| n.state[i] - (0..p).map(|j| n.mixed[i * p + j] * step[j]).sum::<f64>())
                        .collect();
                    let moved = product(&n.inverse, &right, d, 1);
                    of_states += moved.iter().zip(&n.state).map(|(a, b)| a * b).sum::<f64>();
                    moved
                })
                .collect();
            if gain.abs() + of_states.abs() < STILL * cost {
                return Ok(true);
            }
            let mut length = 1.0;
            let next = loop {
                let theta: Vec<f64> = self.theta.iter().zip(&step).map(|(t, s)| t + length * s).collect();
                let windows: Vec<Window> = self
                    .windows
                    .iter()
                    .zip(&moves)
                    .map(|(window, moved)| {
                        let state = window.state.iter().zip(moved).map(|(x, m)| x + length * m).collect();
                        Window { from: window.from, state }
                    })
                    .collect();
                match self.normals(&theta, &windows) {
                    Some(found) if found.iter().map(|n| n.cost).sum::<f64>() <= cost * (1.0 + 1e-12) => {
                        break Some((theta, windows, found));
                    }
                    _ if length < 0.02 => break None,
                    _ => length *= 0.4,
                }
            };
            let Some((theta, windows, found)) = next else { return Ok(gain < 1e-4 * cost) };
            (self.theta, self.windows, normals) = (theta, windows, found);
            if gain + of_states < 1e-7 * cost {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn concluded(
        self,
        (start, at_start): (Vec<f64>, f64),
        converged: bool,
        halves: Option<(Vec<f64>, usize)>,
        clock: Instant,
    ) -> Result<Estimate, IdentifyError> {
        let lost = IdentifyError::FlowLost { dt: self.sample.dt.unwrap_or(0.0) };
        let Some(normals) = self.normals(&self.theta, &self.windows) else { return Err(lost) };
        let (p, d) = (self.theta.len(), self.sample.dim);
        let (information, _) = reduced(&normals, p);
        // Scores of the windows, their states taken out.
        let score = |n: &Normal| -> Vec<f64> {
            let moved = product(&n.inverse, &n.state, d, 1);
            (0..p).map(|j| n.theta[j] - (0..d).map(|i| n.mixed[i * p + j] * moved[i]).sum::<f64>()).collect()
        };
        let columns: Vec<Vec<f64>> = normals.iter().filter_map(|n| solved(&information, &score(n), p)).collect();
        let covariance = (columns.len() == normals.len()).then(|| {
            let entry = |at: usize| columns.iter().map(|c| c[at / p] * c[at % p]).sum::<f64>();
            (0..p * p).map(entry).collect::<Vec<f64>>()
        });
        let standard_errors: Option<Vec<Option<f64>>> =
            covariance.as_ref().map(|c| (0..p).map(|j| Some(c[j * p + j].sqrt())).collect());
        let cost = self.cost(&normals);
        let mut remarks = vec![format!("{} windows of {} points with free states", normals.len(), self.length)];
        if !converged {
            remarks.push("the windows did not come to rest; start closer".into());
        }
        Ok(Estimate {
            estimator: "shooting",
            theta: self.theta.clone(),
            converged: converged && standard_errors.is_some(),
            standard_errors,
            covariance,
            misfit: halves.and_then(|(halves, length)| lengths_agree(&normals, self.length, &halves, length)),
            undetermined: Vec::new(),
            noise: self.noise,
            remarks,
            objections: Vec::new(),
            trace: vec![(start, at_start), (self.theta, cost)],
            seconds: clock.elapsed().as_secs_f64(),
        })
    }
}

/// Whether the mean square of what is left is the same in windows of two lengths: what is no noise of the observations
/// leaves more in the longer ones.
fn lengths_agree(normals: &[Normal], length: usize, halves: &[f64], half: usize) -> Option<Misfit> {
    if half < 2 || length != 2 * half || halves.len() != 2 * normals.len() {
        return None;
    }
    let differences: Vec<f64> = normals
        .iter()
        .zip(halves.chunks_exact(2))
        .map(|(n, pair)| n.cost / (length - 1) as f64 - pair.iter().sum::<f64>() / (2 * (half - 1)) as f64)
        .collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let variance = differences.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0) / count;
    let squared = mean * mean / variance;
    let tail = 0.5 * beyond_f(squared, 1.0, count - 1.0);
    let p_value = if mean > 0.0 { tail } else { 1.0 - tail };
    squared.is_finite().then_some(Misfit { statistic: squared, degrees_of_freedom: 1.0, p_value })
}

/// a (rows x d) times b (d x columns).
fn product(a: &[f64], b: &[f64], d: usize, columns: usize) -> Vec<f64> {
    let mut out = vec![0.0; a.len() / d * columns];
    for (row, values) in a.chunks_exact(d).zip(out.chunks_exact_mut(columns.max(1))) {
        for (k, factor) in row.iter().enumerate().filter(|(_, f)| **f != 0.0) {
            values.iter_mut().zip(&b[k * columns..(k + 1) * columns]).for_each(|(v, b)| *v += factor * b);
        }
    }
    out
}

/// Normal equations of the parameters, states taken out.
fn reduced(normals: &[Normal], p: usize) -> (Vec<f64>, Vec<f64>) {
    let (mut information, mut gradient) = (vec![0.0; p * p], vec![0.0; p]);
    for n in normals {
        let d = n.state.len();
        let carried = product(&n.inverse, &n.mixed, d, p);
        for i in 0..p {
            gradient[i] += n.theta[i] - (0..d).map(|k| carried[k * p + i] * n.state[k]).sum::<f64>();
            for j in 0..p {
                let taken: f64 = (0..d).map(|k| n.mixed[k * p + i] * carried[k * p + j]).sum();
                information[i * p + j] += n.by_theta[i * p + j] - taken;
            }
        }
    }
    (information, gradient)
}

/// A⁻¹ b of a symmetric positive matrix, by its eigenvalues after scaling; `None` where it is singular.
fn solved(a: &[f64], b: &[f64], n: usize) -> Option<Vec<f64>> {
    let unit: Vec<f64> = (0..n).map(|i| 1.0 / a[i * n + i].sqrt()).collect();
    if !unit.iter().all(|u| u.is_finite()) {
        return None;
    }
    let scaled = Mat::from_fn(n, n, |i, j| unit[i] * a[i * n + j] * unit[j]);
    let (values, vectors) = symmetric_eigen(scaled.as_ref()).ok()?;
    if !(values[0] > 1e-14 * values[n - 1]) {
        return None;
    }
    let along: Vec<f64> =
        (0..n).map(|l| (0..n).map(|i| vectors[(i, l)] * unit[i] * b[i]).sum::<f64>() / values[l]).collect();
    Some((0..n).map(|i| unit[i] * (0..n).map(|l| vectors[(i, l)] * along[l]).sum::<f64>()).collect())
}

/// Inverse of a symmetric positive matrix by Cholesky.
fn inverted(a: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum = a[i * n + j] - (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum::<f64>();
            if i == j {
                if !(sum > 0.0) {
                    return None;
                }
                l[i * n + i] = sum.sqrt();
            } else {
                l[i * n + j] = sum / l[j * n + j];
            }
        }
    }
    let mut inverse = vec![0.0; n * n];
    for column in 0..n {
        let mut x = vec![0.0; n];
        for i in 0..n {
            let right = if i == column { 1.0 } else { 0.0 };
            x[i] = (right - (0..i).map(|k| l[i * n + k] * x[k]).sum::<f64>()) / l[i * n + i];
        }
        for i in (0..n).rev() {
            x[i] = (x[i] - (i + 1..n).map(|k| l[k * n + i] * x[k]).sum::<f64>()) / l[i * n + i];
        }
        (0..n).for_each(|i| inverse[i * n + column] = x[i]);
    }
    Some(inverse)
}
