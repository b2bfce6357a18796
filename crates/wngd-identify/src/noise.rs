//! How much noise the observations have.

use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::Estimate;
use crate::rounding::rounding;
use crate::sample::Sample;
use crate::shooting::{Origin, Shooting, expected, origin};
use crate::weak::WeakStationary;

/// Noise below this share of the scatter is left alone.
const LEAST: f64 = 1e-3;
/// Most rounds of parameters and noise in turn.
const ROUNDS: usize = 8;
/// A change this small ends them.
const STILL: f64 = 0.01;
/// Most variables whose noise is an unknown of the weak form each.
pub(crate) const MOST: usize = 12;
/// Standard errors that make noise found.
const FOUND: f64 = 4.0;
/// Mean weight of steps below which differences grow too much to tell noise of the motion.
const REACH: f64 = 0.1;
/// Standard errors by which motion beyond the model is held against it.
const DRIVEN: f64 = 6.0;
/// Noise found beyond this many times what was declared is held against the declaration.
const BEYOND: f64 = 1.5;

/// What there is of noise, and estimates that were made on the way.
pub(crate) struct Finding {
    /// Standard deviation per coordinate.
    pub(crate) noise: Vec<f64>,
    /// Whether it was estimated.
    pub(crate) estimated: bool,
    /// Whether residuals of steps did not tell it, the equations without an order did.
    pub(crate) beyond_steps: bool,
    /// What speaks against the model, whatever the estimator.
    pub(crate) objections: Vec<String>,
    /// What should be told.
    pub(crate) remarks: Vec<String>,
    /// The weak stationary estimate with this noise, if it was made.
    pub(crate) first: Option<Estimate>,
    /// The estimate by shooting, if it applies.
    pub(crate) followed: Option<Result<Estimate, IdentifyError>>,
}

impl Finding {
    /// What is declared, with nothing found.
    pub(crate) fn failed(declared: Option<&Vec<f64>>, dim: usize) -> Self {
        Self {
            noise: declared.cloned().unwrap_or_else(|| vec![0.0; dim]),
            estimated: declared.is_none(),
            beyond_steps: false,
            objections: Vec::new(),
            remarks: Vec::new(),
            first: None,
            followed: None,
        }
    }
}

/// Noise as declared, or from what the residuals of steps say of it.
pub(crate) fn find(
    dynamics: &Dynamics,
    sample: &Sample,
    declared: Option<Vec<f64>>,
    seed: u64,
) -> Result<Finding, IdentifyError> {
    let auto = declared.is_none();
    let noise = declared.unwrap_or_else(|| vec![0.0; sample.dim]);
    let weak = |noise: &[f64]| WeakStationary { noise: noise.to_vec(), seed }.estimate(dynamics, sample);
    let first = match weak(&noise) {
        Err(IdentifyError::NoiseOfOther) if sample.dt.is_none() => return Err(IdentifyError::NoiseOfOther),
        other => other.ok(),
    };
    let mut finding = Finding {
        noise,
        estimated: auto,
        beyond_steps: false,
        objections: Vec::new(),
        remarks: Vec::new(),
        first,
        followed: None,
    };
    if sample.dt.is_none() {
        if auto {
            at_once(dynamics, sample, &mut finding, seed);
        }
        return Ok(finding);
    }
    let theta = finding.first.as_ref().filter(|e| e.converged).map_or_else(|| dynamics.start(), |e| e.theta.clone());
    if dynamics.diffusion.is_none() {
        let mut followed = Shooting.estimate(dynamics, sample, &theta);
        if !followed.as_ref().is_ok_and(Estimate::fits)
            && let Ok(other) = Shooting.estimate(dynamics, sample, &dynamics.start())
            && other.fits()
        {
            followed = Ok(other);
        }
        // Residuals so small that noise in them could bias nothing.
        let small = |e: &Estimate| e.trace.last().is_some_and(|row| row.1 < LEAST * LEAST);
        let exact = followed.as_ref().is_ok_and(|estimate| estimate.fits() && small(estimate));
        finding.followed = Some(followed);
        if exact && finding.noise.iter().all(|s| *s == 0.0) {
            return Ok(finding);
        }
    }
    let found =
        if auto { rounds(dynamics, sample, &mut finding, theta, &weak) } else { origin(dynamics, sample, &theta) };
    if let Some(found) = found {
        held_against(dynamics, sample, &found, None, auto, &mut finding);
    }
    // Over long steps residuals say little of the noise, and say it of a flow at parameters that are not right.
    if auto && finding.first.as_ref().is_some_and(|e| !e.passes()) {
        at_once(dynamics, sample, &mut finding, seed);
        if finding.beyond_steps
            && let Some(theta) = finding.first.as_ref().map(|e| e.theta.clone())
        {
            let like = expected(dynamics, sample, &theta, &finding.noise);
            if let Some(found) = origin(dynamics, sample, &theta) {
                // What steps said before was said at other parameters, and of noise in linear terms.
                finding.objections.clear();
                held_against(dynamics, sample, &found, like.as_deref(), auto, &mut finding);
            }
        }
    }
    let share = finding.noise.iter().zip(&sample.deviations).fold(0.0, |most: f64, (s, d)| most.max(s / d));
    if share > LEAST && finding.followed.is_some() && !finding.beyond_steps {
        // Noise biases steps from point to point; windows with free states bear it, if it does not grow too much in them.
        let usable = |e: &&Estimate| e.converged && e.undetermined.is_empty();
        let one_step = finding.followed.as_ref().and_then(|found| found.as_ref().ok());
        let from = finding.first.as_ref().filter(usable).or(one_step.filter(usable));
        let from = from.map_or_else(|| dynamics.start(), |estimate| estimate.theta.clone());
        finding.followed = Some(Shooting.estimate_with_noise(dynamics, sample, &from, &finding.noise));
    }
    Ok(finding)
}

/// Parameters and noise in one, which asks for no order of the points; kept where the model fits with it. Without an order
/// noise has to be seen, too: nothing else speaks of any.
fn at_once(dynamics: &Dynamics, sample: &Sample, finding: &mut Finding, seed: u64) {
    if sample.dim > MOST {
        if finding.first.as_ref().is_some_and(|e| !e.passes()) {
            finding.remarks.push(format!(
                "noise was not looked for without the order of the points: {} variables, {MOST} at most",
                sample.dim
            ));
        }
        return;
    }
    let weak = WeakStationary { noise: finding.noise.clone(), seed };
    let Ok((estimate, variances)) = weak.estimate_with_noise(dynamics, sample) else { return };
    let found = |c: usize| variances[c].standard_error.map(|error| (variances[c].value, FOUND * error));
    let seen =
        (0..sample.dim).any(|c| found(c).is_some_and(|(v, most)| v > most && v.sqrt() > LEAST * sample.deviations[c]));
    // A variance below 0 by more than chance is another fault than noise.
    let possible = (0..sample.dim).all(|c| found(c).is_none_or(|(v, most)| v > -most));
    if (seen || sample.dt.is_some()) && possible && estimate.fits() {
        finding.noise.clone_from(&estimate.noise);
        finding.first = Some(estimate);
        finding.beyond_steps = sample.dt.is_some();
    }
}

/// Parameters with the noise undone, noise from the residuals at these parameters, in turn.
fn rounds(
    dynamics: &Dynamics,
    sample: &Sample,
    finding: &mut Finding,
    mut theta: Vec<f64>,
    weak: &dyn Fn(&[f64]) -> Result<Estimate, IdentifyError>,
) -> Option<Origin> {
    let mut last = None;
    for _ in 0..ROUNDS {
        let found = origin(dynamics, sample, &theta)?;
        let noise: Vec<f64> = (0..sample.dim)
            .map(|c| {
                let (value, error) = (found.observation[c], found.observation_errors[c]);
                let seen = value > FOUND * error && value.sqrt() > LEAST;
                if seen { value.sqrt() * sample.deviations[c] } else { 0.0 }
            })
            .collect();
        last = Some(found);
        let change = noise.iter().zip(&finding.noise).zip(&sample.deviations);
        let change = change
            .fold(0.0, |most: f64, ((new, old), d)| most.max((new - old).abs() / (new.max(*old) + 0.01 * LEAST * d)));
        if change < STILL {
            break;
        }
        match weak(&noise) {
            Ok(estimate) => {
                theta.clone_from(&estimate.theta);
                finding.noise = noise;
                finding.first = Some(estimate);
            }
            Err(_) => {
                // Windows with free states may bear what moments cannot undo.
                finding.noise = noise;
                finding.first = None;
                break;
            }
        }
    }
    last
}

/// Noise of the motion that the model does not have, noise of the observations beyond what was declared.
///
/// `like`: variances of the former that a right model would show, where they are not nothing.
fn held_against(
    dynamics: &Dynamics,
    sample: &Sample,
    found: &Origin,
    like: Option<&[f64]>,
    auto: bool,
    finding: &mut Finding,
) {
    let rounded = rounding(sample);
    let names = dynamics.variables();
    for c in 0..sample.dim {
        let share = found.observation[c].max(0.0).sqrt();
        let declared = finding.noise[c] / sample.deviations[c];
        let floor = (2.0 * LEAST).max(3.0 * rounded[c] / sample.deviations[c]);
        let seen = found.observation[c] > FOUND * found.observation_errors[c];
        if !auto && seen && share > BEYOND * declared + floor {
            finding.objections.push(format!(
                "{} has noise of {:.2} % of its scatter, {:.2} % was declared: give --noise auto",
                names[c],
                100.0 * share,
                100.0 * declared
            ));
        }
    }
    if dynamics.diffusion.is_some() || found.reach < REACH {
        return;
    }
    // Above what is usual, in standard errors.
    let above = |c: usize| (found.motion[c] - like.map_or(0.0, |like| like[c].max(0.0))) / found.motion_errors[c];
    let counts = |c: &usize| found.motion[*c].sqrt() > 2.0 * LEAST && found.motion[*c] > found.observation[*c].max(0.0);
    let all = (0..sample.dim).map(above).sum::<f64>() / (sample.dim as f64).sqrt();
    let driven = (0..sample.dim).filter(counts).find(|&c| above(c) > DRIVEN || (like.is_some() && all > DRIVEN));
    if let (Some(c), Some(dt)) = (driven, sample.dt) {
        let diffusion = found.motion[c] * sample.deviations[c].powi(2) / (2.0 * dt);
        finding.objections.push(format!(
            "steps from point to point are off by more than noise of the observations explains, as if {} were driven by noise of D = {diffusion:.2e}: a term is missing, or declare [diffusion]",
            names[c]
        ));
    }
}
