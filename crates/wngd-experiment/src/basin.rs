//! `wngd basin`: descents from a lattice of starts, and which minimum each reaches.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wngd::opt::basin::{Minimum, group_ends, lattice};
use wngd::opt::{Iteration, Status};

use crate::checkpoint::{Bits, Journal, Unit};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::files;
use crate::numbers::finite;
use crate::results::{BasinFile, BasinMethod, MinimumEntry};
use crate::source::Source;
use crate::window::Window;
use crate::{pictures, report};

/// Most starts of one map.
const MAX_STARTS: usize = 100_000;
/// Starts per parameter, if nothing else is said.
const STARTS: usize = 21;
/// Ends this close, relative to the lattice's extent (or the spread of the ends), are one minimum.
const SAME: f64 = 1e-2;
/// Relative step at which a descent counts as arrived.
const SETTLED_STEP: f64 = 1e-6;

/// How a descent ended.
#[derive(Serialize, Deserialize)]
struct End {
    method: usize,
    start: usize,
    theta: Option<Vec<Bits>>,
    objective: Bits,
    iterations: usize,
    status: String,
    settled: bool,
}

impl Unit for End {
    const KIND: &'static str = "descent";
}

/// The starts: a lattice over one or two free parameters, the others at the experiment's start.
pub struct Lattice {
    varied: Vec<usize>,
    names: Vec<String>,
    starts: Vec<Vec<f64>>,
    extent: Vec<f64>,
}

impl Lattice {
    /// The lattice of the section `[basin]`; what is given here comes first.
    ///
    /// # Errors
    /// As [`Window::new`]; too many starts, or none.
    pub fn new(
        source: &Source,
        experiment: &Experiment,
        lower: Option<&[f64]>,
        upper: Option<&[f64]>,
        counts: Option<&[usize]>,
    ) -> Result<Self, ExperimentError> {
        let Window { varied, names, lower, upper, counts: own } = Window::new(source, experiment, lower, upper)?;
        let fail = |problem: String| match counts {
            Some(_) => ExperimentError::Option { option: "--counts".into(), problem },
            None => source.error("basin.counts", problem),
        };
        let counts = counts.map(<[usize]>::to_vec).or(own).unwrap_or_else(|| vec![STARTS; varied.len()]);
        if counts.len() != varied.len() {
            let problem = format!("{} values for the {} parameters {}", counts.len(), varied.len(), names.join(", "));
            return Err(fail(problem));
        }
        let total = counts.iter().try_fold(1usize, |t, &n| t.checked_mul(n)).unwrap_or(usize::MAX);
        if total == 0 || total > MAX_STARTS {
            return Err(fail(format!("{total} starts; between 1 and {MAX_STARTS} are possible")));
        }
        let extent = (0..experiment.theta0.len())
            .map(|i| match varied.iter().position(|&v| v == i) {
                Some(axis) => upper[axis] - lower[axis],
                None => experiment.theta0[i].abs().max(1.0),
            })
            .collect();
        let starts = lattice(&lower, &upper, &counts)
            .into_iter()
            .map(|point| {
                let mut theta = experiment.theta0.clone();
                varied.iter().zip(point).for_each(|(&i, v)| theta[i] = v);
                theta
            })
            .collect();
        Ok(Self { varied, names, starts, extent })
    }

    /// Number of starts.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }
}

/// Descends from every start with every method and writes the map; nothing is returned if it was told to stop.
/// `done` is told of finished descents, those that a checkpoint had at once.
///
/// # Errors
/// What cannot be written.
pub fn basin(
    experiment: &Experiment,
    plan: Lattice,
    journal: &Journal,
    folder: &Path,
    done: &(dyn Fn(usize) + Sync),
) -> Result<Option<BasinFile>, ExperimentError> {
    if journal.concludes() {
        journal.record.write(folder)?;
    }
    let many = plan.starts.len();
    let mut ends: BTreeMap<usize, End> =
        journal.kept()?.into_iter().map(|end: End| (end.method * many + end.start, end)).collect();
    done(ends.len());
    let left = (0..many * experiment.methods.len()).filter(|unit| !ends.contains_key(unit)).collect();
    let found = journal.each(left, done, |unit| {
        let (method, start) = (unit / many, unit % many);
        let end = descend(experiment, method, (start, &plan.starts[start]), journal);
        experiment.intact()?;
        Ok(end)
    })?;
    ends.extend(found.into_iter().map(|end| (end.method * many + end.start, end)));
    journal.check()?;
    if !journal.concludes() || ends.len() < many * experiment.methods.len() {
        return Ok(None);
    }
    let file = classify(experiment, plan, ends.into_values().collect());
    files::write_json(&folder.join("basin.json"), &file)?;
    pictures::of_basins(&file, folder)?;
    report::write(folder)?;
    Ok(Some(file))
}

/// One descent; none if it was told to stop.
fn descend(experiment: &Experiment, method: usize, (start, from): (usize, &[f64]), journal: &Journal) -> Option<End> {
    if journal.stopped() {
        return None;
    }
    let mut observer =
        |_: &Iteration| if journal.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let mut descent = experiment.descent(method, 0);
    // Enough to tell minima apart; the last digits would take most of the time.
    descent.stop.relative_step = descent.stop.relative_step.max(SETTLED_STEP);
    match descent.run_with(from, experiment.methods[method].step_rule().as_mut(), &mut observer) {
        Ok(outcome) if outcome.status == Status::StoppedByObserver => None,
        Ok(outcome) => {
            let (first, last) = (&outcome.trace[0], outcome.last());
            // At its iteration limit a descent counts once its gradient has almost died.
            let settled = match outcome.status {
                Status::Converged(_) => true,
                // A search that failed, or a gradient that vanished on a plateau above the start, found no minimum.
                Status::Stalled(_) => false,
                _ => last.gradient_norm <= 1e-6 * first.gradient_norm,
            };
            Some(End {
                method,
                start,
                theta: Some(Bits::of(&last.theta)),
                objective: Bits(last.objective),
                iterations: last.iteration,
                status: outcome.status.name().to_string(),
                settled,
            })
        }
        Err(error) => {
            let (theta, objective, status) = (None, Bits(f64::NAN), error.to_string());
            Some(End { method, start, theta, objective, iterations: 0, status, settled: false })
        }
    }
}

/// `ends`: one per start, method by method.
fn classify(experiment: &Experiment, plan: Lattice, ends: Vec<End>) -> BasinFile {
    // Minima are found from all methods together, so that their numbers agree.
    let all: Vec<Option<(Vec<f64>, f64)>> = ends
        .iter()
        .map(|end| {
            let theta = end.theta.as_deref().filter(|_| end.settled && end.objective.0.is_finite());
            theta.map(|theta| (Bits::numbers(theta), end.objective.0))
        })
        .collect();
    let (minima, _) = group_ends(&all, &plan.extent, SAME);
    let nearest = |theta: &[f64]| {
        minima.iter().position(|m: &Minimum| {
            m.theta.iter().zip(theta).zip(&plan.extent).all(|((a, b), s)| (a - b).abs() <= 2.0 * SAME * s)
        })
    };
    let methods: Vec<BasinMethod> = experiment
        .methods
        .iter()
        .zip(ends.chunks_exact(plan.starts.len()))
        .map(|(method, ends)| {
            let thetas: Vec<Option<Vec<f64>>> = ends.iter().map(|e| e.theta.as_deref().map(Bits::numbers)).collect();
            let minimum: Vec<Option<usize>> = thetas.iter().map(|t| t.as_deref().and_then(nearest)).collect();
            let best = minimum.iter().filter(|m| **m == Some(0)).count();
            BasinMethod {
                label: method.label.clone(),
                metric: method.metric.to_string(),
                fraction_best: best as f64 / minimum.len() as f64,
                objectives: ends.iter().map(|e| finite(e.objective.0)).collect(),
                iterations: ends.iter().map(|e| e.iterations).collect(),
                statuses: ends.iter().map(|e| e.status.clone()).collect(),
                ends: thetas,
                minimum,
            }
        })
        .collect();
    let count = |i: usize| methods.iter().flat_map(|m| &m.minimum).filter(|m| **m == Some(i)).count();
    let minima = minima
        .iter()
        .enumerate()
        .map(|(i, m)| MinimumEntry { theta: m.theta.clone(), objective: m.objective, count: count(i) })
        .collect();
    BasinFile {
        name: experiment.name.clone(),
        names: experiment.names(),
        parameters: plan.names,
        varied: plan.varied,
        starts: plan.starts,
        minima,
        methods,
    }
}
