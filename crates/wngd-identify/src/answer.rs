//! All estimators that apply, side by side, and which of them answers.

use std::time::Instant;

use crate::checks;
use crate::choice;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::estimate::{Estimate, REJECTED};
use crate::estimates::{All, Estimates, Found};
use crate::noise::{self, Finding};
use crate::sample::Sample;
use crate::simulated::{NAME as SIMULATED, SimulatedMoments};
use crate::smoother::Smoother;
use crate::weak::WeakStationary;
use crate::weak_time::WeakInTime;

/// Estimators by name, in the order in which they run.
pub const ESTIMATORS: [&str; 5] = ["weak-stationary", "weak-in-time", "shooting", "smoother", SIMULATED];

/// Estimates further apart than this many standard errors disagree.
const APART: f64 = 5.0;
/// Root mean square of steps' residuals, in scatters, beyond which something unknown is in them.
const UNEXPLAINED: f64 = 0.01;
/// Variables beyond which the weak form in time of noisy data takes minutes.
const MANY: usize = 12;

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
    /// Estimators to run, of [`ESTIMATORS`]; all that apply if absent, `simulated-moments` where no other does.
    pub estimators: Option<Vec<String>>,
    /// The variables that were measured, one per column of the sample, counted from 0; all of them in their order if absent.
    pub observed: Option<Vec<usize>>,
    /// Seed of the test functions.
    pub seed: u64,
}

impl Default for Question {
    fn default() -> Self {
        Self { noise: NoiseLevel::Auto, estimators: None, observed: None, seed: 1 }
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
/// The answer is the estimate with the smallest errors among those whose misfit passes: the one of which no parameter is much
/// better known to another. Where some variables were not
/// measured the smoother runs, or simulated moments where there is no order.
///
/// # Cost
/// A second or so for 10⁵ points of three coordinates; some seconds where there is noise and an order.
///
/// # Errors
/// No estimator applies, or none could be carried out; the text is that of the first one. [`IdentifyError::Stopped`] where
/// [`Dynamics::stopping`] said so.
pub fn answer(dynamics: &Dynamics, sample: &Sample, question: &Question) -> Result<Answer, IdentifyError> {
    let found = answer_with(dynamics, sample, question, &All)?;
    found.ok_or(IdentifyError::NoEstimator)
}

/// [`answer`] from estimates some of which are known; nothing where some are left to others. Who makes an estimate changes
/// no bit of it.
///
/// # Errors
/// As [`answer`].
pub fn answer_with(
    dynamics: &Dynamics,
    sample: &Sample,
    question: &Question,
    estimates: &dyn Estimates,
) -> Result<Option<Answer>, IdentifyError> {
    let found = answered(dynamics, sample, question, estimates);
    if dynamics.stopped() { Err(IdentifyError::Stopped) } else { found }
}

/// The estimators among those asked for that can be made side by side in several processes, each from what
/// all of them need: noise and start. The others are by-products of that, or need each other.
pub fn side_by_side(dynamics: &Dynamics, sample: &Sample, question: &Question) -> Vec<&'static str> {
    let in_order = question.observed.as_ref().is_none_or(|which| which.iter().copied().eq(0..dynamics.dim()));
    if !in_order || sample.uneven.is_some() {
        return Vec::new();
    }
    let apart = |name: &&str| match *name {
        "weak-in-time" | "smoother" => asked(question, name),
        SIMULATED => named(question),
        _ => false,
    };
    ESTIMATORS.into_iter().filter(apart).collect()
}

fn answered(
    dynamics: &Dynamics,
    sample: &Sample,
    question: &Question,
    known: &dyn Estimates,
) -> Result<Option<Answer>, IdentifyError> {
    let declared = match &question.noise {
        NoiseLevel::Auto => None,
        NoiseLevel::Share(share) => Some(sample.deviations.iter().map(|d| share * d).collect()),
        NoiseLevel::Each(each) => Some(each.clone()),
    };
    if declared.as_ref().is_some_and(|each: &Vec<f64>| each.len() != sample.dim) {
        return Err(IdentifyError::Coordinates { dim: dynamics.dim(), columns: sample.dim });
    }
    let auto = declared.is_none();
    let in_order: Vec<usize> = (0..dynamics.dim()).collect();
    let partial = question.observed.as_ref().filter(|which| **which != in_order);
    let Ran { mut estimates, failures, mut remarks, objections, noise, left } = match partial {
        Some(which) => hidden(dynamics, sample, question, which, declared, known)?,
        None => all(dynamics, sample, question, declared, known)?,
    };
    if dynamics.stopped() {
        return Err(IdentifyError::Stopped);
    }
    if left {
        return Ok(None);
    }
    if estimates.is_empty() {
        return Err(failures.into_iter().next().unwrap_or(IdentifyError::NoEstimator));
    }
    for failure in failures.iter().map(ToString::to_string) {
        if !remarks.contains(&failure) {
            remarks.push(failure);
        }
    }
    let seen: Vec<String> = partial.unwrap_or(&in_order).iter().map(|c| dynamics.variables()[*c].clone()).collect();
    let outliers = checks::outliers(sample, &seen);
    for estimate in &mut estimates {
        estimate.objections.extend(outliers.iter().chain(&objections).cloned());
    }
    let chosen = choice::best(&estimates, &dynamics.start());
    let theta = estimates[chosen].theta.clone();
    if partial.is_none() {
        // Without a scale of time there is no speed to compare.
        if estimates[chosen].undetermined.is_empty()
            && let Some(objection) = checks::time_unit(dynamics, sample, &theta)
        {
            estimates.iter_mut().for_each(|estimate| estimate.objections.push(objection.clone()));
        }
        remarks.extend(checks::turns(dynamics, sample, sample.count(), &theta));
    }
    remarks.extend(disagreement(&estimates, &dynamics.names()));
    let verdict = verdict(&estimates[chosen]);
    if verdict == Verdict::Misfit && outliers.is_none() && partial.is_none() {
        let ranges = checks::ranges(dynamics, sample, &dynamics.start());
        remarks.extend(swapped(dynamics, sample, &noise, question.seed));
        remarks.extend(ranges);
    }
    if estimates[chosen].converged && estimates[chosen].misfit.is_none() && verdict == Verdict::Fits {
        remarks.push(
            "nothing tells whether the model fits: the points are too few, or as many as there are parameters".into(),
        );
    }
    remarks.insert(0, reason(&estimates, chosen, verdict));
    let own = auto && ["smoother", SIMULATED].contains(&estimates[chosen].estimator);
    let level = if own { &estimates[chosen].noise } else { &noise };
    let noise_share = level.iter().zip(&sample.deviations).map(|(s, d)| s / d).collect();
    let middle = if partial.is_some() { vec![0.0; dynamics.dim()] } else { means(sample) };
    let diffusion = dynamics.diffusion_at(&middle, &theta);
    Ok(Some(Answer { chosen, verdict, noise_share, noise_estimated: auto, diffusion, estimates, remarks }))
}

/// What ran, and what was noticed.
struct Ran {
    estimates: Vec<Estimate>,
    failures: Vec<IdentifyError>,
    remarks: Vec<String>,
    /// What speaks against the model, whatever the estimator.
    objections: Vec<String>,
    /// Standard deviation of the noise of each column.
    noise: Vec<f64>,
    /// Whether estimates are left to others.
    left: bool,
}

impl Ran {
    /// Puts what an estimator came to among the estimates or the failures.
    fn enter(&mut self, made: Option<Found>) {
        match made {
            Some(Ok(found)) => self.estimates.push(found),
            Some(Err(error)) => self.failures.push(error),
            None => self.left = true,
        }
    }
}

/// Whether an estimator is to run.
fn asked(question: &Question, name: &str) -> bool {
    question.estimators.as_ref().is_none_or(|all| all.iter().any(|n| n == name))
}

/// Every estimator that applies where all variables were measured.
fn all(
    dynamics: &Dynamics,
    sample: &Sample,
    question: &Question,
    declared: Option<Vec<f64>>,
    known: &dyn Estimates,
) -> Result<Ran, IdentifyError> {
    let asked = |name: &str| asked(question, name);
    let auto = declared.is_none();
    let uneven = sample.uneven.is_some();
    // Where time steps differ the smoother alone tells the noise.
    let mut early = None;
    let mut declared = declared;
    if uneven && asked("smoother") {
        let smoother = Smoother { noise: declared.clone(), ..Smoother::default() };
        let found = known.needed("smoother", &mut || smoother.estimate(dynamics, sample, &dynamics.start()));
        if let (true, Ok(found)) = (auto, &found)
            && found.converged
        {
            declared = Some(found.noise.clone());
        }
        early = Some(found);
    }
    let level = declared.clone();
    let found = match noise::find(dynamics, sample, declared, question.seed) {
        // Simulations have noise of any kind of field.
        Err(IdentifyError::NoiseOfOther) if asked(SIMULATED) => Finding::failed(level.as_ref(), sample.dim),
        found => found?,
    };
    let Finding { noise, estimated, beyond_steps, objections, remarks, first, followed } = found;
    let (estimates, failures) = (Vec::new(), Vec::new());
    let mut ran = Ran { estimates, failures, remarks, objections, noise: noise.clone(), left: false };
    let start = first.as_ref().filter(|e| e.converged && e.undetermined.is_empty()).map(|e| e.theta.clone());
    let start = start.unwrap_or_else(|| dynamics.start());
    if asked("weak-stationary") {
        let clock = Instant::now();
        match first
            .map_or_else(|| WeakStationary { noise: noise.clone(), seed: question.seed }.estimate(dynamics, sample), Ok)
        {
            Ok(found) => {
                ran.estimates.push(Estimate { seconds: found.seconds.max(clock.elapsed().as_secs_f64()), ..found })
            }
            Err(error) => ran.failures.push(error),
        }
    }
    let dense = question.estimators.is_some() || WeakInTime::applies(dynamics, sample, &start);
    let dear = question.estimators.is_none() && sample.dim > MANY && noise.iter().any(|s| *s > 0.0);
    if dense && dear {
        ran.remarks.push(format!(
            "weak-in-time was not run: with noise its cost grows with the cube of the number of variables, {} here; --estimator weak-in-time runs it",
            sample.dim
        ));
    }
    if asked("weak-in-time") && dense && !dear {
        let weak = WeakInTime { noise: noise.clone() };
        ran.enter(known.get("weak-in-time", &mut || weak.estimate(dynamics, sample, &start)));
    }
    early.into_iter().for_each(|found| ran.enter(Some(found)));
    if uneven {
        ran.remarks
            .push("the time steps differ: shooting was not run, and weak-stationary does not use the order".into());
    }
    let steps = dynamics.diffusion.is_none() && sample.dt.is_some();
    // Steps that agree with the flow leave nothing for a smoother to find.
    let mut exact = false;
    if asked("shooting") && steps {
        match followed {
            Some(Ok(found)) => {
                let quiet = noise.iter().all(|s| *s == 0.0);
                let left = found.trace.last().map_or(0.0, |row| row.1.sqrt());
                exact = quiet && found.fits() && left < UNEXPLAINED;
                let objection = if quiet && left > UNEXPLAINED {
                    Some(format!(
                        "steps are off by {:.0} % of the scatter, and no noise was found that would explain it: what it is biases the parameters",
                        100.0 * left
                    ))
                } else {
                    // What steps do not tell they do not bear, either.
                    beyond_steps.then(|| {
                        "steps are so long that they amplify noise beyond any linear law: parameters from one point to the next are biased".into()
                    })
                };
                let objections = found.objections.iter().cloned().chain(objection).collect();
                ran.estimates.push(Estimate { objections, ..found });
            }
            Some(Err(error)) => ran.failures.push(error),
            None => {}
        }
    }
    if asked("smoother") && sample.dt.is_some() {
        if exact {
            ran.remarks.push("smoother was not run: there is no noise that it would take out".into());
        } else {
            let smoother = Smoother {
                noise: (!estimated).then(|| noise.clone()),
                guess: estimated.then(|| noise.clone()),
                observed: None,
            };
            ran.enter(known.get("smoother", &mut || smoother.estimate(dynamics, sample, &start)));
        }
    }
    let nothing = ran.estimates.is_empty() && !ran.left;
    let alone = nothing && ran.failures.iter().all(|e| matches!(e, IdentifyError::NoiseOfOther));
    if named(question) || (alone && asked(SIMULATED)) {
        let told = !auto || sample.dt.is_some();
        let moments = SimulatedMoments { noise: told.then(|| noise.clone()), observed: None, seed: question.seed };
        ran.enter(known.get(SIMULATED, &mut || moments.estimate(dynamics, sample, &start)));
    }
    Ok(ran)
}

/// Whether simulated moments were asked for by name.
fn named(question: &Question) -> bool {
    question.estimators.is_some() && asked(question, SIMULATED)
}

/// The smoother and simulated moments, where only the variables `which` were measured.
fn hidden(
    dynamics: &Dynamics,
    sample: &Sample,
    question: &Question,
    which: &[usize],
    declared: Option<Vec<f64>>,
    known: &dyn Estimates,
) -> Result<Ran, IdentifyError> {
    let names = dynamics.variables();
    let hidden: Vec<&str> = (0..dynamics.dim()).filter(|c| !which.contains(c)).map(|c| names[c].as_str()).collect();
    let others = ESTIMATORS.iter().filter(|name| !["smoother", SIMULATED].contains(name) && asked(question, name));
    let remarks = others
        .map(|name| format!("{name} was not run: it needs every variable, and the data lack {}", hidden.join(", ")));
    let mut ran = Ran {
        estimates: Vec::new(),
        failures: Vec::new(),
        remarks: remarks.collect(),
        objections: Vec::new(),
        noise: declared.clone().unwrap_or_else(|| vec![0.0; sample.dim]),
        left: false,
    };
    let follows = asked(question, "smoother") && sample.usual_step().is_some();
    if !follows && !asked(question, SIMULATED) {
        return Err(IdentifyError::Hidden { names: hidden.join(", ") });
    }
    let mut start = dynamics.start();
    if follows {
        let smoother = Smoother { noise: declared.clone(), observed: Some(which.to_vec()), guess: None };
        let found = known.needed("smoother", &mut || smoother.estimate(dynamics, sample, &dynamics.start()));
        if let Ok(found) = &found
            && found.converged
            && found.undetermined.is_empty()
        {
            start.clone_from(&found.theta);
        }
        ran.enter(Some(found));
    }
    if named(question) || (question.estimators.is_none() && !follows) {
        let moments = SimulatedMoments { noise: declared, observed: Some(which.to_vec()), seed: question.seed };
        ran.enter(known.get(SIMULATED, &mut || moments.estimate(dynamics, sample, &start)));
    }
    Ok(ran)
}

/// Mean of each column.
fn means(sample: &Sample) -> Vec<f64> {
    (0..sample.dim)
        .map(|axis| sample.points.iter().skip(axis).step_by(sample.dim).sum::<f64>() / sample.count() as f64)
        .collect()
}

/// Estimates that fit and still lie further apart than their errors allow.
fn disagreement(estimates: &[Estimate], names: &[String]) -> Option<String> {
    let good: Vec<&Estimate> = estimates.iter().filter(|e| e.fits()).collect();
    let pairs = good.iter().enumerate().flat_map(|(i, a)| good[i + 1..].iter().map(move |b| (a, b)));
    pairs.into_iter().find_map(|(a, b)| {
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
    })
}

pub(crate) fn verdict(estimate: &Estimate) -> Verdict {
    match () {
        () if !estimate.converged => Verdict::NotConverged,
        () if !estimate.passes() => Verdict::Misfit,
        () if !estimate.undetermined.is_empty() => Verdict::Undetermined,
        () => Verdict::Fits,
    }
}

/// One line that says why.
pub(crate) fn reason(estimates: &[Estimate], chosen: usize, verdict: Verdict) -> String {
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
pub(crate) fn swapped(dynamics: &Dynamics, sample: &Sample, noise: &[f64], seed: u64) -> Option<String> {
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
