//! `wngd run`: every method of an experiment descends, and what comes out is written.

use std::path::Path;

use wngd::opt::{EstimateReport, Iteration, Outcome, Status, sampling_covariance, standard_errors};

use crate::checkpoint::{Journal, Work};
use crate::data::Noise;
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::files;
use crate::method::Method;
use crate::numbers::finite;
use crate::results::{MethodResult, ResultFile};
use crate::{pictures, report};

/// First iterations whose local quadratic models are drawn.
const MODELS: usize = 3;

/// What happens in a run.
pub enum Event<'a> {
    /// A method begins, with its iteration limit.
    Begin(&'a Method, usize),
    /// It made an iterate.
    Iterate(&'a Iteration),
    /// It ended; none if it could not be carried out.
    End(&'a Method, Option<&'a Outcome>),
    /// Figures are drawn.
    Drawing,
}

/// A run that ended, by itself or because it was told to.
pub struct Run {
    /// What is in `result.json`.
    pub result: ResultFile,
    /// One per method that began.
    pub outcomes: Vec<Outcome>,
    /// Methods that there are.
    methods: usize,
}

impl Run {
    /// Whether every method converged or used up its iterations with a lower objective.
    pub fn ended_well(&self) -> bool {
        let improved = |o: &Outcome| o.last().objective < o.trace[0].objective;
        let good = |o: &Outcome| match o.status {
            Status::Converged(_) => true,
            Status::MaxIterations => improved(o),
            Status::Stalled(_) | Status::StoppedByObserver => false,
        };
        self.outcomes.len() == self.methods && self.outcomes.iter().all(good)
    }
}

/// Runs every method and writes results, figures and report into a folder.
///
/// # Errors
/// What cannot be computed or written.
pub fn run(
    experiment: &Experiment,
    journal: &Journal,
    folder: &Path,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Run, ExperimentError> {
    journal.record.write(folder)?;
    let work = Work::of(journal)?;
    let mut outcomes = Vec::new();
    for (index, method) in experiment.methods.iter().enumerate() {
        let descent = experiment.descent(index, MODELS);
        watch(Event::Begin(method, descent.stop.iterations));
        let mut rule = method.step_rule();
        let outcome = descent
            .run_or_resume(index, &experiment.theta0, rule.as_mut(), &work, &mut |row| watch(Event::Iterate(row)))
            .map_err(|source| ExperimentError::Descent { label: method.label.clone(), source });
        watch(Event::End(method, outcome.as_ref().ok()));
        journal.check()?;
        outcomes.push(outcome?);
        if journal.stopped() {
            break;
        }
    }
    let result = summarise(experiment, &outcomes);
    for (method, outcome) in result.methods.iter().zip(&outcomes) {
        files::write_trace(&folder.join(&method.trace), &result.names, outcome)?;
        let shape = experiment.shape();
        if let Some(density) = &method.density {
            files::write_array(&folder.join(density), &shape, &outcome.state.values)?;
        }
    }
    // Last of the numbers, so that its presence says that the rest is there.
    files::write_json(&folder.join("result.json"), &result)?;
    if journal.record.figures {
        watch(Event::Drawing);
        pictures::of_run(experiment, &result, &outcomes, folder)?;
    }
    report::write(folder)?;
    Ok(Run { result, outcomes, methods: experiment.methods.len() })
}

fn summarise(experiment: &Experiment, outcomes: &[Outcome]) -> ResultFile {
    let methods = experiment.methods.iter().zip(outcomes).map(|(method, outcome)| {
        let last = outcome.last();
        let (errors, note) = match errors(experiment, &last.theta) {
            Ok(errors) => (errors, None),
            Err(error) => (None, Some(format!("no standard errors: {error}"))),
        };
        let error = experiment
            .data
            .truth
            .as_ref()
            .map(|truth| truth.iter().zip(&last.theta).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt());
        MethodResult {
            label: method.label.clone(),
            metric: method.metric.to_string(),
            status: outcome.status.name().to_string(),
            reason: outcome.status.reason().map(str::to_string),
            iterations: last.iteration,
            objective0: outcome.trace[0].objective,
            objective: finite(last.objective),
            theta: last.theta.clone(),
            standard_errors: errors,
            standard_errors_note: note,
            error,
            rank: last.rank,
            condition: finite(last.condition),
            solves: last.solves.total(),
            solver_note: last.estimate.as_ref().map(EstimateReport::summary),
            seconds: last.seconds,
            trace: format!("trace-{}.csv", method.label),
            density: Some(format!("density-{}.npy", method.label)),
        }
    });
    ResultFile {
        name: experiment.name.clone(),
        names: experiment.names(),
        theta0: experiment.theta0.clone(),
        objective: experiment.objective.name().to_string(),
        truth: experiment.data.truth.clone(),
        notes: experiment.data.notes.clone(),
        methods: methods.collect(),
    }
}

/// Standard errors where the data tell their noise.
fn errors(experiment: &Experiment, theta: &[f64]) -> Result<Option<Vec<f64>>, ExperimentError> {
    let (model, objective) = (&experiment.model, experiment.objective.as_ref());
    Ok(match (&experiment.data.noise, experiment.ground.maybe_grid()) {
        (Noise::Independent(samples), _) => {
            Some(standard_errors(&sampling_covariance(model, objective, theta, *samples)?))
        }
        (Noise::Trajectory { points, view }, Some(grid)) => {
            Some(view.standard_errors_at(grid, points, model, objective, theta)?)
        }
        (Noise::Unknown | Noise::Trajectory { .. }, _) => None,
    })
}
