//! The table at the end of a run.

use comfy_table::{Cell, CellAlignment};
use wngd_experiment::numbers::{combination, short, with_error};
use wngd_experiment::results::identify::{EstimateEntry, Identifiability};
use wngd_experiment::results::{IdentifyFile, MethodResult, ResultFile};

use super::screen;

/// Most parameters in a table.
const ROWS: usize = 24;

/// The best fit, a row per parameter; what is to be said of it; all methods, the best first.
pub fn run(result: &ResultFile) -> String {
    let mut parts: Vec<String> = result.best().map(|best| parameters(result, best)).into_iter().collect();
    parts.extend(result.in_words());
    parts.push(methods(result));
    parts.join("\n")
}

/// One row per method, the best first.
pub fn methods(result: &ResultFile) -> String {
    let mut table = screen::table();
    let with_truth = result.truth.is_some();
    let mut header = vec!["method", "status", "steps", "objective", "seconds"];
    if with_truth {
        header.insert(4, "error");
    }
    table.set_header(&header);
    let best = result.best().map(|best| &best.label);
    let (first, others): (Vec<_>, Vec<_>) = result.methods.iter().partition(|m| Some(&m.label) == best);
    for method in first.into_iter().chain(others) {
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
    screen::fitted(&table)
}

/// The values of a method: one row per parameter.
pub fn parameters(result: &ResultFile, method: &MethodResult) -> String {
    let mut table = screen::table();
    let mut header = vec!["parameter", "start", &method.label];
    if result.truth.is_some() {
        header.push("truth");
    }
    table.set_header(header);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    for (i, name) in result.labels().iter().enumerate().take(ROWS) {
        let error = method.standard_errors.as_ref().and_then(|e| e.get(i).copied().flatten());
        let mut row = vec![Cell::new(name), right(short(result.theta0[i])), right(with_error(method.theta[i], error))];
        row.extend(result.truth.as_ref().map(|truth| right(short(truth[i]))));
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
