//! Parameters of a dynamical system from a trajectory: a fit of its stationary density, then indirect
//! inference, which takes out the bias of the discretisation.
//!
//! At the fit θ₀ the gradient of the objective vanishes for the data. With q = WZ at θ₀ held fixed, the
//! estimate θ is where it vanishes for trajectories simulated at θ too: |c| qᵀ(ρ_simulated(θ) − ρ*) = 0,
//! p moments of the invariant measure that the adjoint chose. The model's curvature H at θ₀ stands for
//! their Jacobian, so that a correction costs simulations and no fit. Fits of simulated trajectories
//! would do the same at many times the cost, and converge more slowly: their response to θ is
//! not the identity but H⁻¹ times the full Hessian, inverted.
//!
//! # References
//! Gouriéroux, Monfort and Renault 1993, doi:10.1002/jae.3950080507; Gallant and Tauchen 1996,
//! doi:10.1017/S0266466600006976.

use rayon::prelude::*;
use serde::Serialize;
use wngd::linalg::dense::{multiply_transpose, symmetric_eigen};
use wngd::linalg::faer::Mat;
use wngd::models::flow::{Discretisation, StationaryDensity, System};
use wngd::models::{Binning, bin_trajectory, block_covariance, box_of};
use wngd::opt::{sandwich_covariance, standard_errors};
use wngd::prelude::*;

use crate::error::CliError;
use crate::interrupt;
use crate::simulation::{perturbed, simulate};

/// How the density of a system is computed: time, step and points as tested on Lorenz' system.
const SCHEME: Discretisation = Discretisation::SemiLagrangian { time: 0.2, step: 0.01, points: 2, restart: 1e-6 };
/// Marquardt damping of the directions.
const DAMPING: f64 = 1e-3;
/// Fraction of the promised decrease that a step must bring.
const C1: f64 = 1e-4;
/// Relative step at which a fit ends.
const RELATIVE_STEP: f64 = 1e-5;
/// Eigenvalues of the curvature below this share of the largest belong to undetermined combinations.
const UNDETERMINED: f64 = 1e-10;
/// Iterations of one fit.
const ITERATIONS: usize = 40;
/// Room around the data, as a share of its range, on either side.
const MARGIN: f64 = 0.1;
/// A coarser level than this says little.
const COARSEST: usize = 8;
/// Most points of a simulated trajectory.
const MAX_POINTS: usize = 2_000_000;
/// Time before the first point of a simulated trajectory.
const BURN_IN: f64 = 50.0;
/// Blocks for the noise of the data.
const BLOCKS: usize = 50;

/// What to do with a trajectory.
pub struct Settings {
    /// Cells of the grid per axis.
    pub cells: usize,
    /// Simulated trajectories per correction; 0 for no correction.
    pub replicates: usize,
    /// Corrections.
    pub corrections: usize,
    /// Time between the points of the data, if known.
    pub dt: Option<f64>,
    /// Seed of the simulations.
    pub seed: u64,
}

/// One correction by simulated trajectories.
#[derive(Debug, Clone, Serialize)]
pub struct Correction {
    /// Parameters simulated.
    pub theta: Vec<f64>,
    /// By how much each simulated trajectory asks to lower them.
    pub shifts: Vec<Vec<f64>>,
    /// Parameters after the correction.
    pub corrected: Vec<f64>,
}

/// Which combinations of parameters the density determines.
#[derive(Debug, Clone, Serialize)]
pub struct Identifiability {
    /// Scale s of each parameter: its size, or 1 at 0.
    pub scale: Vec<f64>,
    /// Eigenvalues of S G S with S = diag(s), ascending.
    pub eigenvalues: Vec<f64>,
    /// Unit eigenvectors in the order of the eigenvalues.
    pub eigenvectors: Vec<Vec<f64>>,
}

/// What was found; everything but the fit goes to `result.json`.
#[derive(Debug, Serialize)]
pub struct Identification {
    /// Fit to the data, before any correction.
    pub raw: Vec<f64>,
    /// Its standard errors from the scatter between stretches of the data, without the bias.
    pub raw_standard_errors: Option<Vec<f64>>,
    /// Corrections, in order.
    pub corrections: Vec<Correction>,
    /// The last corrected parameters, or the raw ones.
    pub theta: Vec<f64>,
    /// Standard errors from the scatter of the replicates.
    pub standard_errors: Option<Vec<f64>>,
    /// Identifiability at the raw fit.
    pub identifiability: Identifiability,
    /// Time between points, given, read or estimated.
    pub dt: f64,
    /// Points used and points outside the box.
    pub points: [usize; 2],
    /// Remarks: what was estimated, what failed.
    pub notes: Vec<String>,
    /// Why the corrections did not end in noise, if so; there are no standard errors then.
    pub stalled: Option<&'static str>,
    /// Grid of the fit.
    #[serde(skip)]
    pub grid: Grid,
    /// Density of the data.
    #[serde(skip)]
    pub data: Vec<f64>,
    /// The fit to the data.
    #[serde(skip)]
    pub fit: Outcome,
}

/// A grid with the model and the metric on it, shared by all fits.
struct Level {
    model: StationaryDensity,
    direction: Natural<Sobolev>,
}

impl Level {
    fn new(system: &System, lower: &[f64], upper: &[f64], cells: usize) -> Result<Self, CliError> {
        let grid = Grid::new(lower, upper, &vec![cells; lower.len()])?;
        let metric = Sobolev::new(&grid, SobolevOrder::HomogeneousMinusOne);
        let model = StationaryDensity::new(system.field.clone(), grid, SCHEME, None, system.theta.clone())?;
        Ok(Self { model, direction: Natural { damping: DAMPING, ..Natural::new(metric) } })
    }

    fn objective(&self, density: Vec<f64>) -> Result<NegativeSobolev, CliError> {
        Ok(NegativeSobolev::new(self.model.grid(), density)?)
    }

    /// The density of points, with the counts inside and outside the box.
    fn bin(&self, points: &[f64]) -> Result<(Vec<f64>, [usize; 2]), CliError> {
        let seen = bin_trajectory(self.model.grid(), points, Binning::Multilinear, 0, 1)?;
        Ok((seen.density, [seen.inside, seen.outside]))
    }

    fn fit(
        &self,
        label: &str,
        density: Vec<f64>,
        theta: &[f64],
        observer: &mut dyn Observer,
    ) -> Result<Outcome, CliError> {
        let stop =
            Stop { iterations: ITERATIONS, relative_objective: 0.0, relative_step: RELATIVE_STEP, gradient: 0.0 };
        let objective = self.objective(density)?;
        Descent { model: &self.model, objective: &objective, direction: &self.direction, stop, keep_models: 0 }
            .run(theta, &mut Armijo::new(1.0, C1), observer)
            .map_err(|source| CliError::Descent { label: label.to_string(), source })
    }
}

/// Identifies the parameters of `system` from `points` (row-major), starting at `start`.
///
/// `report` hears of every stage; `observer` sees the fit to the data on the full grid.
///
/// # Errors
/// Unusable points or settings, a fit to the data that cannot be carried out. A correction that
/// cannot be carried out is left out and noted.
pub fn identify(
    system: &System,
    points: &[f64],
    start: &[f64],
    settings: &Settings,
    report: &(dyn Fn(&str) + Sync),
    observer: &mut dyn Observer,
) -> Result<Identification, CliError> {
    let dim = system.field.dim();
    let (lower, upper) = box_of(points, dim, MARGIN)?;
    let mut notes = Vec::new();
    let mut theta = start.to_vec();
    if settings.cells / 2 >= COARSEST {
        report("coarse fit");
        let level = Level::new(system, &lower, &upper, settings.cells / 2)?;
        match level.fit("coarse", level.bin(points)?.0, &theta, &mut watch) {
            Ok(outcome) => theta.clone_from(&outcome.last().theta),
            Err(error) => notes.push(format!("the fit on the coarse grid was left out: {error}")),
        }
    }
    report(&format!("fit from {}", shown(&theta)));
    let level = Level::new(system, &lower, &upper, settings.cells)?;
    let (data, counts) = level.bin(points)?;
    let fit = level.fit("data", data.clone(), &theta, observer)?;
    let raw = fit.last().theta.clone();
    report(&format!("raw fit {}", shown(&raw)));

    let score = Score::new(&level, &data, &raw)?;
    let raw_standard_errors = match score.standard_errors(&level, points) {
        Ok(errors) => Some(errors),
        Err(error) => {
            notes.push(format!("no standard errors of the raw fit: {error}"));
            None
        }
    };
    let dt = settings.dt.unwrap_or_else(|| {
        let dt = time_step(system, points, &raw);
        notes.push(format!("time between points estimated as {dt:.4}; give it with --dt or a column t"));
        dt
    });
    let mut found = Identification {
        theta: raw.clone(),
        raw,
        raw_standard_errors,
        corrections: Vec::new(),
        standard_errors: None,
        identifiability: score.identifiability.clone(),
        dt,
        points: counts,
        notes,
        stalled: None,
        grid: level.model.grid().clone(),
        data,
        fit,
    };
    if settings.replicates > 0 {
        correct(system, &level, &score, points.len() / dim, settings, report, &mut found);
    }
    Ok(found)
}

/// Indirect inference: θ ← θ − mean of the shifts H⁻¹ |c| qᵀ(ρ_simulated − ρ*) at θ.
fn correct(
    system: &System,
    level: &Level,
    score: &Score,
    points: usize,
    settings: &Settings,
    report: &(dyn Fn(&str) + Sync),
    found: &mut Identification,
) {
    let simulated = points.min(MAX_POINTS);
    let give_up = |found: &mut Identification, reason| {
        found.stalled = Some(reason);
        found.standard_errors = None;
    };
    for round in 0..settings.corrections {
        if interrupt::pressed() {
            return give_up(found, "stopped before the corrections ended in noise");
        }
        let shifts: Result<Vec<Vec<f64>>, CliError> = (0..settings.replicates)
            .into_par_iter()
            .map(|replicate| {
                let stream = (round * settings.replicates + replicate + 1) as u64;
                let start = perturbed(&system.start, settings.seed, stream);
                let path = simulate(system.field.as_ref(), &found.theta, &start, found.dt, simulated, BURN_IN)?;
                Ok(score.shift(&level.bin(&path)?.0, &found.data))
            })
            .collect();
        let shifts = match shifts {
            Ok(shifts) => shifts,
            Err(error) => {
                // Where the system cannot be simulated its density says nothing.
                found.notes.push(format!("correction {} failed: {error}", round + 1));
                found.theta.clone_from(&found.raw);
                return give_up(found, "a corrected point cannot be simulated; these are the raw, biased parameters");
            }
        };
        let theta = found.theta.clone();
        let moved: Vec<f64> = (0..theta.len()).map(|j| mean(shifts.iter().map(|shift| shift[j]))).collect();
        found.theta = theta.iter().zip(&moved).map(|(t, m)| t - m).collect();
        report(&format!("correction {}: {}", round + 1, shown(&found.theta)));
        found.corrections.push(Correction { theta, shifts, corrected: found.theta.clone() });
        found.standard_errors = replicate_errors(&found.corrections, simulated as f64 / points as f64);
        // What is left is noise.
        if found.standard_errors.iter().any(|errors| moved.iter().zip(errors).all(|(m, e)| m.abs() <= *e)) {
            return;
        }
    }
    give_up(found, "the last correction still exceeds the noise; give more --corrections or --cells");
}

/// Standard errors of the corrected parameters: noise of the data and of the last mean of replicates.
///
/// The scatter is pooled over corrections, each around its own mean; `share` is the length of a
/// replicate over that of the data.
fn replicate_errors(corrections: &[Correction], share: f64) -> Option<Vec<f64>> {
    let replicates = corrections.last()?.shifts.len();
    let freedom = corrections.len() * (replicates - 1);
    if freedom == 0 {
        return None;
    }
    let squares = |j: usize| -> f64 {
        let around = |c: &Correction| {
            let center = mean(c.shifts.iter().map(|shift| shift[j]));
            c.shifts.iter().map(|shift| (shift[j] - center).powi(2)).sum::<f64>()
        };
        corrections.iter().map(around).sum()
    };
    let p = corrections.last()?.theta.len();
    Some((0..p).map(|j| (squares(j) / freedom as f64 * (share + 1.0 / replicates as f64)).sqrt()).collect())
}

/// The gradient of the fit at fixed parameters as p linear functionals of the data.
struct Score {
    /// |c| W Z (k x p).
    functionals: Mat<f64>,
    /// Curvature H of the fit.
    curvature: Mat<f64>,
    identifiability: Identifiability,
}

impl Score {
    fn new(level: &Level, data: &[f64], theta: &[f64]) -> Result<Self, CliError> {
        let objective = level.objective(data.to_vec())?;
        let at = level.model.linearize(theta)?;
        let z = at.jacobian.into_dense();
        let (p, c) = (z.ncols(), objective.cell_volume());
        let q = objective.curvature(&at.state, z.clone())?;
        let mut product = Mat::zeros(p, p);
        multiply_transpose(product.as_mut(), z.as_ref(), q.as_ref());
        let curvature = Mat::from_fn(p, p, |i, j| 0.5 * c * (product[(i, j)] + product[(j, i)]));
        let scale: Vec<f64> = theta.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        let scaled = Mat::from_fn(p, p, |i, j| scale[i] * curvature[(i, j)] * scale[j]);
        let (eigenvalues, vectors) = symmetric_eigen(scaled.as_ref())?;
        let eigenvectors = (0..p).map(|j| (0..p).map(|i| vectors[(i, j)]).collect()).collect();
        let identifiability = Identifiability { scale, eigenvalues, eigenvectors };
        Ok(Self { functionals: Mat::from_fn(q.nrows(), p, |i, j| c * q[(i, j)]), curvature, identifiability })
    }

    /// H⁻¹ |c| ZᵀW(ρ − ρ*): the parameter change that turns ρ* into ρ, to first order. Combinations
    /// that the density does not determine stay as they are.
    fn shift(&self, density: &[f64], data: &[f64]) -> Vec<f64> {
        let p = self.curvature.nrows();
        let gradient: Vec<f64> = (0..p)
            .map(|j| {
                let differences = density.iter().zip(data).map(|(a, b)| a - b);
                differences.zip(self.functionals.col_as_slice(j)).map(|(d, q)| d * q).sum()
            })
            .collect();
        let Identifiability { scale, eigenvalues, eigenvectors } = &self.identifiability;
        let largest = eigenvalues.last().copied().unwrap_or(0.0);
        let mut shift = vec![0.0; p];
        for (value, vector) in eigenvalues.iter().zip(eigenvectors).filter(|(v, _)| **v > UNDETERMINED * largest) {
            let along: f64 = (0..p).map(|i| vector[i] * scale[i] * gradient[i]).sum();
            (0..p).for_each(|i| shift[i] += scale[i] * vector[i] * along / value);
        }
        shift
    }

    /// Standard errors of the fit from the scatter between stretches of the data.
    fn standard_errors(&self, level: &Level, points: &[f64]) -> Result<Vec<f64>, CliError> {
        let (grid, c) = (level.model.grid(), level.model.grid().cell_volume());
        // |c| ρ sums to 1, so that the functional of a density is the mean of q = WZ over its points.
        let q = Mat::from_fn(grid.len(), self.curvature.nrows(), |i, j| self.functionals[(i, j)] / c);
        let noise = block_covariance(grid, points, Binning::Multilinear, q.as_ref(), BLOCKS)?;
        Ok(standard_errors(&sandwich_covariance(&self.curvature, &noise)?))
    }
}

/// Time between points: mean distance over mean speed. For points in no order it comes out long,
/// as suits points that are nearly independent.
fn time_step(system: &System, points: &[f64], theta: &[f64]) -> f64 {
    let dim = system.field.dim();
    let (mut distance, mut speed) = (0.0, 0.0);
    let mut velocity = vec![0.0; dim];
    for pair in points.chunks_exact(dim).zip(points.chunks_exact(dim).skip(1)) {
        distance += pair.0.iter().zip(pair.1).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        system.field.velocity(pair.0, theta, &mut velocity);
        speed += velocity.iter().map(|v| v * v).sum::<f64>().sqrt();
    }
    (distance / speed).clamp(1e-4, 1.0)
}

/// Ends a fit on Ctrl-C.
fn watch(_: &wngd::opt::Iteration) -> std::ops::ControlFlow<()> {
    if interrupt::pressed() { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}

fn shown(theta: &[f64]) -> String {
    let all: Vec<String> = theta.iter().map(|t| format!("{t:.5}")).collect();
    format!("({})", all.join(", "))
}
