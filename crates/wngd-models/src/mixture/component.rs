use std::ops::Range;

use wngd_linalg::Grid;

use super::average::Averages;
use super::axis::Axis;
use super::exponential::exponentials;
use super::gaussian::Gaussian;
use super::parameters::{Covariances, MixtureParameters, Parameter};

/// One Gaussian with its precision, ready to be evaluated on a grid.
#[derive(Debug, Clone)]
pub(super) struct Component {
    mean: Vec<f64>,
    /// Precision matrix, d x d.
    precision: [[f64; 3]; 3],
    /// ln of the normalisation.
    log_scale: f64,
    form: Form,
}

/// How a component's values in cells come about.
#[derive(Debug, Clone)]
enum Form {
    /// At the centres, cell by cell.
    Centres,
    /// Products of values along the axes, at the centres or as means over the cells.
    Axes(Vec<Axis>),
    /// Means over the cells.
    Averages(Averages),
}

/// What a component's value in a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellValue {
    /// Its density at the centre.
    Centre,
    /// The mean of its density.
    Mean,
}

impl Component {
    /// Component `i`; with `scores` if derivatives will be asked for.
    pub(super) fn new(grid: &Grid, parameters: &MixtureParameters, i: usize, value: CellValue, scores: bool) -> Self {
        let dim = grid.dim();
        let Shape { covariance, precision, log_scale } = Shape::of(parameters, i, dim);
        let mean = parameters.means[i].clone();
        // One axis is separable whatever its covariance is called.
        let separable = !matches!(parameters.covariances, Covariances::Full(_));
        let form = match value {
            CellValue::Centre if separable => {
                // The normalisation goes with the first axis.
                let shift = |a: usize| if a == 0 { log_scale } else { 0.0 };
                Form::Axes((0..dim).map(|a| Axis::at_centres(grid, a, mean[a], precision[a][a], shift(a))).collect())
            }
            CellValue::Centre => Form::Centres,
            CellValue::Mean if separable || dim == 1 => {
                Form::Axes((0..dim).map(|a| Axis::cell_means(grid, a, mean[a], covariance[a][a])).collect())
            }
            CellValue::Mean => {
                let variances = std::array::from_fn(|a| covariance[a][a]);
                let gaussian = Gaussian { mean: &mean, precision: &precision, variances, log_scale };
                Form::Averages(Averages::new(grid, &gaussian, scores))
            }
        };
        Self { mean, precision, log_scale, form }
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

    /// N at the centres of cells.
    fn at_centres(&self, grid: &Grid, cells: Range<usize>) -> Vec<f64> {
        let mut values: Vec<f64> = cells.map(|cell| self.log_density(&grid.center(cell))).collect();
        exponentials(&mut values);
        values
    }

    /// ln of the value in a cell, right where the value underflows.
    pub(super) fn log_in_cell(&self, grid: &Grid, cell: usize, value: CellValue) -> f64 {
        match (&self.form, value) {
            (Form::Axes(axes), CellValue::Mean) => {
                let at = grid.indices(cell);
                axes.iter().zip(at).map(|(axis, j)| axis.log[j]).sum()
            }
            (Form::Averages(averages), _) => averages.log[cell],
            _ => self.log_density(&grid.center(cell)),
        }
    }

    /// Its values along an axis, where it is a product of such.
    pub(super) fn along(&self, axis: usize) -> Option<&Axis> {
        match &self.form {
            Form::Axes(axes) => axes.get(axis),
            Form::Centres | Form::Averages(_) => None,
        }
    }

    /// ∂ ln(value)/∂parameter of a component's own parameters in a cell.
    pub(super) fn score_in_cell(&self, grid: &Grid, cell: usize, parameter: Parameter) -> f64 {
        match &self.form {
            Form::Axes(axes) => {
                let at = grid.indices(cell);
                (0..axes.len()).map(|a| axes[a].score(a, parameter, at[a])).sum()
            }
            Form::Averages(averages) => averages.scores[cell][slot(parameter)],
            Form::Centres => self.score_at(&grid.center(cell), parameter),
        }
    }

    /// ∂ ln N(x)/∂parameter.
    fn score_at(&self, x: &[f64], parameter: Parameter) -> f64 {
        let (p, s) = (&self.precision, self.score(x));
        // An off-diagonal entry stands for both of its twins.
        match parameter {
            Parameter::Mean(_, a) => s[a],
            Parameter::Covariance(_, a, b) => (s[a] * s[b] - p[a][b]) * if a == b { 0.5 } else { 1.0 },
            _ => unreachable!("a full covariance has no variances, and weights are not its own"),
        }
    }

    /// Adds `factor` · N to the cells `first .. first + out.len()` of a row-major grid.
    pub(super) fn add_density(&self, grid: &Grid, first: usize, factor: f64, out: &mut [f64]) {
        match &self.form {
            Form::Centres => {
                let own = self.at_centres(grid, first..first + out.len());
                out.iter_mut().zip(own).for_each(|(value, own)| *value += factor * own);
            }
            Form::Averages(averages) => {
                out.iter_mut().zip(&averages.value[first..]).for_each(|(value, own)| *value += factor * own);
            }
            Form::Axes(axes) => {
                let n = *grid.cells().last().unwrap_or(&1);
                let inner = &axes[axes.len() - 1].value;
                let mut offset = 0;
                while offset < out.len() {
                    let cell = first + offset;
                    let (row, column) = (cell / n, cell % n);
                    let length = (n - column).min(out.len() - offset);
                    let prefix = factor * row_factor(grid, axes, row);
                    for (value, e) in out[offset..offset + length].iter_mut().zip(&inner[column..]) {
                        *value += prefix * e;
                    }
                    offset += length;
                }
            }
        }
    }

    /// Fills `out` with ∂(w N)/∂parameter of this component's own parameters, all cells.
    pub(super) fn fill_derivative(&self, grid: &Grid, weight: f64, parameter: Parameter, out: &mut [f64]) {
        match &self.form {
            Form::Axes(axes) => fill_separable_derivative(grid, axes, weight, parameter, out),
            Form::Averages(averages) => {
                let slot = slot(parameter);
                for ((value, own), scores) in out.iter_mut().zip(&averages.value).zip(&averages.scores) {
                    *value = weight * own * scores[slot];
                }
            }
            Form::Centres => {
                let own = self.at_centres(grid, 0..out.len());
                for (cell, (value, own)) in out.iter_mut().zip(own).enumerate() {
                    *value = weight * own * self.score_at(&grid.center(cell), parameter);
                }
            }
        }
    }
}

/// Where [`Averages::scores`] has a parameter.
fn slot(parameter: Parameter) -> usize {
    match parameter {
        Parameter::Mean(_, a) => a,
        Parameter::Covariance(_, a, b) => 3 + [[0, 1, 2], [1, 3, 4], [2, 4, 5]][a][b],
        _ => unreachable!("a full covariance has no variances, and weights are not its own"),
    }
}

/// Product of the axis factors of all axes but the last for one row of the grid.
fn row_factor(grid: &Grid, axes: &[Axis], row: usize) -> f64 {
    let mut rest = row;
    let mut product = 1.0;
    for a in (0..axes.len() - 1).rev() {
        product *= axes[a].value[rest % grid.cells()[a]];
        rest /= grid.cells()[a];
    }
    product
}

/// ∂N = N · Σ_a q_a(x_a) where N is a product along the axes: one table per axis instead of one polynomial per cell.
fn fill_separable_derivative(grid: &Grid, axes: &[Axis], weight: f64, parameter: Parameter, out: &mut [f64]) {
    let last = axes.len() - 1;
    let tables: Vec<Vec<f64>> = axes
        .iter()
        .enumerate()
        .map(|(a, axis)| (0..axis.value.len()).map(|j| axis.score(a, parameter, j)).collect())
        .collect();
    for (row, out) in out.chunks_exact_mut(axes[last].value.len()).enumerate() {
        let prefix = weight * row_factor(grid, axes, row);
        let mut rest = row;
        let mut outer = 0.0;
        for a in (0..last).rev() {
            outer += tables[a][rest % grid.cells()[a]];
            rest /= grid.cells()[a];
        }
        for ((value, e), q) in out.iter_mut().zip(&axes[last].value).zip(&tables[last]) {
            *value = prefix * e * (outer + q);
        }
    }
}

/// A component's covariance and what follows from it.
struct Shape {
    covariance: [[f64; 3]; 3],
    precision: [[f64; 3]; 3],
    /// ln of the normalisation.
    log_scale: f64,
}

impl Shape {
    fn of(parameters: &MixtureParameters, i: usize, dim: usize) -> Self {
        let mut covariance = [[0.0; 3]; 3];
        for a in 0..dim {
            match &parameters.covariances {
                Covariances::Full(v) => (0..dim).for_each(|b| covariance[a][b] = v[i][a][b]),
                other => covariance[a][a] = other.variance(i, a),
            }
        }
        let (precision, log_determinant) = invert(&covariance, dim);
        let log_scale = -0.5 * (dim as f64 * (2.0 * std::f64::consts::PI).ln() + log_determinant);
        Self { covariance, precision, log_scale }
    }
}

/// ‖Nᵢ‖₂ of a component's values in the cells, if all of it lies in the box: ∫N² = 2^{−d/2} N(μ).
pub(super) fn norm_in_cells(grid: &Grid, parameters: &MixtureParameters, i: usize) -> f64 {
    let peak = Shape::of(parameters, i, grid.dim()).log_scale.exp();
    (peak * 0.5f64.powf(0.5 * grid.dim() as f64) / grid.cell_volume()).sqrt()
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
