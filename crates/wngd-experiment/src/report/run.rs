//! What a report says of `wngd run`.

use std::path::Path;

use super::content::{check, load_traces, results};
use super::descents::{densities, methods, parameters, parameters_in_words};
use super::page::Page;
use super::{Command, Stems};
use crate::error::ExperimentError;
use crate::numbers::short;
use crate::objectives;
use crate::results::ResultFile;

pub(super) const COMMAND: Command = Command {
    name: "run",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        let result: ResultFile = results(folder, "result.json")?;
        check(folder, &result)?;
        run(page, &result);
        load_traces(page, folder, &result)?;
        // One parameter has no landscape; a file of that name is of another run.
        let several = result.names.len() > 1;
        let stems = ["convergence", "landscape", "quadratic-models"].into_iter();
        let figures = stems.filter(|stem| several || *stem != "landscape").map(String::from);
        Ok(figures.chain(densities(&result)).collect())
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
