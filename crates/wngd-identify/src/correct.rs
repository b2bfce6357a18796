//! Indirect inference: simulations at the estimate tell its bias.

use rayon::prelude::*;
use wngd_linalg::dense::small_svd;
use wngd_linalg::faer::Mat;

use crate::error::IdentifyError;
use crate::event::Event;
use crate::found::{Correction, Identification};
use crate::level::Level;
use crate::problem::{Problem, Settings};
use crate::score::Score;
use crate::shifts::Shifts;
use crate::simulate::{Noise, one_of, simulate};

/// Most points of a simulated trajectory.
const MAX_POINTS: usize = 2_000_000;
/// Time scales before the first point of a simulated trajectory.
const BURN_IN: f64 = 300.0;
/// Largest correction, as a share of each parameter.
const LONGEST: f64 = 0.5;
/// Distance of the simulations that measure a response, as a share of each parameter.
const APART: f64 = 0.05;
/// Directions whose measured response is below this share of the largest are left alone.
const UNSEEN: f64 = 1e-3;
/// A correction counts as worse if it raises the mismatch by this many times its noise.
const WORSE: f64 = 2.0;
/// Why an interrupted correction has no standard errors.
const STOPPED: &str = "stopped before the corrections ended in noise";

/// Where the mismatch was lowest up to now.
struct Best {
    theta: Vec<f64>,
    moved: Vec<f64>,
    size: f64,
}

/// What a correction needs besides the parameters.
struct Simulator<'a> {
    problem: &'a Problem,
    level: &'a Level,
    score: &'a Score,
    points: &'a [f64],
    /// Points of a simulated trajectory.
    count: usize,
    replicates: usize,
    seed: u64,
    dt: f64,
    burn_in: f64,
    noise: &'a [f64],
    data: &'a [f64],
    kept: &'a Shifts<'a>,
}

impl Simulator<'_> {
    /// The shifts that trajectories simulated at θ ask for; `round` tells their random numbers apart.
    fn shifts(&self, theta: &[f64], round: usize) -> Result<Vec<Vec<f64>>, IdentifyError> {
        (0..self.replicates)
            .into_par_iter()
            .map(|replicate| {
                let stream = (round * self.replicates + replicate + 1) as u64;
                self.kept.get(theta, stream, || {
                    let path = self.path(theta, stream)?;
                    Ok(self.score.shift(&self.level.bin(&path)?.density, self.data))
                })
            })
            .collect()
    }

    /// A trajectory at θ, seen through the noise of the data.
    fn path(&self, theta: &[f64], stream: u64) -> Result<Vec<f64>, IdentifyError> {
        let field = self.problem.field.as_ref();
        // The data's own points are on its attractor, whichever of several that is.
        let start = one_of(self.points, field.dim(), self.seed, stream);
        let full = self.level.model.density.theta_full(theta)?;
        let mut path = simulate(field, &full, start, self.dt, self.count, self.burn_in)?;
        let mut noise = Noise::new(self.noise.to_vec(), self.seed, stream);
        path.chunks_exact_mut(self.noise.len()).for_each(|point| noise.add(point));
        Ok(path)
    }

    /// Derivative of the mean shift by the parameters, from simulations on both sides of θ; the model says it
    /// is the identity.
    fn response(&self, theta: &[f64], round: usize) -> Result<Mat<f64>, IdentifyError> {
        let p = theta.len();
        let mut response = Mat::zeros(p, p);
        for j in 0..p {
            let step = APART * self.score.identifiability.scale[j];
            let side = |sign: f64| {
                let mut at = theta.to_vec();
                at[j] += sign * step;
                Ok::<_, IdentifyError>(means(&self.shifts(&at, round)?))
            };
            let (above, below) = (side(1.0)?, side(-1.0)?);
            (0..p).for_each(|i| response[(i, j)] = (above[i] - below[i]) / (2.0 * step));
        }
        Ok(response)
    }
}

/// θ ← θ − mean of the shifts H⁻¹ |c| qᵀ(ρ_simulated − ρ*) at θ.
///
/// Where the mismatch grows or nothing can be simulated, the step is halved, and from then on the response of
/// the shifts to θ is measured by simulations instead of taken from the model.
pub(crate) fn correct(
    problem: &Problem,
    level: &Level,
    score: &Score,
    points: &[f64],
    settings: &Settings,
    kept: &Shifts<'_>,
    watch: &mut dyn FnMut(&Event<'_>),
    found: &mut Identification,
) {
    let all = points.len() / problem.field.dim();
    let count = all.min(MAX_POINTS);
    let (noise, data) = (found.noise.clone(), found.data.clone());
    let simulator = Simulator {
        problem,
        level,
        score,
        points,
        count,
        replicates: settings.replicates,
        seed: settings.seed,
        dt: found.dt,
        burn_in: BURN_IN * found.time_scale,
        noise: &noise,
        data: &data,
        kept,
    };
    let mut measured: Option<Mat<f64>> = None;
    let mut best: Option<Best> = None;
    // A fit that was stopped is not the one to correct.
    if kept.stopped() {
        return give_up(found, &best, STOPPED);
    }
    if let Some(better) = better_start(&simulator, problem.start(), &found.raw, 2 * settings.corrections) {
        // A fit this biased says little about the response, either.
        found
            .notes
            .push("simulations at the start are closer to the data than at the raw fit: corrected from there".into());
        found.theta = better;
        measured = simulator.response(&found.theta, settings.corrections).ok();
    }
    for round in 0..settings.corrections {
        if kept.stopped() {
            return give_up(found, &best, STOPPED);
        }
        let theta = found.theta.clone();
        let outcome = simulator.shifts(&theta, round);
        let failure = outcome.as_ref().err().map(ToString::to_string);
        let shifts = outcome.unwrap_or_default();
        let moved = means(&shifts);
        let (size, spread) = (score.size(&moved), spread_of(score, &shifts, &moved));
        let worse = best.as_ref().is_some_and(|best| failure.is_some() || size > best.size + WORSE * spread);
        let reason = failure.unwrap_or_else(|| "the mismatch grew".into());
        match &best {
            None if shifts.is_empty() => {
                found.notes.push(format!("the raw fit cannot be simulated: {reason}"));
                return give_up(found, &best, "the raw fit cannot be simulated; these are the raw, biased parameters");
            }
            Some(best) if worse => {
                found.notes.push(format!("correction {} went too far: {reason}", round + 1));
                if measured.is_none() {
                    watch(&Event::Measuring);
                    match simulator.response(&best.theta, settings.corrections + round) {
                        Ok(response) => measured = Some(response),
                        Err(error) => found.notes.push(format!("the response was not measured: {error}")),
                    }
                    found.theta = next(score, &best.theta, &best.moved, measured.as_ref());
                } else {
                    found.theta = best.theta.iter().zip(&theta).map(|(a, b)| 0.5 * (a + b)).collect();
                }
                found.corrections.push(Correction { theta, shifts, corrected: found.theta.clone(), accepted: false });
                continue;
            }
            _ => {}
        }
        if measured.is_some()
            && let Ok(response) = simulator.response(&theta, settings.corrections + round)
        {
            measured = Some(response);
        }
        found.theta = next(score, &theta, &moved, measured.as_ref());
        watch(&Event::Correction { number: round + 1, theta: &found.theta });
        let change: Vec<f64> = theta.iter().zip(&found.theta).map(|(t, n)| t - n).collect();
        best = Some(Best { theta: theta.clone(), moved, size });
        found.corrections.push(Correction { theta, shifts, corrected: found.theta.clone(), accepted: true });
        found.standard_errors = replicate_errors(&found.corrections, measured.as_ref(), count as f64 / all as f64);
        // What is left is noise.
        if found.standard_errors.iter().any(|errors| change.iter().zip(errors).all(|(m, e)| m.abs() <= *e)) {
            return finish(&simulator, settings.corrections + round, measured.is_some(), watch, found);
        }
    }
    give_up(found, &best, "the last correction still exceeds the noise; give more corrections or cells");
}

/// Measures how the shifts respond to θ at the end: the model's idea of it steered the corrections, but their
/// last step and the standard errors should not depend on it.
fn finish(
    simulator: &Simulator<'_>,
    round: usize,
    far: bool,
    watch: &mut dyn FnMut(&Event<'_>),
    found: &mut Identification,
) {
    if far {
        // It is needed where the system changes its nature with θ: nothing is linear there.
        found.standard_errors = None;
        let note = "the response to the parameters had to be measured far from the end: no standard errors";
        return found.notes.push(note.into());
    }
    let Some(last) = found.corrections.last_mut() else { return };
    watch(&Event::Response);
    match simulator.response(&last.theta, round) {
        Ok(response) => {
            found.theta = next(simulator.score, &last.theta, &means(&last.shifts), Some(&response));
            last.corrected.clone_from(&found.theta);
            let share = simulator.count as f64 * simulator.problem.field.dim() as f64 / simulator.points.len() as f64;
            found.standard_errors = replicate_errors(&found.corrections, Some(&response), share);
        }
        Err(error) => found.notes.push(format!("standard errors by the model's response: {error}")),
    }
}

/// The start, if simulations there are closer to the data than at the raw fit.
fn better_start(simulator: &Simulator<'_>, start: Vec<f64>, raw: &[f64], round: usize) -> Option<Vec<f64>> {
    let size = |theta: &[f64]| simulator.shifts(theta, round).map(|shifts| simulator.score.size(&means(&shifts)));
    let at_start = size(&start).ok()?;
    // At a raw fit that cannot be simulated nothing is close.
    let at_raw = size(raw).unwrap_or(f64::INFINITY);
    (at_start < at_raw).then_some(start)
}

/// θ less the mean shift, or less what explains it by the measured response; never more than half of a parameter.
fn next(score: &Score, theta: &[f64], moved: &[f64], measured: Option<&Mat<f64>>) -> Vec<f64> {
    let step = measured.map_or_else(|| moved.to_vec(), |response| explained(response, moved));
    let scale = &score.identifiability.scale;
    let most = step.iter().zip(scale).fold(0.0, |most: f64, (m, s)| most.max(m.abs() / s));
    let length = (LONGEST / most).min(1.0);
    theta.iter().zip(&step).map(|(t, m)| t - length * m).collect()
}

/// The step that the measured response explains the shift by, of least norm; the shift itself if there is none.
fn explained(response: &Mat<f64>, moved: &[f64]) -> Vec<f64> {
    let Ok((u, values, v)) = small_svd(response.as_ref()) else { return moved.to_vec() };
    let mut step = vec![0.0; moved.len()];
    for (l, value) in values.iter().enumerate().filter(|(_, value)| **value > UNSEEN * values[0]) {
        let along: f64 = moved.iter().enumerate().map(|(i, m)| u[(i, l)] * m).sum();
        step.iter_mut().enumerate().for_each(|(j, s)| *s += v[(j, l)] * along / value);
    }
    step
}

/// Ends without standard errors, at the last parameters that were simulated with success.
fn give_up(found: &mut Identification, best: &Option<Best>, reason: &'static str) {
    if let (Some(best), Some(false)) = (best, found.corrections.last().map(|c| c.accepted)) {
        found.theta.clone_from(&best.theta);
    }
    found.stalled = Some(reason);
    found.standard_errors = None;
}

/// Standard deviation of the size of a mean shift, from the scatter of the shifts.
fn spread_of(score: &Score, shifts: &[Vec<f64>], moved: &[f64]) -> f64 {
    let n = shifts.len() as f64;
    let squares = shifts.iter().map(|shift| {
        let around: Vec<f64> = shift.iter().zip(moved).map(|(s, m)| s - m).collect();
        score.size(&around).powi(2)
    });
    (squares.sum::<f64>() / ((n - 1.0) * n)).sqrt()
}

/// Standard errors of the corrected parameters: noise of the data and of the last mean of replicates.
///
/// The scatter is pooled over accepted corrections, each around its own mean; `share` is the length of a
/// replicate over that of the data, which is as noisy as a replicate of its length. A measured response turns
/// shifts into parameters.
fn replicate_errors(corrections: &[Correction], measured: Option<&Mat<f64>>, share: f64) -> Option<Vec<f64>> {
    let accepted: Vec<&Correction> = corrections.iter().filter(|c| c.accepted).collect();
    let last = accepted.last()?;
    let (replicates, p) = (last.shifts.len(), last.theta.len());
    let freedom = accepted.len() * (replicates - 1);
    if freedom == 0 {
        return None;
    }
    let mut squares = vec![0.0; p];
    for correction in &accepted {
        let center = means(&correction.shifts);
        for shift in &correction.shifts {
            let around: Vec<f64> = shift.iter().zip(&center).map(|(s, c)| s - c).collect();
            let around = measured.map_or_else(|| around.clone(), |response| explained(response, &around));
            squares.iter_mut().zip(around).for_each(|(s, a)| *s += a * a);
        }
    }
    Some(squares.iter().map(|s| (s / freedom as f64 * (share + 1.0 / replicates as f64)).sqrt()).collect())
}

fn means(shifts: &[Vec<f64>]) -> Vec<f64> {
    let p = shifts.first().map_or(0, Vec::len);
    (0..p).map(|j| mean(shifts.iter().map(|shift| shift[j]))).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len() as f64;
    values.sum::<f64>() / count
}
