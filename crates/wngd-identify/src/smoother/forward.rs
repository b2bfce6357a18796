//! The Kalman filter along a linearised path, for the path and for its change with the parameters at once.
//!
//! Noise of the observations is independent, so that they are taken one by one: each has a scalar innovation v with variance
//! S, and v/√S are independent of unit variance if the model is right. The derivatives of v by the parameters run through
//! the same gains; Σ v'v'ᵀ/S is the information on the parameters with the path profiled out (its Schur complement).

use super::links::Link;
use super::matrix::{dot, product, product_transposed, symmetrise};
use super::observed::Observed;

/// Variances, in squares of the scales.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Variances {
    /// Of the noise of each observed column.
    pub(super) observation: Vec<f64>,
    /// Of what drives each coordinate over the usual time step.
    pub(super) motion: Vec<f64>,
    /// Of the first point of a record, before it is observed.
    pub(super) first: f64,
}

/// What the filter leaves behind; columns are the path itself and then each parameter.
#[derive(Debug, Clone)]
pub(super) struct Forward {
    /// Predicted deviations from the path: points x coordinates x columns.
    pub(super) mean: Vec<f64>,
    /// Their covariance: points x coordinates x coordinates.
    pub(super) covariance: Vec<f64>,
    /// Gain of each observation: points x observed x coordinates.
    pub(super) gains: Vec<f64>,
    /// Innovations: points x observed x columns.
    pub(super) innovations: Vec<f64>,
    /// Their variances, 0 where a value is missing: points x observed.
    pub(super) variances: Vec<f64>,
    /// Σ v'v'ᵀ/S of the parameters, row-major.
    pub(super) information: Vec<f64>,
    /// Σ v'v/S
    pub(super) gradient: Vec<f64>,
    /// Σ v²/S
    pub(super) squares: f64,
    /// Σ ln S
    pub(super) logs: f64,
    pub(super) columns: usize,
}

/// Filters the observations about a path.
///
/// # Cost
/// 4d³ + 2d²(1 + p) operations per point.
pub(super) fn forward(observed: &Observed, path: &[f64], links: &[Link], variances: &Variances, p: usize) -> Forward {
    let (n, d, m, columns) = (observed.count(), observed.dim, observed.which.len(), 1 + p);
    let mut out = Forward::empty(n, d, m, p);
    let (mut mean, mut covariance) = (vec![0.0; d * columns], vec![0.0; d * d]);
    let (mut moved, mut carried) = (vec![0.0; d * columns], vec![0.0; d * d]);
    for k in 0..n {
        if observed.begins(k) {
            mean.fill(0.0);
            covariance.fill(0.0);
            for c in 0..d {
                mean[c * columns] = (observed.centre[c] - path[k * d + c]) / observed.scales[c];
                covariance[c * d + c] = variances.first;
            }
        } else {
            let link = &links[k - 1];
            product(&link.by_x, &mean, d, columns, &mut moved);
            for c in 0..d {
                moved[c * columns] += link.gap[c];
                (0..p).for_each(|j| moved[c * columns + 1 + j] += link.by_theta[c * p + j]);
            }
            std::mem::swap(&mut mean, &mut moved);
            product(&link.by_x, &covariance, d, d, &mut carried);
            product_transposed(&carried, &link.by_x, d, &mut covariance);
            symmetrise(&mut covariance, d);
            let share = observed.after[k - 1] / observed.dt;
            (0..d).for_each(|c| covariance[c * d + c] += variances.motion[c] * share);
        }
        out.mean[k * d * columns..(k + 1) * d * columns].copy_from_slice(&mean);
        out.covariance[k * d * d..(k + 1) * d * d].copy_from_slice(&covariance);
        for (i, (&c, value)) in observed.which.iter().zip(observed.row(k)).enumerate().filter(|(_, (_, v))| !v.is_nan())
        {
            let residual = (value - path[k * d + c]) / observed.scales[c];
            out.take(k * m + i, c, residual, variances.observation[i], &mut mean, &mut covariance, d);
        }
    }
    out
}

impl Forward {
    /// Room for n points.
    pub(super) fn empty(n: usize, d: usize, m: usize, p: usize) -> Self {
        let columns = 1 + p;
        Self {
            mean: vec![0.0; n * d * columns],
            covariance: vec![0.0; n * d * d],
            gains: vec![0.0; n * m * d],
            innovations: vec![0.0; n * m * columns],
            variances: vec![0.0; n * m],
            information: vec![0.0; p * p],
            gradient: vec![0.0; p],
            squares: 0.0,
            logs: 0.0,
            columns,
        }
    }

    /// Takes observation number `at`, of coordinate `c`, into mean and covariance.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn take(
        &mut self,
        at: usize,
        c: usize,
        residual: f64,
        noise: f64,
        mean: &mut [f64],
        covariance: &mut [f64],
        d: usize,
    ) {
        let (columns, p) = (self.columns, self.columns - 1);
        let variance = covariance[c * d + c] + noise;
        let innovation = &mut self.innovations[at * columns..(at + 1) * columns];
        innovation.iter_mut().zip(&mean[c * columns..(c + 1) * columns]).for_each(|(v, m)| *v = -m);
        innovation[0] += residual;
        let gain = &mut self.gains[at * d..(at + 1) * d];
        gain.iter_mut().zip(&covariance[c * d..(c + 1) * d]).for_each(|(g, s)| *g = s / variance);
        for (row, g) in mean.chunks_exact_mut(columns).zip(gain.iter()) {
            row.iter_mut().zip(innovation.iter()).for_each(|(x, v)| *x += g * v);
        }
        for (i, g) in gain.iter().enumerate() {
            for (j, other) in gain.iter().enumerate() {
                covariance[i * d + j] -= g * other * variance;
            }
        }
        self.variances[at] = variance;
        let (v, by) = (innovation[0], &innovation[1..]);
        for i in 0..p {
            self.gradient[i] += by[i] * v / variance;
            (0..p).for_each(|j| self.information[i * p + j] += by[i] * by[j] / variance);
        }
        self.squares += v * v / variance;
        self.logs += variance.ln();
    }

    /// Innovation number `at` with the parameters moved by `step`.
    pub(super) fn innovation(&self, at: usize, step: &[f64]) -> f64 {
        let all = &self.innovations[at * self.columns..(at + 1) * self.columns];
        all[0] + dot(&all[1..], step)
    }
}
