//! What reports of descents share: tables of methods and parameters, figures of densities.

use super::page::{Cell, Table};
use crate::facts::listed;
use crate::numbers::{short, with_error};
use crate::results::ResultFile;

/// Most parameters in a sentence.
const IN_WORDS: usize = 6;
/// Most parameters in a table.
const ROWS: usize = 200;

/// Stems of the figures of densities.
pub(super) fn densities(result: &ResultFile) -> impl Iterator<Item = String> {
    result.methods.iter().map(|method| format!("density-{}", method.label))
}

pub(super) fn parameters_in_words(names: &[String]) -> String {
    let values = if names.len() == 1 { "value of" } else { "values of" };
    format!("{values} {}", listed(names, IN_WORDS))
}

pub(super) fn methods(result: &ResultFile) -> Table {
    let with_truth = result.truth.is_some();
    let mut header =
        vec!["method", "metric", "status", "iterations", "objective at start", "objective", "solves", "seconds"];
    if with_truth {
        header.insert(6, "distance to the truth");
    }
    let rows = result.methods.iter().map(|method| {
        let mut row = vec![
            Cell::text(&method.label),
            Cell::text(&method.metric),
            Cell::text(&method.status),
            Cell::count(method.iterations),
            Cell::number(method.objective0),
            Cell::maybe(method.objective),
            Cell::count(method.solves),
            Cell::shown(format!("{:.2}", method.seconds), method.seconds),
        ];
        if with_truth {
            row.insert(6, Cell::maybe(method.error));
        }
        row
    });
    let rows = rows.collect();
    let mut notes = Vec::new();
    for method in &result.methods {
        let label = &method.label;
        notes.extend(method.reason.as_ref().map(|reason| format!("{label}: {} ({reason}).", method.status)));
        let about = |note: &String| if note.starts_with("no ") { ":" } else { ": standard errors" };
        let note = method.standard_errors_note.as_ref().filter(|note| !method.remarks.contains(note));
        notes.extend(note.map(|note| format!("{label}{} {note}.", about(note))));
        notes.extend(method.remarks.iter().map(|remark| format!("{label}: {remark}.")));
        notes.extend(method.goodness_of_fit.as_ref().map(|test| {
            format!(
                "{label}: goodness of fit χ² = {} on {} degrees of freedom, p = {}.",
                short(test.statistic),
                test.degrees_of_freedom,
                short(test.p_value)
            )
        }));
        notes.extend(method.solver_note.as_ref().map(|note| format!("{label}, last direction: {note}.")));
        if method.rank < result.names.len() {
            notes.push(format!(
                "{label}: the last direction has rank {} of {}; some combination of parameters does not change the density.",
                method.rank,
                result.names.len()
            ));
        }
    }
    Table { caption: "Methods".into(), header: header.into_iter().map(String::from).collect(), rows, notes }
}

pub(super) fn parameters(result: &ResultFile) -> Table {
    let mut header = vec!["parameter".to_string(), "start".to_string()];
    header.extend(result.methods.iter().map(|m| m.label.clone()));
    header.extend(result.truth.as_ref().map(|_| "truth".to_string()));
    let rows = result.labels().into_iter().enumerate().take(ROWS).map(|(i, name)| {
        let mut row = vec![Cell::text(name), Cell::number(result.theta0[i])];
        row.extend(result.methods.iter().map(|method| {
            let error = method.standard_errors.as_ref().and_then(|e| e[i]);
            Cell::shown(with_error(method.theta[i], error), method.theta[i])
        }));
        row.extend(result.truth.as_ref().map(|truth| Cell::number(truth[i])));
        row
    });
    let mut notes = Vec::new();
    if result.methods.iter().any(|m| m.standard_errors.is_some()) {
        notes.push("± one standard error.".to_string());
    }
    if result.names.len() > ROWS {
        notes.push(format!("{} more parameters are in result.json.", result.names.len() - ROWS));
    }
    Table { caption: "Parameters".into(), rows: rows.collect(), header, notes }
}
