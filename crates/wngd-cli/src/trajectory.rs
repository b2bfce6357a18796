//! Trajectories as data: files become points, points a density on a grid.

use std::path::PathBuf;

use wngd::linalg::faer::Mat;
use wngd::models::flow::{Discretisation, VelocityField};
use wngd::models::{Binning, GaussianSmoothing, TrajectoryDensity, bin_trajectory, block_covariance};
use wngd::opt::{sandwich_covariance, standard_errors};
use wngd::prelude::*;

use crate::config::schema::BinningKind;
use crate::data::{self, csv::Points};
use crate::error::CliError;

/// Blocks between which the noise of a trajectory is measured.
const BLOCKS: usize = 50;
/// Points that a time scale is estimated from.
const SCALE_POINTS: usize = 20_000;
/// Relative difference of time steps that counts as one.
const SAME_STEP: f64 = 1e-3;

/// Trajectory files and which of their points count.
#[derive(Debug, Clone)]
pub struct Recording {
    /// CSV or NPY files.
    pub paths: Vec<PathBuf>,
    /// Columns of CSV files, in the order of the coordinates.
    pub columns: Option<Vec<String>>,
    /// Points left out at the beginning of each file.
    pub burn_in: usize,
    /// Every how many points one is taken.
    pub stride: usize,
}

impl Recording {
    /// The points that count, of all files in a row.
    ///
    /// # Errors
    /// Unreadable files, columns that do not fit, numbers that are not finite, time steps that differ.
    pub fn read(&self, dim: usize) -> Result<Points, CliError> {
        let mut all = Points { values: Vec::new(), dt: None };
        for path in &self.paths {
            let fail = |problem: String| CliError::Data { path: path.clone(), problem };
            let (file, size) = data::open(path)?;
            let points = if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
                if self.columns.is_some() {
                    return Err(fail(
                        "an NPY file has no named columns; leave columns out and save those needed".into(),
                    ));
                }
                let (shape, values) = data::npy_array(path, file, size)?;
                if !(shape.len() == 2 && shape[1] == dim || dim == 1 && shape.len() == 1) {
                    return Err(fail(format!("shape {shape:?}; {dim} coordinates need shape [points, {dim}]")));
                }
                Points { values, dt: None }
            } else {
                let reader = std::io::BufReader::with_capacity(1 << 20, file);
                data::csv::trajectory(path, reader, self.columns.as_deref(), dim)?
            };
            match (all.dt, points.dt) {
                (Some(a), Some(b)) if (a - b).abs() > SAME_STEP * a => {
                    return Err(fail(format!(
                        "its time step is {b}, that of the files before {a}; resample one of them"
                    )));
                }
                (None, found) => all.dt = found,
                _ => {}
            }
            if self.burn_in == 0 && self.stride == 1 && all.values.is_empty() {
                // No copy of what may be hundreds of megabytes.
                all.values = points.values;
            } else {
                let rows = points.values.chunks_exact(dim).skip(self.burn_in).step_by(self.stride);
                rows.for_each(|row| all.values.extend_from_slice(row));
            }
        }
        all.dt = all.dt.map(|dt| dt * self.stride as f64);
        Ok(all)
    }
}

/// How points become a density on a grid.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// How a point is put on cells.
    pub binning: Binning,
    /// Standard deviation of a Gaussian that the density is smoothed by, in cells; 0 for none.
    pub smoothing: f64,
}

impl From<BinningKind> for Binning {
    fn from(kind: BinningKind) -> Self {
        match kind {
            BinningKind::Multilinear => Binning::Multilinear,
            BinningKind::Nearest => Binning::Nearest,
        }
    }
}

impl View {
    /// The Gaussian on a grid.
    fn kernel(&self, grid: &Grid) -> Result<GaussianSmoothing, CliError> {
        let widths: Vec<f64> = grid.spacing().iter().map(|h| self.smoothing * h).collect();
        GaussianSmoothing::new(grid, &widths).map_err(|e| CliError::usage("smoothing", e.to_string()))
    }

    /// The density of points, with the counts inside and outside the box.
    pub fn density(&self, grid: &Grid, points: &[f64]) -> Result<TrajectoryDensity, CliError> {
        let mut seen = bin_trajectory(grid, points, self.binning, 0, 1)?;
        self.kernel(grid)?.apply(&mut seen.density);
        Ok(seen)
    }

    /// Covariance of argmin f for a trajectory: the sandwich of the curvature H of f and the scatter of its
    /// gradient between stretches of the trajectory, since successive points are correlated.
    ///
    /// `functionals`: q = WZ (k x p), whose means over the density are the gradient up to a constant.
    pub fn covariance(
        &self,
        grid: &Grid,
        points: &[f64],
        curvature: &Mat<f64>,
        mut functionals: Mat<f64>,
    ) -> Result<Mat<f64>, CliError> {
        let kernel = self.kernel(grid)?;
        // qᵀ(Sρ) = (Sᵀq)ᵀρ.
        for j in 0..functionals.ncols() {
            kernel.apply_transpose(functionals.col_as_slice_mut(j));
        }
        let noise = block_covariance(grid, points, self.binning, functionals.as_ref(), BLOCKS)?;
        Ok(sandwich_covariance(curvature, &noise)?)
    }

    /// Standard errors of a fit that ended at θ, by [`covariance`](Self::covariance).
    pub fn standard_errors_at<M: ForwardModel>(
        &self,
        grid: &Grid,
        points: &[f64],
        model: &M,
        objective: &dyn Objective,
        theta: &[f64],
    ) -> Result<Vec<f64>, CliError> {
        let Linearization { state, jacobian } = model.linearize(theta)?;
        let z = jacobian.into_dense();
        let functionals = objective.curvature(&state, z.clone())?;
        let curvature = gauss_newton(&z, &functionals, objective.cell_volume());
        Ok(standard_errors(&self.covariance(grid, points, &curvature, functionals)?))
    }
}

/// |c| ZᵀWZ, symmetric to the last bit.
pub fn gauss_newton(z: &Mat<f64>, functionals: &Mat<f64>, cell_volume: f64) -> Mat<f64> {
    let p = z.ncols();
    let mut product = Mat::zeros(p, p);
    wngd::linalg::dense::multiply_transpose(product.as_mut(), z.as_ref(), functionals.as_ref());
    Mat::from_fn(p, p, |i, j| 0.5 * cell_volume * (product[(i, j)] + product[(j, i)]))
}

/// Time in which the field at θ moves points by about their own scatter: 1/ω with ω the geometric mean over
/// the axes of (root mean square velocity)/(standard deviation).
pub fn time_scale(field: &dyn VelocityField, theta: &[f64], points: &[f64]) -> f64 {
    let dim = field.dim();
    let stride = (points.len() / dim / SCALE_POINTS).max(1);
    let deviations = deviations(points, dim);
    let (mut squares, mut count, mut velocity) = (vec![0.0; dim], 0.0, vec![0.0; dim]);
    for point in points.chunks_exact(dim).step_by(stride) {
        field.velocity(point, theta, &mut velocity);
        squares.iter_mut().zip(&velocity).for_each(|(s, v)| *s += v * v);
        count += 1.0;
    }
    let rates: Vec<f64> = squares.iter().zip(&deviations).map(|(s, d)| (s / count).sqrt() / d).collect();
    let usable: Vec<f64> = rates.into_iter().filter(|r| r.is_finite() && *r > 0.0).map(f64::ln).collect();
    if usable.is_empty() { 1.0 } else { (-usable.iter().sum::<f64>() / usable.len() as f64).exp() }
}

/// Map time in units of the time scale: a quarter of a turn.
const TURN: f64 = 1.4;
/// Runge–Kutta steps per map.
const STEPS: f64 = 20.0;

/// The semi-Lagrangian scheme for a system of the given time scale.
///
/// Over T = 1.4/ω, a quarter of a turn, a point crosses several cells, so that the smearing of its deposition
/// comes rarely, and still keeps its place on the attractor. For Lorenz' system that is T = 0.2.
pub fn scheme_at(scale: f64) -> Discretisation {
    // Two digits: nearby starts then have the same scheme.
    let unit = 10f64.powf((TURN * scale).log10().floor() - 1.0);
    let time = (TURN * scale / unit).round() * unit;
    Discretisation::SemiLagrangian { time, step: time / STEPS, points: 2, restart: 1e-6 }
}

/// Standard deviation of each coordinate.
pub fn deviations(points: &[f64], dim: usize) -> Vec<f64> {
    let n = (points.len() / dim) as f64;
    (0..dim)
        .map(|axis| {
            let column = || points.iter().skip(axis).step_by(dim);
            let mean = column().sum::<f64>() / n;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
        })
        .collect()
}
