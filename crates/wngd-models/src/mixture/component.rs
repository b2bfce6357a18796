use wngd_linalg::Grid;

use super::parameters::{Covariances, MixtureParameters, Parameter};

/// One Gaussian with its precision, ready to be evaluated on a grid.
#[derive(Debug, Clone)]
pub(super) struct Component {
    mean: Vec<f64>,
    /// Precision matrix, d x d.
    precision: [[f64; 3]; 3],
    /// ln of the normalisation.
    log_scale: f64,
    /// exp of the exponent along each axis, where the covariance is diagonal.
    axes: Option<Vec<Vec<f64>>>,
}

impl Component {
    pub(super) fn new(grid: &Grid, parameters: &MixtureParameters, i: usize) -> Self {
        let dim = grid.dim();
        let mut covariance = [[0.0; 3]; 3];
        for a in 0..dim {
            match &parameters.covariances {
                Covariances::Identity => covariance[a][a] = 1.0,
                Covariances::Isotropic(v) => covariance[a][a] = v[i],
                Covariances::Diagonal(v) => covariance[a][a] = v[i][a],
                Covariances::Full(v) => (0..dim).for_each(|b| covariance[a][b] = v[i][a][b]),
            }
        }
        let (precision, log_determinant) = invert(&covariance, dim);
        let mean = parameters.means[i].clone();
        let log_scale = -0.5 * (dim as f64 * (2.0 * std::f64::consts::PI).ln() + log_determinant);
        let axes = (!matches!(parameters.covariances, Covariances::Full(_))).then(|| {
            (0..dim)
                .map(|a| {
                    // The normalisation goes with the first axis.
                    let shift = if a == 0 { log_scale } else { 0.0 };
                    let centers = grid.centers(a);
                    centers.iter().map(|x| (shift - 0.5 * precision[a][a] * (x - mean[a]).powi(2)).exp()).collect()
                })
                .collect()
        });
        Self { mean, precision, log_scale, axes }
    }

    /// ln N(x).
    pub(super) fn log_density(&self, x: &[f64]) -> f64 {
        let score = self.score(x);
        let exponent: f64 = (0..self.mean.len()).map(|a| (x[a] - self.mean[a]) * score[a]).sum();
        self.log_scale - 0.5 * exponent
    }

    /// P (x − μ).
    fn score(&self, x: &[f64]) -> [f64; 3] {
        let mut score = [0.0; 3];
        for a in 0..self.mean.len() {
            for b in 0..self.mean.len() {
                score[a] += self.precision[a][b] * (x[b] - self.mean[b]);
            }
        }
        score
    }

    /// Adds `factor` · N to the cells `first .. first + out.len()` of a row-major grid.
    pub(super) fn add_density(&self, grid: &Grid, first: usize, factor: f64, out: &mut [f64]) {
        match &self.axes {
            None => {
                for (offset, value) in out.iter_mut().enumerate() {
                    let x = grid.center(first + offset);
                    *value += factor * self.log_density(&x).exp();
                }
            }
            Some(axes) => {
                let n = *grid.cells().last().unwrap_or(&1);
                let inner = &axes[axes.len() - 1];
                let mut offset = 0;
                while offset < out.len() {
                    let cell = first + offset;
                    let (row, column) = (cell / n, cell % n);
                    let length = (n - column).min(out.len() - offset);
                    let prefix = factor * self.row_factor(grid, axes, row);
                    for (value, e) in out[offset..offset + length].iter_mut().zip(&inner[column..]) {
                        *value += prefix * e;
                    }
                    offset += length;
                }
            }
        }
    }

    /// Product of the axis factors of all axes but the last for one row of the grid.
    fn row_factor(&self, grid: &Grid, axes: &[Vec<f64>], row: usize) -> f64 {
        let mut rest = row;
        let mut product = 1.0;
        for a in (0..axes.len() - 1).rev() {
            product *= axes[a][rest % grid.cells()[a]];
            rest /= grid.cells()[a];
        }
        product
    }

    /// Fills `out` with ∂(w N)/∂parameter of this component's own parameters, all cells.
    pub(super) fn fill_derivative(&self, grid: &Grid, weight: f64, parameter: Parameter, out: &mut [f64]) {
        match &self.axes {
            Some(axes) => self.fill_separable_derivative(grid, axes, weight, parameter, out),
            None => {
                let p = &self.precision;
                for (cell, value) in out.iter_mut().enumerate() {
                    let x = grid.center(cell);
                    let s = self.score(&x);
                    // ∂N = N · polynomial in P(x − μ); an off-diagonal entry stands for both of its twins.
                    let polynomial = match parameter {
                        Parameter::Mean(_, a) => s[a],
                        Parameter::Covariance(_, a, b) => (s[a] * s[b] - p[a][b]) * if a == b { 0.5 } else { 1.0 },
                        _ => unreachable!("a full covariance has no variances, and weights are not its own"),
                    };
                    *value = weight * self.log_density(&x).exp() * polynomial;
                }
            }
        }
    }

    /// As [`fill_derivative`](Self::fill_derivative) for a diagonal covariance, where
    /// ∂N = N · Σ_a q_a(x_a): one table per axis instead of one polynomial per cell.
    fn fill_separable_derivative(
        &self,
        grid: &Grid,
        axes: &[Vec<f64>],
        weight: f64,
        parameter: Parameter,
        out: &mut [f64],
    ) {
        let last = axes.len() - 1;
        let tables: Vec<Vec<f64>> = (0..axes.len())
            .map(|axis| {
                let p = self.precision[axis][axis];
                let q = |x: f64| {
                    let s = p * (x - self.mean[axis]);
                    match parameter {
                        Parameter::Mean(_, a) if a == axis => s,
                        Parameter::AxisVariance(_, a) if a == axis => 0.5 * (s * s - p),
                        Parameter::Variance(_) => 0.5 * (s * s - p),
                        _ => 0.0,
                    }
                };
                grid.centers(axis).into_iter().map(q).collect()
            })
            .collect();
        for (row, out) in out.chunks_exact_mut(axes[last].len()).enumerate() {
            let prefix = weight * self.row_factor(grid, axes, row);
            let mut rest = row;
            let mut outer = 0.0;
            for a in (0..last).rev() {
                outer += tables[a][rest % grid.cells()[a]];
                rest /= grid.cells()[a];
            }
            for ((value, e), q) in out.iter_mut().zip(&axes[last]).zip(&tables[last]) {
                *value = prefix * e * (outer + q);
            }
        }
    }
}

/// Inverse and log-determinant of a small positive definite matrix.
fn invert(a: &[[f64; 3]; 3], dim: usize) -> ([[f64; 3]; 3], f64) {
    let mut l = [[0.0; 3]; 3];
    for i in 0..dim {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            l[i][j] = if i == j { (a[i][i] - known).sqrt() } else { (a[i][j] - known) / l[j][j] };
        }
    }
    let log_determinant = 2.0 * (0..dim).map(|i| l[i][i].ln()).sum::<f64>();
    let mut inverse = [[0.0; 3]; 3];
    for c in 0..dim {
        let mut x = [0.0; 3];
        for i in 0..dim {
            let known: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
            x[i] = ((if i == c { 1.0 } else { 0.0 }) - known) / l[i][i];
        }
        for i in (0..dim).rev() {
            let known: f64 = (i + 1..dim).map(|k| l[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / l[i][i];
        }
        for i in 0..dim {
            inverse[i][c] = x[i];
        }
    }
    (inverse, log_determinant)
}
