//! What a report says of `wngd sketch`.

use std::path::Path;

use super::content::results;
use super::page::{Cell, Page, Table, strings};
use super::{Command, Stems};
use crate::error::ExperimentError;
use crate::numbers::short;
use crate::results::{Quartiles, Study};

pub(super) const COMMAND: Command = Command {
    name: "sketch",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        sketch(page, &results(folder, "sketch.json")?);
        Ok(vec!["sketch".into()])
    },
};

/// Fills in a comparison of estimators.
fn sketch(page: &mut Page, file: &Study) {
    page.title = format!("{}: estimators", file.name);
    page.question = format!(
        "How close do estimators come to the natural-gradient direction of {} parameters on {} cells, and for how many solves?",
        file.parameters, file.cells
    );
    page.answer.push(format!("Medians over {} seeds; the quartiles are in sketch.json.", file.seeds));
    for metric in &file.metrics {
        let rows = metric.entries.iter().map(|entry| {
            let setting = match (entry.probes, entry.tolerance) {
                (Some(m), _) => format!("m = {m}"),
                (None, Some(t)) if entry.estimator != "exact" => format!("to {t:.0e}"),
                _ => String::new(),
            };
            let shown = |value: &Quartiles, show: &dyn Fn(f64) -> String| match value.median {
                v if v.is_finite() => Cell::shown(show(v), v),
                _ => Cell::text("–"),
            };
            vec![
                Cell::text(&entry.estimator),
                Cell::text(setting),
                shown(&entry.solves, &|v| format!("{v:.0}")),
                shown(&entry.angle, &|v| format!("{}°", short(v))),
                shown(&entry.length, &short),
                shown(&entry.error, &|v| format!("{v:.1e}")),
                shown(&entry.decrease, &|v| format!("{:.2} %", 100.0 * v)),
            ]
        });
        let mut notes = vec![
            format!("Damping {:e} of the largest eigenvalue, step {}.", metric.damping, metric.step),
            format!("auto: {}.", metric.auto),
        ];
        notes.extend(metric.left_out.iter().map(|what| format!("Left out: {what}.")));
        page.tables.push(Table {
            caption: metric.metric.clone(),
            header: strings(&["estimator", "setting", "solves", "angle", "length", "error of η", "decrease of f"]),
            rows: rows.collect(),
            notes,
        });
    }
}
