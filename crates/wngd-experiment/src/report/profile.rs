//! What a report says of `wngd profile`.

use std::path::Path;

use super::command::{Command, Stems};
use super::content::results;
use super::page::{Cell, Page, Table, strings};
use crate::error::ExperimentError;
use crate::facts::listed;
use crate::numbers::{short, with_error};
use crate::results::ProfileFile;

pub(super) const COMMAND: Command = Command {
    name: "profile",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        let file: ProfileFile = results(folder, "profile.json")?;
        profile(page, &file);
        let profiles = file.profiles.iter().map(|entry| entry.figure.clone());
        let contours = file.contours.iter().map(|entry| entry.figure.clone());
        Ok(profiles.chain(contours).chain(["covariance".into()]).collect())
    },
};

/// Fills in profiles.
fn profile(page: &mut Page, file: &ProfileFile) {
    page.title = format!("{}: profiles", file.name);
    let names: Vec<String> = file.profiles.iter().map(|entry| file.label(&entry.parameter)).collect();
    page.question = format!("How well do the data determine {}, by the {}?", listed(&names, 4), file.of);
    page.answer.extend(file.profiles.iter().take(6).map(|entry| {
        let end = |error: Option<f64>| error.map_or("no end".to_string(), short);
        format!(
            "{} = {}, interval −{} +{} at Δ(−2 ln L) = {}.",
            file.label(&entry.parameter),
            with_error(entry.estimate, entry.standard_error),
            end(entry.lower_error),
            end(entry.upper_error),
            short(file.level)
        )
    }));
    let rows = file.profiles.iter().map(|entry| {
        vec![
            Cell::text(file.label(&entry.parameter)),
            Cell::number(entry.estimate),
            Cell::maybe(entry.standard_error),
            Cell::maybe(entry.lower),
            Cell::maybe(entry.upper),
            Cell::maybe(entry.lower_error.map(|e| -e)),
            Cell::maybe(entry.upper_error),
        ]
    });
    let mut notes: Vec<String> = file.remarks.iter().map(|remark| format!("{remark}.")).collect();
    notes.push(format!("All other parameters are at their best for each value; {} counts.", file.number));
    page.tables.push(Table {
        caption: format!("Intervals at Δ(−2 ln L) = {}", short(file.level)),
        header: strings(&["parameter", "estimate", "standard error", "from", "to", "−", "+"]),
        rows: rows.collect(),
        notes,
    });
    for entry in &file.contours {
        let rows = entry.levels.iter().map(|level| {
            let range = |axis: usize| {
                let values = level.points.iter().map(|p| p[axis]);
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
            };
            let ((a, b), (c, d)) = (range(0), range(1));
            let name = format!("{} %", short(100.0 * level.probability).trim_end_matches('0').trim_end_matches('.'));
            vec![
                Cell::text(name),
                Cell::number(level.rise),
                Cell::number(a),
                Cell::number(b),
                Cell::number(c),
                Cell::number(d),
            ]
        });
        let [a, b] = entry.parameters.each_ref().map(|name| file.label(name));
        page.tables.push(Table {
            caption: format!("Contours of {a} and {b}"),
            header: vec![
                "holds both with".into(),
                "Δ(−2 ln L)".into(),
                format!("{a} from"),
                "to".into(),
                format!("{b} from"),
                "to".into(),
            ],
            rows: rows.collect(),
            notes: Vec::new(),
        });
    }
}
