//! All estimators that apply, side by side, and which of them answers.

use std::time::Instant;

use crate::checks;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, REJECTED};
use crate::noise::{self, Finding};
use crate::sample::Sample;
use crate::weak::WeakStationary;

/// Estimators by name, in the order in which they run.
pub const ESTIMATORS: [&str; 2] = ["weak-stationary", "shooting"];

/// Estimates further apart than this many standard errors disagree.
const APART: f64 = 5.0;

/// Noise of the observations.
#[derive(Debug, Clone, PartialEq)]
pub enum NoiseLevel {
    /// To be estimated.
    Auto,
    /// A share of each coordinate's scatter, as recorded.
    Share(f64),
    /// A standard deviation per coordinate.
    Each(Vec<f64>),
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question {
    /// Noise of the observations.
    pub noise: NoiseLevel,
    /// Estimators to run, of [`ESTIMATORS`]; all that apply if absent.
    pub estimators: Option<Vec<String>>,
    /// Seed of the test functions.
    pub seed: u64,
}

impl Default for Question {
    fn default() -> Self {
        Self { noise: NoiseLevel::Auto, estimators: None, seed: 1 }
    }
}

/// What all of it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The model fits, and all parameters are determined.
    Fits,
    /// The model does not fit the data.
    Misfit,
    /// Some combination of parameters is not determined.
    Undetermined,
    /// No estimator came to rest.
    NotConverged,
}

impl Verdict {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fits => "fits",
            Self::Misfit => "misfit",
            Self::Undetermined => "undetermined",
            Self::NotConverged => "not-converged",
        }
    }
}

/// Estimates side by side, and the one that answers.
#[derive(Debug, Clone)]
pub struct Answer {
    /// All that ran.
    pub estimates: Vec<Estimate>,
    /// Which of them answers.
    pub chosen: usize,
    /// What it comes to.
    pub verdict: Verdict,
    /// Standard deviation of the noise of each coordinate as a share of its scatter.
    pub noise_share: Vec<f64>,
    /// Whether that was estimated.
    pub noise_estimated: bool,
    /// D of each coordinate at the answer, at the mean point; none where the system has no diffusion.
    pub diffusion: Option<Vec<f64>>,
    /// Why this answer, and what was noticed.
    pub remarks: Vec<String>,
}

impl Answer {
    /// The estimate that answers.
    pub fn estimate(&self) -> &Estimate {
        &self.estimates[self.chosen]
    }
}

/// Finds the free parameters of a system from observed points by all estimators that apply.
///
/// The answer is the estimate with the smallest errors among those whose misfit passes.
///
/// # Cost
/// A second or so for 10⁵ points of three coordinates.
///
/// # Errors
/// No estimator applies, or none could be carried out; the text is that of the first one.
pub fn answer(dynamics: &Dynamics, sample: &Sample, question: &Question) -> Result<Answer, IdentifyError> {
    let asked = |name: &str| question.estimators.as_ref().is_none_or(|all| all.iter().any(|n| n == name));
    let declared = match &question.noise {
        NoiseLevel::Auto => None,
        NoiseLevel::Share(share) => Some(sample.deviations.iter().map(|d| share * d).collect()),
        NoiseLevel::Each(each) => Some(each.clone()),
    };
    if declared.as_ref().is_some_and(|each: &Vec<f64>| each.len() != sample.dim) {
        return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: sample.dim });
    }
    let Finding { noise, estimated, objections, remarks, first, followed } =
        noise::find(dynamics, sample, declared, question.seed)?;
    let mut estimates = Vec::new();
    let mut failures = Vec::new();
    if asked("weak-stationary") {
        let clock = Instant::now();
        match first
            .map_or_else(|| WeakStationary { noise: noise.clone(), seed: question.seed }.estimate(dynamics, sample), Ok)
        {
            Ok(found) => {
                estimates.push(Estimate { seconds: found.seconds.max(clock.elapsed().as_secs_f64()), ..found })
            }
            Err(error) => failures.push(error),
        }
    }
    if asked("shooting") && sample.dt.is_some() && dynamics.diffusion.is_none() {
        match followed {
            Some(Ok(found)) => estimates.push(found),
            Some(Err(error)) => failures.push(error),
            None => {}
        }
    }
    if estimates.is_empty() {
        return Err(failures.into_iter().next().unwrap_or(IdentifyError::NoEstimator));
    }
    let mut remarks: Vec<String> = remarks.into_iter().chain(failures.iter().map(ToString::to_string)).collect();
    let outliers = checks::outliers(sample, dynamics.variables());
    for estimate in &mut estimates {
        estimate.objections.extend(outliers.iter().chain(&objections).cloned());
    }
    let chosen = choose(&estimates, dynamics);
    let theta = estimates[chosen].theta.clone();
    // Without a scale of time there is no speed to compare.
    if estimates[chosen].undetermined.is_empty()
        && let Some(objection) = checks::time_unit(dynamics, sample, &theta)
    {
        estimates.iter_mut().for_each(|estimate| estimate.objections.push(objection.clone()));
    }
    remarks.extend(checks::turns(dynamics, sample, &theta));
    remarks.extend(disagreement(&estimates, &dynamics.names()));
    let verdict = verdict(&estimates[chosen]);
    if verdict == Verdict::Misfit && outliers.is_none() {
        let ranges = checks::ranges(dynamics, sample, &dynamics.start());
        remarks.extend(swapped(dynamics, sample, &noise, question.seed));
        remarks.extend(ranges);
    }
    remarks.insert(0, reason(&estimates, chosen, verdict));
    let mean: Vec<f64> = (0..sample.dim)
        .map(|axis| sample.points.iter().skip(axis).step_by(sample.dim).sum::<f64>() / sample.count() as f64)
        .collect();
    Ok(Answer {
        chosen,
        verdict,
        noise_share: noise.iter().zip(&sample.deviations).map(|(s, d)| s / d).collect(),
        noise_estimated: estimated,
        diffusion: dynamics.diffusion_at(&mean, &theta),
        estimates,
        remarks,
    })
}

/// Estimates that fit and still lie further apart than their errors allow.
fn disagreement(estimates: &[Estimate], names: &[String]) -> Option<String> {
    let good: Vec<&Estimate> = estimates.iter().filter(|e| e.fits()).collect();
    let [a, b] = good[..] else { return None };
    let (ea, eb) = (a.standard_errors.as_ref()?, b.standard_errors.as_ref()?);
    let apart = |j: &usize| {
        let error = ea[*j].unwrap_or(f64::INFINITY).hypot(eb[*j].unwrap_or(f64::INFINITY));
        (a.theta[*j] - b.theta[*j]).abs() > APART * error
    };
    let j = (0..names.len()).find(apart)?;
    Some(format!(
        "{} and {} lie more than {APART} standard errors apart in {}: trust neither error",
        a.estimator, b.estimator, names[j]
    ))
}

fn choose(estimates: &[Estimate], dynamics: &Dynamics) -> usize {
    let scale: Vec<f64> = dynamics.start().iter().map(|t| if *t == 0.0 { 1.0 } else { t.abs() }).collect();
    // The better kind first, then the smaller errors; where nothing passes the errors mean nothing, the misfit does.
    let key = |estimate: &Estimate| {
        let passes = estimate.passes();
        let kind = match (estimate.converged, passes, estimate.undetermined.is_empty()) {
            (true, true, true) => 0,
            (true, true, false) => 1,
            (true, false, _) => 2,
            (false, _, _) => 3,
        };
        let misfit = estimate.misfit.map_or(f64::INFINITY, |m| m.statistic / m.degrees_of_freedom.max(1.0));
        (kind, if kind < 2 { estimate.size(&scale) } else { misfit })
    };
    let better = |a: &usize, b: &usize| {
        let ((ka, sa), (kb, sb)) = (key(&estimates[*a]), key(&estimates[*b]));
        ka.cmp(&kb).then(sa.total_cmp(&sb))
    };
    (0..estimates.len()).min_by(better).unwrap_or(0)
}

fn verdict(estimate: &Estimate) -> Verdict {
    match () {
        () if !estimate.converged => Verdict::NotConverged,
        () if !estimate.passes() => Verdict::Misfit,
        () if !estimate.undetermined.is_empty() => Verdict::Undetermined,
        () => Verdict::Fits,
    }
}

/// One line that says why.
fn reason(estimates: &[Estimate], chosen: usize, verdict: Verdict) -> String {
    let answer = &estimates[chosen];
    let name = answer.estimator;
    match verdict {
        Verdict::Fits => {
            let others = estimates.iter().enumerate().filter(|(i, e)| *i != chosen && !e.fits());
            let others: Vec<String> = others
                .map(|(_, e)| match (e.converged, e.passes()) {
                    (false, _) => format!("{} did not come to rest", e.estimator),
                    (true, false) => format!("{} does not fit", e.estimator),
                    (true, true) => format!("{} does not determine everything", e.estimator),
                })
                .collect();
            let passed = estimates.iter().filter(|e| e.fits()).count();
            let why = if passed > 1 { "the smallest errors of those that fit" } else { "it fits" };
            let but = if others.is_empty() { String::new() } else { format!("; {}", others.join(", ")) };
            format!("answer by {name}: {why}{but}")
        }
        Verdict::Misfit => match (answer.objections.first(), answer.misfit) {
            (Some(objection), _) => format!("the model does not fit: {objection}"),
            (None, Some(misfit)) => format!(
                "the model does not fit: misfit {:.1} for {:.0} degrees of freedom (p = {:.0e}, below {REJECTED})",
                misfit.statistic, misfit.degrees_of_freedom, misfit.p_value
            ),
            (None, None) => "the model does not fit".into(),
        },
        Verdict::Undetermined => {
            let texts: Vec<&str> = answer.undetermined.iter().map(|u| u.text.as_str()).collect();
            format!("undetermined: {}", texts.join("; "))
        }
        Verdict::NotConverged => format!("{name} did not come to rest: start closer with --start"),
    }
}

/// Another order of the columns that fits, where this one does not.
fn swapped(dynamics: &Dynamics, sample: &Sample, noise: &[f64], seed: u64) -> Option<String> {
    let orders: &[&[usize]] = match sample.dim {
        2 => &[&[1, 0]],
        3 => &[&[1, 0, 2], &[0, 2, 1], &[2, 1, 0], &[1, 2, 0], &[2, 0, 1]],
        _ => &[],
    };
    orders.iter().find_map(|order| {
        let weak = WeakStationary { noise: order.iter().map(|i| noise[*i]).collect(), seed };
        let found = weak.estimate(dynamics, &checks::reordered(sample, order)).ok()?;
        let names: Vec<&str> = order.iter().map(|i| dynamics.variables()[*i].as_str()).collect();
        found.fits().then(|| format!("with the columns in the order {} it fits: swapped columns?", names.join(", ")))
    })
}
