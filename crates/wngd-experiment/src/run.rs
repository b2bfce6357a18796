//! `wngd run`: every method of an experiment descends, and what comes out is written.

use std::path::Path;

use wngd::opt::{EstimateReport, Iteration, Outcome, Status};

use crate::checkpoint::{Journal, Work};
use crate::data::formats::write_array;
use crate::end::{End, quick_errors};
use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::files;
use crate::method::Method;
use crate::numbers::finite;
use crate::results::{Goodness, MethodResult, ResultFile};
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
        let errors = |theta: &[f64]| quick_errors(experiment, theta);
        let descent = experiment.descent(index, MODELS).standard_errors(&errors);
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
    experiment.intact()?;
    for (method, outcome) in result.methods.iter().zip(&outcomes) {
        files::write_trace(&folder.join(&method.trace), &result.names, outcome)?;
        let shape = experiment.shape();
        if let Some(density) = &method.density {
            write_array(&folder.join(density), &shape, &outcome.state.values)?;
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
        let end = End::of(experiment, outcome);
        let note = end.remarks.iter().find(|r| end.standard_errors.is_none() && r.starts_with("no standard errors"));
        let error = experiment.data.truth.as_ref().map(|truth| experiment.model.distance(&last.theta, truth));
        MethodResult {
            label: method.label.clone(),
            metric: method.metric.to_string(),
            status: outcome.status.name().to_string(),
            reason: outcome.reason(),
            iterations: last.iteration,
            objective0: outcome.trace[0].objective,
            objective: finite(last.objective),
            theta: last.theta.clone(),
            standard_errors_note: note.cloned(),
            standard_errors: end.standard_errors,
            covariance: end.covariance,
            goodness_of_fit: end.goodness_of_fit.map(|test| Goodness {
                statistic: test.statistic,
                degrees_of_freedom: test.degrees_of_freedom,
                p_value: test.p_value,
            }),
            log_likelihood: end.log_likelihood,
            aic: end.log_likelihood.map(|l| 2.0 * last.theta.len() as f64 - 2.0 * l),
            bic: end.log_likelihood.zip(end.samples).map(|(l, n)| last.theta.len() as f64 * n.ln() - 2.0 * l),
            remarks: end.remarks,
            error,
            rank: last.rank,
            condition: finite(last.condition),
            capped: Some(outcome.capped()).filter(|steps| *steps > 0),
            solves: last.solves.total(),
            solver_note: last.estimate.as_ref().map(EstimateReport::summary),
            seconds: last.seconds,
            trace: format!("trace-{}.csv", method.label),
            density: Some(format!("density-{}.npy", method.label)),
        }
    });
    let methods: Vec<MethodResult> = methods.collect();
    let known = methods.iter().filter_map(|m| Some((m.objective?, &m.label)));
    let best = known.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, label)| label.clone());
    ResultFile {
        name: experiment.name.clone(),
        names: experiment.names(),
        columns: experiment.data.axes.clone(),
        theta0: experiment.theta0.clone(),
        objective: experiment.objective.name().to_string(),
        truth: experiment.data.truth.clone(),
        notes: experiment.data.notes.clone(),
        best,
        methods,
    }
}
