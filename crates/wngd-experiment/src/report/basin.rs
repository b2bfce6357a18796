//! What a report says of `wngd basin`.

use std::path::Path;

use super::content::results;
use super::page::{Cell, Page, Table, strings};
use super::{Command, Stems};
use crate::error::ExperimentError;
use crate::facts::listed;
use crate::numbers::short;
use crate::results::BasinFile;

/// Most minima in a table.
const MINIMA: usize = 50;

pub(super) const COMMAND: Command = Command {
    name: "basin",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        basin(page, &results(folder, "basin.json")?);
        Ok(vec!["basin".into()])
    },
};

/// Fills in a map of basins.
fn basin(page: &mut Page, file: &BasinFile) {
    page.title = format!("{}: basins", file.name);
    page.question =
        format!("Which minimum does a descent reach, depending on where {} start?", listed(&file.parameters, 2));
    let starts = file.methods.first().map_or(0, |m| m.minimum.len());
    page.answer.push(format!(
        "{} starts per method lead to {} minima.{}",
        starts,
        file.minima.len(),
        file.minima.first().map_or(String::new(), |m| format!(" The best has the objective {}.", short(m.objective)))
    ));
    let rows = file.methods.iter().map(|method| {
        let total = method.minimum.len();
        let none = method.minimum.iter().filter(|m| m.is_none()).count();
        let best = method.minimum.iter().filter(|m| **m == Some(0)).count();
        let mean = method.iterations.iter().sum::<usize>() as f64 / total.max(1) as f64;
        vec![
            Cell::text(&method.label),
            Cell::count(total),
            Cell::shown(format!("{best} ({:.1} %)", 100.0 * method.fraction_best), method.fraction_best),
            Cell::count(total - none - best),
            Cell::count(none),
            Cell::shown(format!("{mean:.1}"), mean),
        ]
    });
    page.tables.push(Table {
        caption: "Methods".into(),
        header: strings(&["method", "starts", "at the best minimum", "elsewhere", "not converged", "mean iterations"]),
        rows: rows.collect(),
        notes: Vec::new(),
    });
    let mut header = strings(&["minimum", "objective", "descents"]);
    header.extend(file.names.iter().cloned());
    let rows = file.minima.iter().enumerate().take(MINIMA).map(|(i, minimum)| {
        let mut row =
            vec![Cell::text((i + 1).to_string()), Cell::number(minimum.objective), Cell::count(minimum.count)];
        row.extend(minimum.theta.iter().map(|v| Cell::number(*v)));
        row
    });
    let notes = match file.minima.len().checked_sub(MINIMA) {
        None | Some(0) => Vec::new(),
        Some(more) => vec![format!("{more} more minima are in basin.json.")],
    };
    page.tables.push(Table { caption: "Minima, best first".into(), header, rows: rows.collect(), notes });
}
