//! What a report says of `wngd fit`.

use std::path::Path;

use super::best::{correlations, headline};
use super::command::{Command, Stems};
use super::content::results;
use super::page::{Cell, Page, Table, strings};
use super::trace;
use crate::error::ExperimentError;
use crate::facts::listed;
use crate::numbers::with_error;
use crate::results::FitFile;

pub(super) const COMMAND: Command = Command {
    name: "fit",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        let result: FitFile = results(folder, "result.json")?;
        let p = result.names.len();
        let fits = |m: &crate::results::FitMethod| {
            m.theta.len() == p && m.standard_errors.as_ref().is_none_or(|e| e.len() == p)
        };
        if !result.methods.iter().all(fits) {
            let problem = format!("theta and standard_errors need {p} values each, one per name");
            return Err(ExperimentError::Data { path: folder.join("result.json"), problem });
        }
        fill(page, &result);
        for method in result.methods.iter().filter(|m| m.trace == "trace-fit.csv") {
            page.traces.extend(trace::load(folder, &method.trace, &method.label)?);
        }
        Ok(["samples", "histogram", "residuals", "covariance", "density-fit"].map(String::from).to_vec())
    },
};

fn fill(page: &mut Page, result: &FitFile) {
    page.title = result.name.clone();
    page.question = format!("Which Gaussian mixture gives {} the highest likelihood?", listed(&result.columns, 6));
    page.answer = result.in_words();
    let labels = result.labels();
    for method in &result.methods {
        page.headline = headline(&labels, &method.theta, method.standard_errors.as_deref());
        let rows = labels.iter().enumerate().map(|(i, name)| {
            let error = method.standard_errors.as_ref().and_then(|e| e[i]);
            vec![Cell::text(name), Cell::shown(with_error(method.theta[i], error), method.theta[i])]
        });
        let mut notes = vec!["± one standard error, by the sandwich of information and scores.".to_string()];
        notes.extend(method.remarks.iter().map(|r| format!("{r}.")));
        let header = strings(&["parameter", "value"]);
        page.tables.push(Table { caption: "Parameters".into(), header, rows: rows.take(200).collect(), notes });
    }
    for covariance in result.methods.iter().filter_map(|method| method.covariance.as_ref()) {
        let entry = |i: usize, j: usize| covariance.get(i).and_then(|row| row.get(j)).copied().flatten();
        page.tables.extend(correlations(&labels, &entry));
    }
    let rows = result.scores.iter().map(|s| {
        vec![
            Cell::text(s.components.to_string()),
            Cell::number(s.log_likelihood),
            Cell::number(s.bic),
            Cell::number(s.aic),
            Cell::text(if s.degenerate { "collapsed" } else { "" }),
        ]
    });
    let header = strings(&["components", "log-likelihood", "BIC", "AIC", "remark"]);
    page.tables.push(Table {
        caption: "Numbers of components".into(),
        header,
        rows: rows.collect(),
        notes: Vec::new(),
    });
}
