//! The best fit of an experiment, for commands that begin there.

use wngd::opt::{Outcome, Status};

use crate::data::{Counts, Noise};
use crate::end::quick_errors;
use crate::error::ExperimentError;
use crate::experiment::Experiment;

/// The lowest end of all methods that converged.
///
/// # Errors
/// None did; descents that could not be carried out.
pub fn best_fit(experiment: &Experiment) -> Result<Outcome, ExperimentError> {
    let mut best: Option<Outcome> = None;
    let mut others = Vec::new();
    for (index, method) in experiment.methods.iter().enumerate() {
        let errors = |theta: &[f64]| quick_errors(experiment, theta);
        let descent = experiment.descent(index, 0).standard_errors(&errors);
        let outcome = descent.run_with(&experiment.theta0, method.step_rule().as_mut(), &mut wngd::opt::Silent);
        let outcome = outcome.map_err(|source| ExperimentError::Descent { label: method.label.clone(), source })?;
        match outcome.status {
            Status::Converged(_) => {
                let lower = best.as_ref().is_none_or(|best| outcome.last().objective < best.last().objective);
                best = if lower { Some(outcome) } else { best };
            }
            status => others.push(format!("{} is {}", method.label, status.name())),
        }
    }
    best.ok_or_else(|| ExperimentError::NoMinimum { problem: others.join(", ") })
}

/// The counts behind a likelihood, or why there are none.
///
/// # Errors
/// What to do instead, for people.
pub fn counts(experiment: &Experiment) -> Result<&Counts, String> {
    match &experiment.data.noise {
        Noise::Independent(counts) if counts.smoothing.is_none() => Ok(counts),
        Noise::Independent(_) => Err("a kernel estimate has no counts; set data.estimate = \"histogram\"".into()),
        Noise::Trajectory { .. } => {
            Err("points of a trajectory are not independent; take samples or a histogram".into())
        }
        Noise::Unknown => Err("the data were not counted; take samples or a histogram of whole numbers".into()),
    }
}
