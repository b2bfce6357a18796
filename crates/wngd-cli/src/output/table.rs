//! The table at the end of a run.

use comfy_table::{Cell, CellAlignment};
use wngd_experiment::numbers::{combination, short, with_error};
use wngd_experiment::results::identify::{EstimateEntry, Identifiability};
use wngd_experiment::results::{IdentifyFile, ResultFile};

use super::screen;

/// Most parameters in a table.
const ROWS: usize = 24;

/// The table of methods: one row per method, then one block of parameters.
pub fn methods(result: &ResultFile) -> String {
    let mut table = screen::table();
    let with_truth = result.truth.is_some();
    let mut header = vec!["method", "status", "steps", "objective", "seconds"];
    if with_truth {
        header.insert(4, "error");
    }
    table.set_header(&header);
    for method in &result.methods {
        let mut row = vec![
            Cell::new(&method.label),
            Cell::new(&method.status),
            Cell::new(method.iterations).set_alignment(CellAlignment::Right),
            Cell::new(method.objective.map_or("–".into(), |f| format!("{f:.4e}"))).set_alignment(CellAlignment::Right),
            Cell::new(format!("{:.2}", method.seconds)).set_alignment(CellAlignment::Right),
        ];
        if with_truth {
            let error = method.error.map_or("–".into(), |e| format!("{e:.1e}"));
            row.insert(4, Cell::new(error).set_alignment(CellAlignment::Right));
        }
        table.add_row(row);
    }
    let mut text = screen::fitted(&table);
    text.push('\n');
    text.push_str(&parameters(result));
    text
}

/// One row per parameter, one column per method: reads well however many there are.
fn parameters(result: &ResultFile) -> String {
    let mut table = screen::table();
    let mut header = vec!["parameter".to_string(), "start".to_string()];
    header.extend(result.methods.iter().map(|m| m.label.clone()));
    if result.truth.is_some() {
        header.push("truth".into());
    }
    table.set_header(header);
    for (i, name) in result.names.iter().enumerate().take(ROWS) {
        let mut row = vec![Cell::new(name), Cell::new(short(result.theta0[i])).set_alignment(CellAlignment::Right)];
        for method in &result.methods {
            let error = method.standard_errors.as_ref().and_then(|e| e[i]);
            row.push(Cell::new(with_error(method.theta[i], error)).set_alignment(CellAlignment::Right));
        }
        if let Some(truth) = &result.truth {
            row.push(Cell::new(short(truth[i])).set_alignment(CellAlignment::Right));
        }
        table.add_row(row);
    }
    let mut text = screen::fitted(&table);
    if result.names.len() > ROWS {
        text.push_str(&format!("\nand {} more parameters in result.json", result.names.len() - ROWS));
    }
    text
}

/// All estimates side by side: one row per parameter, then misfit, chance and seconds.
pub fn estimates(file: &IdentifyFile) -> String {
    let mut table = screen::table();
    let mut header = vec![String::new()];
    header.extend(file.estimates.iter().map(|estimate| {
        if estimate.estimator == file.answer {
            format!("{} (answer)", estimate.estimator)
        } else {
            estimate.estimator.clone()
        }
    }));
    table.set_header(header);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let mut row = |name: &str, cell: &dyn Fn(&EstimateEntry) -> String| {
        let cells = file.estimates.iter().map(|estimate| right(cell(estimate)));
        table.add_row(std::iter::once(Cell::new(name)).chain(cells));
    };
    for (i, name) in file.result.names.iter().enumerate().take(ROWS) {
        row(name, &|estimate| {
            let error = estimate.standard_errors.as_ref().and_then(|errors| errors.get(i).copied().flatten());
            with_error(estimate.theta[i], error)
        });
    }
    row("misfit", &|estimate| {
        estimate.misfit.map_or("–".into(), |m| format!("{:.1} of {:.0}", m.statistic, m.degrees_of_freedom))
    });
    row("p", &|estimate| estimate.misfit.map_or("–".into(), |m| format!("{:.2e}", m.p_value)));
    row("seconds", &|estimate| format!("{:.2}", estimate.seconds));
    screen::fitted(&table)
}

/// Which combinations of parameters the data determine: one row each, best determined first.
pub fn identifiability(names: &[String], found: &Identifiability) -> String {
    let mut table = screen::table();
    table.set_header(["", "combination of relative changes", "eigenvalue", "± relative"]);
    let count = found.eigenvalues.len();
    for j in (0..count).rev() {
        let place = match (j + 1 == count, j == 0) {
            (true, true) => "",
            (true, _) => "best",
            (_, true) => "worst",
            _ => "",
        };
        let error = found.relative_errors.as_ref().map_or("–".into(), |e| format!("{:.1e}", e[j]));
        table.add_row([
            Cell::new(place),
            Cell::new(combination(names, &found.eigenvectors[j])),
            Cell::new(format!("{:.1e}", found.eigenvalues[j])).set_alignment(CellAlignment::Right),
            Cell::new(error).set_alignment(CellAlignment::Right),
        ]);
    }
    screen::fitted(&table)
}
