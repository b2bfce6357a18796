//! What a report says of `wngd toys`.

use std::path::Path;

use super::command::{Command, Stems};
use super::content::results;
use super::page::{Cell, Page, Table, strings};
use crate::error::ExperimentError;
use crate::numbers::{count, with_error};
use crate::results::ToysFile;

pub(super) const COMMAND: Command = Command {
    name: "toys",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        toys(page, &results(folder, "toys.json")?);
        Ok(vec!["pulls".into()])
    },
};

/// Fills in toys.
fn toys(page: &mut Page, file: &ToysFile) {
    page.title = format!("{}: toys", file.name);
    page.question =
        format!("Do estimates and standard errors keep what they promise, on data made with the {}?", file.from);
    let converged = file.statuses.iter().find(|s| s.status == "converged").map_or(0, |s| s.count);
    page.answer.push(format!(
        "{converged} of {} toys of {} counts converged, fitted by {}.",
        file.toys.len(),
        count(file.number),
        file.method
    ));
    page.answer.extend(file.parameters.iter().take(6).filter_map(|entry| {
        Some(format!(
            "{}: pulls of mean {} and width {}; {:.1} % of the toys are within one standard error, {:.1} % within two.",
            entry.parameter,
            with_error(entry.pull_mean?, entry.pull_mean_error),
            with_error(entry.pull_width?, entry.pull_width_error),
            100.0 * entry.coverage_1?,
            100.0 * entry.coverage_2?
        ))
    }));
    let share =
        |share: Option<f64>| share.map_or_else(|| Cell::text("–"), |s| Cell::shown(format!("{:.1} %", 100.0 * s), s));
    let pull = |value: Option<f64>, error: Option<f64>| {
        value.map_or_else(|| Cell::text("–"), |v| Cell::shown(with_error(v, error), v))
    };
    let rows = file.parameters.iter().enumerate().map(|(j, entry)| {
        vec![
            Cell::text(&entry.parameter),
            Cell::number(file.truth[j]),
            Cell::maybe(entry.bias),
            Cell::maybe(entry.scatter),
            Cell::maybe(entry.mean_standard_error),
            pull(entry.pull_mean, entry.pull_mean_error),
            pull(entry.pull_width, entry.pull_width_error),
            share(entry.coverage_1),
            share(entry.coverage_2),
            Cell::count(entry.count),
        ]
    });
    let mut notes =
        vec!["Right are pulls of mean 0 and width 1, 68.3 % within one standard error and 95.4 % within two.".into()];
    notes.extend(file.remarks.iter().map(|remark| format!("{remark}.")));
    page.tables.push(Table {
        caption: "Pulls, (estimate − truth)/standard error".into(),
        header: strings(&[
            "parameter",
            "truth",
            "bias",
            "scatter",
            "mean standard error",
            "pull mean",
            "pull width",
            "within 1",
            "within 2",
            "toys",
        ]),
        rows: rows.collect(),
        notes,
    });
    let rows = file.statuses.iter().map(|s| vec![Cell::text(&s.status), Cell::count(s.count)]);
    page.tables.push(Table {
        caption: "How fits ended".into(),
        header: strings(&["status", "toys"]),
        rows: rows.collect(),
        notes: Vec::new(),
    });
}
