//! The answer from points that are not held: weak-stationary in one more reading, with what the points that are held say of noise.

use crate::answer::{Answer, ESTIMATORS, NoiseLevel, Question, Verdict, reason, swapped, verdict};
use crate::checks;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::Estimate;
use crate::noise::{self, Finding, MOST};
use crate::stream::Stream;
use crate::weak::{NoiseVariance, WeakStationary};

/// The one estimator that bears points in parts.
const WEAK: &str = "weak-stationary";
/// A variance is below 0 by more than chance beyond this many standard errors.
const CHANCE: f64 = 4.0;

/// [`answer`](crate::answer) from points that are read in parts: by `weak-stationary` alone. Which estimators were left out, and
/// why, is the second of the remarks.
///
/// Noise that is not declared is looked for in the first 100 000 points, where they are in order; where there is some, its
/// variances are found again along with the parameters, from all points.
///
/// # Cost
/// One reading, 20 sines and cosines per point, after the one that [`Stream::new`] makes; as many as there are Gauss–Newton steps for a
/// field that is neither a polynomial nor affine in θ. Memory does not grow with the number of points.
///
/// # Errors
/// Estimators asked for that need all points in memory, variables that were not measured ([`IdentifyError::NotHeld`]); noise of a
/// field that is no polynomial; points that cannot be read again; [`IdentifyError::Stopped`].
pub fn answer_streamed(dynamics: &Dynamics, stream: &Stream, question: &Question) -> Result<Answer, IdentifyError> {
    let found = answered(dynamics, stream, question);
    if dynamics.stopped() { Err(IdentifyError::Stopped) } else { found }
}

fn answered(dynamics: &Dynamics, stream: &Stream, question: &Question) -> Result<Answer, IdentifyError> {
    refuse_others(dynamics, question)?;
    let dim = stream.dim();
    let declared = match &question.noise {
        NoiseLevel::Auto => None,
        NoiseLevel::Share(share) => Some(stream.deviations().iter().map(|d| share * d).collect()),
        NoiseLevel::Each(each) => Some(each.clone()),
    };
    if dim != dynamics.dim() || declared.as_ref().is_some_and(|each: &Vec<f64>| each.len() != dim) {
        return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: dim });
    }
    let auto = declared.is_none();
    let Finding { noise, objections, mut remarks, .. } = noise::find(dynamics, stream.head(), declared, question.seed)?;
    let noisy = auto && noise.iter().any(|s| *s > 0.0);
    let possible = auto && dim <= MOST && dynamics.polynomial.is_some();
    let weak = WeakStationary { noise: noise.clone(), seed: question.seed };
    let (plain, sought) = weak.both_in_parts(dynamics, stream, |plain| possible && (noisy || !plain.passes()))?;
    let mut estimate = match sought.filter(is_possible) {
        Some((found, _)) => found,
        None => {
            if noisy {
                let held = stream.head().count();
                remarks.push(format!(
                    "the level of the noise is that of the first {held} points: what it is uncertain by is not in the errors"
                ));
            }
            plain
        }
    };
    estimate.objections.extend(objections);
    let outliers = checks::far_values(stream, dynamics.variables());
    estimate.objections.extend(outliers.clone());
    if estimate.undetermined.is_empty() {
        estimate.objections.extend(checks::time_unit(dynamics, stream.head(), &estimate.theta));
    }
    remarks.extend(checks::turns(dynamics, stream.head(), stream.count(), &estimate.theta));
    let verdict = verdict(&estimate);
    if verdict == Verdict::Misfit && outliers.is_none() {
        // A wrong order of the columns may have looked like noise.
        let other = |noise: &[f64]| swapped(dynamics, stream.head(), noise, question.seed);
        remarks.extend(other(&estimate.noise).or_else(|| if auto { other(&vec![0.0; dim]) } else { None }));
        remarks.extend(checks::ranges(dynamics, stream.some(), &dynamics.start()));
    }
    remarks.insert(0, left_out(stream, question));
    let estimates = vec![estimate];
    remarks.insert(0, reason(&estimates, 0, verdict));
    let estimate = &estimates[0];
    let noise_share = estimate.noise.iter().zip(stream.deviations()).map(|(s, d)| s / d).collect();
    let diffusion = dynamics.diffusion_at(&stream.means, &estimate.theta);
    Ok(Answer { chosen: 0, verdict, noise_share, noise_estimated: auto, diffusion, remarks, estimates })
}

/// Whether parameters that were found along with the noise fit, with no variance below 0 by more than chance.
fn is_possible((estimate, variances): &(Estimate, Vec<NoiseVariance>)) -> bool {
    let above = |v: &NoiseVariance| v.standard_error.is_none_or(|error| v.value > -CHANCE * error);
    estimate.fits() && variances.iter().all(above)
}

/// Refuses what needs the points in memory.
fn refuse_others(dynamics: &Dynamics, question: &Question) -> Result<(), IdentifyError> {
    let asked = question.estimators.as_deref().unwrap_or(&[]);
    let others: Vec<&str> = asked.iter().map(String::as_str).filter(|name| *name != WEAK).collect();
    if !others.is_empty() {
        return Err(IdentifyError::NotHeld { names: others.join(", ") });
    }
    if question.observed.as_ref().is_some_and(|which| !which.iter().copied().eq(0..dynamics.dim())) {
        return Err(IdentifyError::NotHeld { names: "variables that were not measured".into() });
    }
    Ok(())
}

/// Which estimators were not run, and why.
fn left_out(stream: &Stream, question: &Question) -> String {
    let count = stream.count();
    let others: Vec<&str> = ESTIMATORS.into_iter().filter(|name| *name != WEAK).collect();
    let why = match (&question.estimators, stream.uneven()) {
        (Some(_), _) => String::new(),
        (None, false) => format!(
            ", so that {} were not run: they go back and forth over points that have to be held; give fewer points for them",
            others.join(", ")
        ),
        (None, true) => format!(
            ", and the time steps differ, so that weak-stationary does not use the order and {} were not run: they need the points in memory; \
             give fewer points for them",
            others.join(", ")
        ),
    };
    format!("{count} points are read in parts and not held{why}")
}
