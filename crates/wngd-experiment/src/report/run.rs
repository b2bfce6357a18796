//! What a report says of `wngd run`.

use std::path::Path;

use super::content::{check, load_traces, results};
use super::descents::{convergence, density, methods, parameters, parameters_in_words};
use super::page::Page;
use super::{Command, Named};
use crate::error::ExperimentError;
use crate::numbers::short;
use crate::objectives;
use crate::results::ResultFile;

pub(super) const COMMAND: Command = Command {
    name: "run",
    fill: |page, folder: &Path| -> Result<Vec<Named>, ExperimentError> {
        let result: ResultFile = results(folder, "result.json")?;
        check(folder, &result)?;
        run(page, &result);
        load_traces(page, folder, &result)?;
        Ok(run_figures(&result))
    },
};

/// Fills in a run.
fn run(page: &mut Page, result: &ResultFile) {
    page.title = result.name.clone();
    page.question = format!(
        "Which {} bring the model's density closest to the data, measured by {}?",
        parameters_in_words(&result.names),
        objectives::in_words(&result.objective)
    );
    let best = result.methods.iter().filter(|m| m.objective.is_some());
    if let Some(best) = best.min_by(|a, b| a.objective.partial_cmp(&b.objective).unwrap_or(std::cmp::Ordering::Equal)) {
        page.answer.push(format!(
            "{} of {} methods converged. The lowest objective, {}, was reached by {} after {} iterations.",
            result.methods.iter().filter(|m| m.status == "converged").count(),
            result.methods.len(),
            best.objective.map_or("–".into(), short),
            best.label,
            best.iterations
        ));
    }
    page.tables.push(methods(result));
    page.tables.push(parameters(result));
}

/// Figures of a run, in the order of the page.
fn run_figures(result: &ResultFile) -> Vec<Named> {
    let mut figures = vec![convergence(result)];
    if result.names.len() > 1 {
        figures.push((
            "landscape".into(),
            "Level sets of the objective over the first two free parameters, with the iterates of every method.".into(),
            format!(
                "Contour plot of the objective over {} and {}, with one path of iterates per method.",
                result.names[0], result.names[1]
            ),
        ));
    }
    figures.push((
        "quadratic-models".into(),
        "The objective and the local quadratic models that the first steps of each method minimise.".into(),
        "One panel per method: the objective near its first iterates and the quadratic model of each step.".into(),
    ));
    figures.extend(result.methods.iter().map(density));
    figures
}
