//! The estimator: stages of growing length, then what the end says.

use std::time::Instant;

use super::backward::backward;
use super::drive::Drive;
use super::forward::{Variances, forward};
use super::links::{CHEAP, flow};
use super::misfit::misfit;
use super::observed::Observed;
use super::scoring::Scoring;
use super::setting;
use super::solve::{End, Held, Iteration, SEARCHED, inverted};
use super::start;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::Estimate;
use crate::sample::Sample;
use crate::scale::time_scale;
use crate::weak::in_words;

/// Turns that the first stage covers, and how much longer each further one is.
const TURNS: f64 = 20.0;
const LONGER: usize = 8;
/// Fewest points of a stage.
const FEWEST: usize = 300;
/// Evaluations of the field per pass over the points, and points that are taken in any case.
const EVALUATIONS: usize = 400_000;
const SOME: usize = 1000;
/// Evaluations per pass over a long record, once the search has ended.
const LONG: usize = 1_600_000;
/// Most steps of a stage, and of the last one.
const STEPS: usize = 25;
const LAST: usize = 50;
/// Most steps on all points of a long record.
const FEW: usize = 15;
/// Share of the velocity that a start may miss.
const MISSED: f64 = 0.2;
/// Noise that a search begins with, as a share of the scatter.
const GUESS: f64 = 0.05;
/// A guess below this variance, in squares of the scatter, is none.
const LEAST_GUESS: f64 = 1e-6;
/// Standard deviation of the first point of a record about the centre, in scales.
const WIDE: f64 = 10.0;
/// A gap of more than this many time scales begins a new record: what is uncertain before it says nothing behind it.
const GAP: f64 = 8.0;
/// Motion beyond the model that is held against it: per step, as a share of the scatter, and in standard errors.
const DRIVEN: f64 = 1e-3;
const SURE: f64 = 6.0;
/// Standard deviations that more noise than declared must exceed.
const BEYOND: f64 = 6.0;

/// The iterated extended Kalman smoother: Gauss–Newton on path and parameters at once; for a system with diffusion the
/// likelihood of a filter by sigma points.
#[derive(Debug, Clone, Default)]
pub struct Smoother {
    /// Standard deviation of the noise of each observed column; estimated if absent.
    pub noise: Option<Vec<f64>>,
    /// The coordinate that each column is; all in their order if absent.
    pub observed: Option<Vec<usize>>,
    /// Standard deviations that the search for the noise begins with, where it is not declared; a twentieth of the scatter if
    /// absent.
    pub guess: Option<Vec<f64>>,
}

impl Smoother {
    /// Parameters from ordered points.
    ///
    /// # Shapes
    /// `start`: one value per free parameter. `sample`: one column per observed coordinate.
    ///
    /// # Cost
    /// Some twenty passes over at most 100 000 points, each with a flow and its variational equations; where the system has a
    /// diffusion over 40 000, each with 2d + 1 flows, two more per driven coordinate, and all that again per unknown.
    ///
    /// # Errors
    /// Points without order, a diffusion that is no multiple of a parameter of its own, flows that cannot be followed.
    pub fn estimate(&self, dynamics: &Dynamics, sample: &Sample, start: &[f64]) -> Result<Estimate, IdentifyError> {
        let clock = Instant::now();
        let Some(dt) = sample.usual_step() else { return Err(IdentifyError::NotOrdered) };
        let which = self.observed.clone().unwrap_or_else(|| (0..dynamics.dim()).collect());
        if [&self.noise, &self.guess].iter().any(|each| each.as_ref().is_some_and(|each| each.len() != which.len())) {
            return Err(IdentifyError::Coordinates { dim: which.len(), columns: sample.dim });
        }
        let mut whole = setting::observed(dynamics, sample, &which, start)?;
        let longest = GAP * scale(dynamics, &whole, start).max(dt);
        let gaps = whole.after.iter().filter(|step| **step > longest).count();
        whole.after.iter_mut().filter(|step| **step > longest).for_each(|step| *step = 0.0);
        let mut remarks = Vec::new();
        if gaps > 0 {
            remarks.push(format!("{gaps} gaps longer than {longest:.3} were left open"));
        }
        let units: Vec<f64> = start.iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
        let relative = |each: &Vec<f64>| -> Vec<f64> {
            each.iter().zip(&which).map(|(s, c)| (s / whole.scales[*c]).powi(2).max(1e-14)).collect()
        };
        let declared = self.noise.as_ref().map(relative);
        if let Some(drive) = Drive::of(dynamics, &points(&whole), start)? {
            let map = flow(dynamics, &whole, &points(&whole), start, CHEAP).ok_or(IdentifyError::FlowLost { dt })?;
            // Beside what drives the motion there may well be no noise of the observations: a guess of none is near it.
            let guess =
                self.guess.as_ref().map(|each| relative(each).into_iter().map(|r| r.max(LEAST_GUESS)).collect());
            let usual = || vec![GUESS * GUESS; which.len()];
            let noise = declared.clone().or(guess).unwrap_or_else(usual);
            let (theta, declared) = (start.to_vec(), declared.is_some());
            let scoring = Scoring { dynamics, map: &map, drive: &drive, theta, units, noise, declared, remarks };
            return Ok(scoring.estimate(&whole, sample.count(), clock));
        }
        let guess = self.guess.as_ref().map_or_else(
            || vec![GUESS * GUESS; which.len()],
            |each| relative(each).into_iter().map(|r| if r > LEAST_GUESS { r } else { GUESS * GUESS }).collect(),
        );
        // Noise that is found along with a path that is not yet right takes up what is wrong with it.
        let held = Held { observation: declared.is_some() || self.guess.is_some(), motion: false };
        let lost = || IdentifyError::FlowLost { dt };
        let (mut theta, mut observation) = (start.to_vec(), declared.clone().unwrap_or(guess));
        let map = flow(dynamics, &whole, &points(&whole), start, CHEAP).ok_or_else(lost)?;
        // Matrices cost more than the field where there are many coordinates.
        let each = map.evaluations() * (whole.dim * whole.dim).div_ceil(16);
        let all = whole;
        let whole = all.first((EVALUATIONS / each).max(SOME));
        let mut ended: Option<(Iteration<'_>, End)> = None;
        for count in stages(dynamics, &whole, sample, start) {
            let observed = whole.first(count);
            let scale = scale(dynamics, &observed, &theta);
            let begin = MISSED * MISSED * (dt / scale).min(1.0);
            let variances = Variances { observation: observation.clone(), motion: Vec::new(), first: WIDE * WIDE };
            let last = count == whole.count();
            let first = flow(dynamics, &observed, &points(&observed), &theta, CHEAP)
                .and_then(|map| start::path(&map, &observed, &dynamics.theta_full(&theta), &variances, begin));
            let run = first.and_then(|(path, variances)| {
                let (theta, units) = (theta.clone(), units.clone());
                let mut iteration =
                    Iteration { dynamics, observed, path, theta, units, variances, held, strict: SEARCHED };
                let end = iteration.run(if last { LAST } else { STEPS })?;
                let end = if last || end.converged { end } else { iteration.run(STEPS)? };
                if !last || !end.converged || declared.is_some() || self.guess.is_none() {
                    return Some((iteration, end));
                }
                iteration.held.observation = false;
                iteration.run(LAST).map(|end| (iteration, end))
            });
            let Some((iteration, end)) = run else {
                remarks.push(format!("the path was lost on the first {count} points; start closer"));
                return Ok(without_end(theta, start, which.len(), remarks, clock));
            };
            theta.clone_from(&iteration.theta);
            observation.clone_from(&iteration.variances.observation);
            // A path that is not found on few points, nor on more of them, is not found on all.
            let again = !end.converged && ended.as_ref().is_some_and(|(_, before)| !before.converged);
            ended = Some((iteration, end));
            if again && !last {
                remarks.push(format!("the search ended on the first {count} points"));
                break;
            }
        }
        let (mut iteration, mut end) = ended.ok_or_else(lost)?;
        let mut taken = whole.count();
        // Where the search has ended few steps are left to go, which all points can afford.
        if end.converged && all.count() > taken {
            let all = all.first((LONG / each).max(taken));
            let count = all.count();
            match prolonged(&iteration, all) {
                Some(found) => ((iteration, end), taken) = (found, count),
                None => remarks.push(format!("the path was lost behind the first {taken} points")),
            }
        }
        if let Some(sharp) = iteration.sharpened(&end, FEW) {
            (iteration, end) = sharp;
        }
        if taken < sample.count() {
            remarks.push(format!("the first {taken} of {} points", sample.count()));
        }
        Ok(concluded(&iteration, &end, start, self.noise.is_some(), remarks, clock))
    }
}

/// The same on more points, if it comes to rest there, too.
fn prolonged<'a>(found: &Iteration<'a>, observed: Observed) -> Option<(Iteration<'a>, End)> {
    let Iteration { dynamics, theta, units, variances, held, .. } = found;
    let begin = MISSED * MISSED * (observed.dt / scale(dynamics, &observed, theta)).min(1.0);
    let map = flow(dynamics, &observed, &points(&observed), theta, CHEAP)?;
    let (path, variances) = start::path(&map, &observed, &dynamics.theta_full(theta), variances, begin)?;
    let (theta, units) = (theta.clone(), units.clone());
    let mut iteration = Iteration { dynamics, observed, path, theta, units, variances, held: *held, strict: SEARCHED };
    let end = iteration.run(FEW)?;
    end.converged.then_some((iteration, end))
}

/// What is said where no path was found.
fn without_end(theta: Vec<f64>, start: &[f64], columns: usize, remarks: Vec<String>, clock: Instant) -> Estimate {
    Estimate {
        estimator: "smoother",
        standard_errors: None,
        covariance: None,
        misfit: None,
        undetermined: Vec::new(),
        converged: false,
        noise: vec![0.0; columns],
        remarks,
        objections: Vec::new(),
        trace: vec![(start.to_vec(), 0.0)],
        theta,
        seconds: clock.elapsed().as_secs_f64(),
    }
}

/// Points of the stages: longer ones have narrower valleys.
fn stages(dynamics: &Dynamics, whole: &Observed, sample: &Sample, theta: &[f64]) -> Vec<usize> {
    let all = whole.count().min(sample.count());
    let turn = std::f64::consts::TAU * scale(dynamics, whole, theta);
    let mut count = ((TURNS * turn / whole.dt) as usize).max(FEWEST);
    let mut stages = Vec::new();
    while count * 2 < all {
        stages.push(count);
        count *= LONGER;
    }
    stages.push(all);
    stages
}

/// Time scale of the system about the centre of what was observed.
fn scale(dynamics: &Dynamics, observed: &Observed, theta: &[f64]) -> f64 {
    time_scale(dynamics.drift.as_ref(), &dynamics.theta_full(theta), &points(observed))
}

/// Points about what was observed, hidden coordinates spread over what the system visits.
fn points(observed: &Observed) -> Vec<f64> {
    let (d, n) = (observed.dim, observed.count());
    let stride = (n / 2000).max(1);
    let mut all = Vec::new();
    for (row, k) in (0..n).step_by(stride).enumerate() {
        let mut x: Vec<f64> = (0..d)
            .map(|c| {
                // Multiples of an irrational number fill the interval evenly.
                let spread = ((row as f64 + 1.0) * (0.618_034 + 0.1 * c as f64)).fract() * 2.0 - 1.0;
                observed.centre[c] + observed.scales[c] * spread
            })
            .collect();
        for (&c, v) in observed.which.iter().zip(observed.row(k)).filter(|(_, v)| !v.is_nan()) {
            x[c] = *v;
        }
        all.extend(x);
    }
    all
}

/// Errors, misfit and words at the end.
fn concluded(
    it: &Iteration<'_>,
    end: &End,
    start: &[f64],
    declared: bool,
    mut remarks: Vec<String>,
    clock: Instant,
) -> Estimate {
    let p = it.theta.len();
    let names = it.dynamics.variables();
    let (inverse, blind) = inverted(&end.forward.information, p);
    let undetermined: Vec<_> =
        blind.iter().map(|v| in_words(v, &it.theta, &it.units, &it.dynamics.names(), true)).collect();
    let touched = |j: usize| undetermined.iter().any(|u| u.direction[j] != 0.0);
    let errors = (0..p).map(|j| (!touched(j)).then(|| inverse[j * p + j].max(0.0).sqrt() * it.units[j])).collect();
    let in_units = |at: usize| inverse[at] * it.units[at / p] * it.units[at % p];
    let covariance = undetermined.is_empty().then(|| (0..p * p).map(in_units).collect());
    let mut objections = Vec::new();
    let mut converged = end.converged;
    if !end.converged {
        remarks.push(format!("path and parameters did not come to rest in {} steps; start closer", end.steps));
    }
    let strict = Variances { motion: vec![it.least_motion(&it.variances); it.observed.dim], ..it.variances.clone() };
    let scale = |c: usize| it.observed.scales[c];
    let shown = |values: &mut dyn Iterator<Item = String>| values.collect::<Vec<_>>().join(", ");
    let levels = it.observed.which.iter().zip(&it.variances.observation);
    let noise: Vec<f64> = levels.map(|(c, r)| r.sqrt() * scale(*c)).collect();
    if !declared {
        let mut each = it.observed.which.iter().zip(&noise).map(|(c, s)| format!("{} {s:.4}", names[*c]));
        remarks.push(format!("noise of the observations found: {}", shown(&mut each)));
    } else {
        for (i, [squared, expected]) in end.backward.observation.iter().enumerate() {
            let seen = it.observed.seen() as f64 / it.observed.which.len() as f64;
            if squared / expected - 1.0 > BEYOND * (2.0 / seen).sqrt() + 0.1 {
                objections.push(format!(
                    "{} has more noise than was declared, {:.2} times its variance: give --noise auto",
                    names[it.observed.which[i]],
                    squared / expected
                ));
            }
        }
    }
    let driven: Vec<usize> = (0..it.observed.dim).filter(|c| it.variances.motion[*c].sqrt() > DRIVEN).collect();
    if !driven.is_empty()
        && let Some(links) = it.links(&it.path, &it.theta)
    {
        let ahead = forward(&it.observed, &it.path, &links, &strict, p);
        let back = backward(&it.observed, &links, &ahead, &vec![0.0; p]);
        let as_if = |c: usize| {
            let diffusion = it.variances.motion[c] * scale(c).powi(2) / (2.0 * it.observed.dt);
            format!("as if {} were driven by noise of D = {diffusion:.2e}", names[c])
        };
        let sure = driven.iter().find(|c| mean_over_error(&back.stretches[**c]) > SURE);
        match sure {
            Some(&c) => objections.push(format!(
                "the path leaves the flow by more than noise of the observations explains, {}: a term is missing, or declare [diffusion]",
                as_if(c)
            )),
            // What the points do not tell is told.
            None => remarks.push(format!(
                "some of what is left was put down to the motion, {}: these points do not tell it from noise of the observations",
                as_if(driven[0])
            )),
        }
    }
    converged &= inverse.iter().all(|v| v.is_finite());
    let cost = |squares: f64| squares / it.observed.seen() as f64;
    Estimate {
        estimator: "smoother",
        theta: it.theta.clone(),
        standard_errors: Some(errors),
        covariance,
        misfit: misfit(&it.observed, &it.path, &end.forward, &inverse),
        undetermined,
        converged,
        noise,
        remarks,
        objections,
        trace: vec![(start.to_vec(), end.first), (it.theta.clone(), cost(end.forward.squares))],
        seconds: clock.elapsed().as_secs_f64(),
    }
}

/// Mean of some numbers over its standard error.
fn mean_over_error(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    mean / (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt()
}
