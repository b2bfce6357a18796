//! What a report says of `wngd run`.

use std::path::Path;

use super::best::{headline, tables};
use super::command::{Command, Stems};
use super::content::{check, load_traces, results};
use super::descents::{densities, methods, parameters, parameters_in_words};
use super::page::Page;
use crate::error::ExperimentError;
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
        let stems = [
            "samples",
            "histogram",
            "residuals",
            "covariance",
            "paths",
            "convergence",
            "landscape",
            "quadratic-models",
        ];
        let stems = stems.into_iter();
        let figures = stems.filter(|stem| several || *stem != "landscape").map(String::from);
        Ok(figures.chain(densities(&result)).collect())
    },
};

/// Fills in a run.
fn run(page: &mut Page, result: &ResultFile) {
    page.title = result.name.clone();
    page.question = format!(
        "Which {} bring the model's density closest to the data, measured by {}?",
        parameters_in_words(&result.labels()),
        objectives::in_words(&result.objective)
    );
    if let Some(best) = result.best() {
        page.headline = headline(&result.labels(), &best.theta, best.standard_errors.as_deref());
        page.answer.extend(result.in_words());
        page.tables.extend(tables(&result.labels(), best));
    }
    page.tables.push(methods(result));
    page.tables.push(parameters(result));
}
