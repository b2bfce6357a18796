//! The estimator: the width of the windows, generalised least squares, and what the end says.

use std::time::Instant;

use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use super::band::Band;
use super::field::{Field, by_x};
use super::windows::{Equations, Windows};
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, Misfit};
use crate::hotelling::hotelling;
use crate::sample::Sample;
use crate::scale::time_scale;
use crate::weak::{in_words, waves};

/// Half-widths that are tried, in time scales.
const WIDTHS: [f64; 5] = [1.0, 1.5, 2.2, 3.3, 5.0];
/// Fewest steps of a half-width, and fewest windows.
const SHORTEST: usize = 8;
const FEWEST: usize = 40;
/// Points that a width is chosen on.
const TRIED: usize = 6000;
/// Most points.
const POINTS: usize = 100_000;
/// Operations of a factorisation of the covariance, about: many coordinates with noise take fewer points.
const WORK: f64 = 2e9;
/// Time between points in time scales beyond which sums are no integrals.
const DENSE: f64 = 0.3;
/// Most steps where the field is affine in θ, and otherwise.
const AFFINE: usize = 8;
const STEPS: usize = 40;
/// A step of less than this many standard errors, or of this share, ends them.
const STILL: f64 = 0.01;
const SHARE: f64 = 1e-10;
/// Steps after which what noise adds to the score is found again.
const CORRECTED: usize = 3;
/// Difference of parameters that the gradient of ln det S is taken over, in their units.
const APART: f64 = 1e-3;
/// Least variance of an equation as a share of the covariance by noise, and in squares of the scatter.
const FLOOR: f64 = 1e-3;
const LEAST: f64 = 1e-20;
/// Relative curvature that is rounding.
const ROUNDING: f64 = 1e-14;
/// Share of the square of what leaving out every second point changes that is the error of the sums with all of them.
const SUMMED: f64 = 0.06;
/// Error of whoever integrated the data, in standard deviations.
const INTEGRATION: f64 = 1e-6;
/// Errors of data without noise are made this many times wider.
const CAUTION: f64 = 4.0;
/// Products with functions of the points, about.
const PRODUCTS: usize = 24;

/// The weak form in time, on dense ordered data.
#[derive(Debug, Clone, Default)]
pub struct WeakInTime {
    /// Standard deviation of the noise of each coordinate; empty for none.
    pub noise: Vec<f64>,
}

/// The equations at some parameters, in the metric of their covariance.
struct Local {
    equations: Equations,
    field: Field,
    /// Of the free parameters in their units.
    information: Vec<f64>,
    score: Vec<f64>,
    /// Whitened residuals and columns.
    residual: Vec<f64>,
    columns: Vec<Vec<f64>>,
    logs: f64,
    /// Variance of each equation by noise alone.
    diagonal: Vec<f64>,
}

struct Fit<'a> {
    dynamics: &'a Dynamics,
    sample: &'a Sample,
    noise: &'a [f64],
    windows: Windows,
    units: Vec<f64>,
}

/// Where steps ended.
struct End {
    theta: Vec<f64>,
    converged: bool,
    local: Local,
    /// Mean square of the residuals at the start.
    first: f64,
}

impl WeakInTime {
    /// Whether points are close enough in time.
    pub(crate) fn applies(dynamics: &Dynamics, sample: &Sample, theta: &[f64]) -> bool {
        let scale = time_scale(dynamics.drift.as_ref(), &dynamics.theta_full(theta), &sample.points);
        let step = sample.dt.filter(|_| dynamics.diffusion.is_none() && sample.dim == dynamics.dim());
        step.is_some_and(|dt| scale.is_finite() && dt < DENSE * scale && longest(sample) > 4 * SHORTEST + FEWEST)
    }

    /// Parameters from dense ordered points.
    ///
    /// # Shapes
    /// `start`: one value per free parameter; it matters where the field is not affine in them, and for the width of the windows.
    ///
    /// # Cost
    /// Some ten passes over at most 100 000 points.
    ///
    /// # Errors
    /// Points without order, too sparse or too few; a system with diffusion; a field that is not finite at the data.
    pub fn estimate(&self, dynamics: &Dynamics, sample: &Sample, start: &[f64]) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        let noise = if self.noise.is_empty() { vec![0.0; sample.dim] } else { self.noise.clone() };
        if sample.dim != dynamics.dim() || noise.len() != sample.dim {
            return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: sample.dim });
        }
        let Some(dt) = sample.dt.filter(|_| dynamics.diffusion.is_none()) else {
            return Err(IdentifyError::NotOrdered);
        };
        let scale = time_scale(dynamics.drift.as_ref(), &dynamics.theta_full(start), &sample.points);
        if !Self::applies(dynamics, sample, start) {
            return Err(IdentifyError::NotDense { dt, most: DENSE * scale });
        }
        let units: Vec<f64> = start.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        let noisy = noise.iter().any(|s| *s > 0.0);
        // Windows begin some six to a width, and as many neighbours of each are in the band.
        let each = if noisy { (6 * sample.dim).pow(2) * sample.dim } else { 1 };
        let most = POINTS.min(((WORK / each as f64) as usize).max(FEWEST * SHORTEST));
        let tried = sample.head(TRIED.min(most));
        let mut best: Option<(f64, usize)> = None;
        for width in WIDTHS {
            // A field that hardly moves has any time scale.
            let half = ((width * scale / dt).round() as usize).clamp(SHORTEST, longest(&tried).max(SHORTEST));
            let windows = Windows::new(&tried.spans(), half, dt);
            if windows.first.len() < FEWEST || best.is_some_and(|(_, before)| before == half) {
                continue;
            }
            let fit = Fit { dynamics, sample: &tried, noise: &noise, windows, units: units.clone() };
            let end = fit.solved(start.to_vec(), &tried)?;
            let size = fit.size(&end.local, start.len());
            if best.is_none_or(|(least, _)| size < least) {
                best = Some((size, half));
            }
        }
        let Some((_, half)) = best else { return Err(IdentifyError::NotDense { dt, most: DENSE * scale }) };
        let part = sample.head(most);
        let windows = Windows::new(&part.spans(), half, dt);
        let fit = Fit { dynamics, sample: &part, noise: &noise, windows, units };
        let mut remarks = vec![format!("windows of {:.3}", 2.0 * half as f64 * dt)];
        if part.count() < sample.count() {
            remarks.push(format!("the first {} of {} points", part.count(), sample.count()));
        }
        let end = fit.solved(start.to_vec(), &tried)?;
        Ok(fit.concluded(start, end, remarks, clock))
    }
}

fn longest(sample: &Sample) -> usize {
    sample.records.iter().copied().max().unwrap_or(0)
}

impl Fit<'_> {
    /// The equations with their covariance, to which `floor` is added per coordinate; `correction` is taken off the score.
    ///
    /// `field`: that of these parameters, if it is known.
    fn local(
        &self,
        theta: &[f64],
        floor: &[f64],
        correction: &[f64],
        field: Option<Field>,
    ) -> Result<Local, IdentifyError> {
        let p = theta.len();
        let full = self.dynamics.theta_full(theta);
        let field = field.unwrap_or_else(|| Field::at(self.dynamics, self.sample, self.noise, &full));
        let equations = self.windows.equations(self.sample, &field, p);
        let lost = || IdentifyError::FieldNotFinite { theta: full.clone() };
        if equations.residual.iter().chain(&equations.by_theta).any(|v| !v.is_finite()) {
            return Err(lost());
        }
        let (factor, logs, diagonal) =
            factor(&self.windows, self.sample, &field.by_x, self.noise, floor).ok_or_else(lost)?;
        let residual = factor.forward(equations.residual.clone());
        let rows = equations.residual.len();
        let column = |j: usize| (0..rows).map(|r| equations.by_theta[r * p + j] * self.units[j]).collect();
        let columns: Vec<Vec<f64>> = (0..p).map(|j| factor.forward(column(j))).collect();
        let information = (0..p * p).map(|at| dot(&columns[at / p], &columns[at % p])).collect();
        let score = columns.iter().zip(correction).map(|(c, own)| dot(c, &residual) - own).collect();
        Ok(Local { equations, field, information, score, residual, columns, logs, diagonal })
    }

    /// Half the gradient of ln det S, from some of the points: what noise in the derivatives adds to the score.
    fn correction(&self, theta: &[f64], floor: &[f64], some: &Sample) -> Option<Vec<f64>> {
        let p = theta.len();
        if self.noise.iter().all(|s| *s == 0.0) {
            return Some(vec![0.0; p]);
        }
        let windows = Windows::new(&some.spans(), self.windows.half, some.dt?);
        let share = self.windows.first.len() as f64 / windows.first.len() as f64;
        let logs = |j: usize, sign: f64| {
            let mut moved = theta.to_vec();
            moved[j] += sign * APART * self.units[j];
            let slopes = by_x(self.dynamics, some, &self.dynamics.theta_full(&moved));
            Some(factor(&windows, some, &slopes, self.noise, floor)?.1)
        };
        (0..p).map(|j| Some(0.5 * share * (logs(j, 1.0)? - logs(j, -1.0)?) / (2.0 * APART))).collect()
    }

    /// Mean square of the residuals beyond what noise explains, per coordinate.
    fn floor(&self, local: &Local) -> Vec<f64> {
        let (d, count) = (self.sample.dim, self.windows.first.len());
        let one = |c: usize| {
            let rows = (0..count).map(|k| k * d + c);
            let seen = rows.clone().map(|row| local.equations.residual[row].powi(2)).sum::<f64>();
            let noise = rows.map(|row| local.diagonal[row]).sum::<f64>();
            // Scatter of a mean square is no surplus.
            let surplus = seen - noise * (1.0 + 4.0 / (count as f64).sqrt());
            (surplus / count as f64).max(0.0)
        };
        (0..d).map(one).collect()
    }

    /// Gauss–Newton steps; some of the points tell how much noise in derivatives adds to the score.
    fn solved(&self, mut theta: Vec<f64>, some: &Sample) -> Result<End, IdentifyError> {
        let p = theta.len();
        let noisy = self.noise.iter().any(|s| *s > 0.0);
        // Coordinates weigh alike until something is known of them.
        let mut floor = vec![if noisy { 0.0 } else { 1.0 }; self.sample.dim];
        let mut correction = vec![0.0; p];
        let mut local = self.local(&theta, &floor, &correction, None)?;
        let first = dot(&local.equations.residual, &local.equations.residual) / local.residual.len() as f64;
        let value = |local: &Local| dot(&local.residual, &local.residual) + if noisy { local.logs } else { 0.0 };
        for turn in 0..if self.dynamics.affine { AFFINE } else { STEPS } {
            let step = self.step(&local, p);
            let mut length = 1.0;
            let (tried, there) = loop {
                let tried: Vec<f64> =
                    theta.iter().zip(&step).zip(&self.units).map(|((t, s), u)| t + length * s * u).collect();
                let field = self.dynamics.affine.then(|| {
                    let moved: Vec<f64> = tried.iter().zip(&theta).map(|(a, b)| a - b).collect();
                    local.field.moved(self.dynamics, self.sample, &moved, &self.dynamics.theta_full(&tried))
                });
                let there = self.local(&tried, &floor, &correction, field);
                let good = |there: &Local| self.dynamics.affine || value(there) <= value(&local) * (1.0 + 1e-9);
                match there {
                    Ok(there) if good(&there) || length < 1e-3 => break (tried, there),
                    Err(error) if length < 1e-3 => return Err(error),
                    _ => length *= 0.4,
                }
            };
            let short = (0..p).all(|j| {
                let error = 1.0 / local.information[j * p + j].sqrt();
                step[j].abs() < (STILL * error).max(SHARE) && length == 1.0
            });
            let next = self.floor(&there);
            let settled = next.iter().zip(&floor).all(|(a, b)| (a - b).abs() <= 0.1 * a.max(*b).max(LEAST));
            (theta, local) = (tried, there);
            if short && settled && turn > 0 {
                return Ok(End { theta, converged: true, local, first });
            }
            if !settled || (noisy && turn < CORRECTED) {
                floor = next;
                if noisy && turn < CORRECTED {
                    correction = self.correction(&theta, &floor, some).unwrap_or(correction);
                }
                let field = local.field.clone();
                local = self.local(&theta, &floor, &correction, Some(field))?;
            }
        }
        Ok(End { theta, converged: false, local, first })
    }

    fn step(&self, local: &Local, p: usize) -> Vec<f64> {
        let inverse = inverse(&local.information, p).0;
        (0..p).map(|i| -(0..p).map(|j| inverse[i * p + j] * local.score[j]).sum::<f64>()).collect()
    }

    /// Score of each window with what neighbours tell taken out of it, summed over stretches of two widths: whitened rows follow
    /// each other, so that sums over stretches are nearly independent.
    fn draws(&self, rows: &[f64], columns: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let d = self.sample.dim;
        let length = 2 * self.windows.neighbours().max(1) * d;
        let score = |range: std::ops::Range<usize>| {
            columns.iter().map(|c| range.clone().map(|r| c[r] * rows[r]).sum::<f64>()).collect()
        };
        (0..rows.len()).step_by(length).map(|from| score(from..(from + length).min(rows.len()))).collect()
    }

    /// Covariance in units of the parameters by the scatter of the scores.
    fn covariance(&self, local: &Local, p: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (inverse, blind) = inverse(&local.information, p);
        let draws = self.draws(&local.residual, &local.columns);
        let count = draws.len() as f64;
        let mean: Vec<f64> = (0..p).map(|j| draws.iter().map(|row| row[j]).sum::<f64>() / count).collect();
        let mut meat = vec![0.0; p * p];
        for row in &draws {
            (0..p * p).for_each(|at| meat[at] += (row[at / p] - mean[at / p]) * (row[at % p] - mean[at % p]));
        }
        // Without noise what is left is the error of the sums, whose scatter says too little.
        let caution = if self.noise.iter().any(|s| *s > 0.0) { 1.0 } else { CAUTION * CAUTION };
        let factor = caution * count / (count - 1.0).max(1.0);
        let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
            (0..p * p).map(|at| (0..p).map(|l| a[at / p * p + l] * b[l * p + at % p]).sum()).collect()
        };
        (times(&times(&inverse, &meat), &inverse).into_iter().map(|v| factor * v).collect(), blind)
    }

    /// Geometric mean of the standard errors relative to the units.
    fn size(&self, local: &Local, p: usize) -> f64 {
        let covariance = self.covariance(local, p).0;
        (0..p).map(|j| covariance[j * p + j].max(1e-40).ln()).sum::<f64>() / p as f64
    }

    /// Residuals against functions of the points of their windows, less what noise of both has in common.
    fn misfit(&self, local: &Local, inverse: &[f64], p: usize) -> Option<Misfit> {
        let (d, sample) = (self.sample.dim, self.sample);
        let functions = (PRODUCTS / (2 * d)).max(1);
        let waves = waves(&sample.deviations, functions);
        let centres = self.windows.centres(sample);
        let shared = self.windows.shared(sample, &local.field.by_x, self.noise);
        let q = 2 * functions * d;
        let Equations { residual, by_theta } = &local.equations;
        let coarse = self.windows.coarsely(sample, &local.field);
        let summing: f64 = residual.iter().zip(&coarse).map(|(a, b)| (a - b).powi(2)).sum();
        let exact = SUMMED * summing + INTEGRATION * INTEGRATION * residual.len() as f64;
        if self.noise.iter().all(|s| *s == 0.0) && dot(residual, residual) < exact {
            // What is left is the error of the sums, or of whoever integrated the data, which is no misfit.
            return Some(Misfit { statistic: 0.0, degrees_of_freedom: (residual.len() - p) as f64, p_value: 1.0 });
        }
        // The influence of each stretch on the parameters, and that of the parameters on the products.
        let length = 2 * self.windows.neighbours().max(1);
        let scores = self.draws(&local.residual, &local.columns);
        let mut draws: Vec<Vec<f64>> = Vec::new();
        let mut slopes = vec![0.0; q * p];
        for stretch in (0..centres.len()).collect::<Vec<_>>().chunks(length) {
            let mut row = vec![0.0; q];
            for &k in stretch {
                for (f, wave) in waves.iter().enumerate() {
                    let phase: f64 = wave.iter().map(|&(axis, w)| w * centres[k][axis]).sum();
                    let (sine, cosine) = phase.sin_cos();
                    for c in 0..d {
                        let at = k * d + c;
                        let common: f64 = wave.iter().map(|&(axis, w)| w * shared[k][c * d + axis]).sum();
                        for (e, h, slope) in [(2 * f, cosine, -sine), (2 * f + 1, sine, cosine)] {
                            let e = e * d + c;
                            row[e] += h * residual[at] - slope * common;
                            (0..p).for_each(|j| slopes[e * p + j] += h * by_theta[at * p + j] * self.units[j]);
                        }
                    }
                }
            }
            draws.push(row);
        }
        for (row, score) in draws.iter_mut().zip(&scores) {
            let influence: Vec<f64> =
                (0..p).map(|i| -(0..p).map(|j| inverse[i * p + j] * score[j]).sum::<f64>()).collect();
            for (value, slope) in row.iter_mut().zip(slopes.chunks_exact(p.max(1))) {
                *value += dot(slope, &influence);
            }
        }
        hotelling(&draws)
    }

    fn concluded(&self, start: &[f64], end: End, mut remarks: Vec<String>, clock: Instant) -> Estimate {
        let End { theta, converged, local, first } = end;
        let (local, p) = (&local, theta.len());
        let (spread, blind) = self.covariance(local, p);
        let names = self.dynamics.names();
        let undetermined: Vec<_> = blind.iter().map(|v| in_words(v, &theta, &self.units, &names, true)).collect();
        let touched = |j: usize| undetermined.iter().any(|u| u.direction[j] != 0.0);
        let in_units = |at: usize| spread[at] * self.units[at / p] * self.units[at % p];
        let error = |j: usize| (!touched(j)).then(|| in_units(j * p + j).max(0.0).sqrt().max(1e-14 * theta[j].abs()));
        if !converged {
            remarks.push("the parameters did not come to rest; start closer".into());
        }
        let inverse = inverse(&local.information, p).0;
        let misfit = self.misfit(local, &inverse, p);
        let value = dot(&local.equations.residual, &local.equations.residual) / local.residual.len() as f64;
        Estimate {
            estimator: "weak-in-time",
            standard_errors: Some((0..p).map(error).collect()),
            covariance: undetermined.is_empty().then(|| (0..p * p).map(in_units).collect()),
            misfit,
            undetermined,
            converged,
            noise: self.noise.to_vec(),
            remarks,
            objections: Vec::new(),
            trace: vec![(start.to_vec(), first), (theta.clone(), value)],
            theta,
            seconds: clock.elapsed().as_secs_f64(),
        }
    }
}

/// Cholesky's factor of the covariance with at least `floor` per coordinate, its ln det, and the diagonal by noise alone.
fn factor(
    windows: &Windows,
    sample: &Sample,
    by_x: &[f64],
    noise: &[f64],
    floor: &[f64],
) -> Option<(Band, f64, Vec<f64>)> {
    let d = sample.dim;
    let mut band = windows.covariance(sample, by_x, noise);
    let mut diagonal = Vec::with_capacity(windows.first.len() * d);
    for row in 0..windows.first.len() * d {
        let own = band.entry(row, row);
        diagonal.push(*own);
        *own += floor[row % d].max(FLOOR * *own).max(LEAST);
    }
    let (factor, logs) = band.factored()?;
    Some((factor, logs, diagonal))
}

/// Inverse of the information, and the combinations that it does not tell.
fn inverse(information: &[f64], p: usize) -> (Vec<f64>, Vec<Vec<f64>>) {
    // Coordinates may be known to different digits: what is told is told apart after scaling.
    let unit: Vec<f64> = (0..p).map(|j| information[j * p + j].sqrt().max(1e-150)).collect();
    let matrix = Mat::from_fn(p, p, |i, j| information[i * p + j] / (unit[i] * unit[j]));
    let Ok((values, vectors)) = symmetric_eigen(matrix.as_ref()) else { return (vec![f64::NAN; p * p], Vec::new()) };
    let seen = |l: usize| values[l] > ROUNDING * values[p - 1];
    let normed = |l: usize| {
        let v: Vec<f64> = (0..p).map(|i| vectors[(i, l)] / unit[i]).collect();
        let norm = dot(&v, &v).sqrt();
        v.into_iter().map(|x| x / norm).collect()
    };
    let blind = (0..p).filter(|l| !seen(*l)).map(normed).collect();
    let mut inverse = vec![0.0; p * p];
    for l in (0..p).filter(|l| seen(*l)) {
        let entry = |at: usize| vectors[(at / p, l)] * vectors[(at % p, l)] / (values[l] * unit[at / p] * unit[at % p]);
        (0..p * p).for_each(|at| inverse[at] += entry(at));
    }
    (inverse, blind)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
