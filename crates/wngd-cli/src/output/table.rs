//! The table at the end of a run.

use comfy_table::{Cell, CellAlignment};
use wngd::identify::Identifiability;

use super::files::ResultFile;
use super::screen;

/// Most parameters in a table.
const ROWS: usize = 24;

/// A number with few digits, for people.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    // Rounded to five digits first: 0.999999 has the exponent of 1.
    let scientific = format!("{value:.4e}");
    let exponent: i32 = scientific.rsplit('e').next().and_then(|e| e.parse().ok()).unwrap_or(0);
    if (-3..5).contains(&exponent) { format!("{value:.*}", (4 - exponent) as usize) } else { format!("{value:.3e}") }
}

/// A value with its standard error: 4.2890 ± 0.0346.
pub fn with_error(value: f64, error: Option<f64>) -> String {
    match error {
        Some(error) if error > 0.0 && error.is_finite() => {
            let digits = (1 - error.log10().floor() as i32).clamp(0, 8) as usize;
            format!("{value:.digits$} ± {error:.digits$}")
        }
        _ => short(value),
    }
}

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
            let error = method.standard_errors.as_ref().map(|e| e[i]);
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

/// A unit vector in words: its largest entries with their names, the largest positive.
pub fn combination(names: &[String], vector: &[f64]) -> String {
    let mut order: Vec<usize> = (0..vector.len()).collect();
    order.sort_by(|&a, &b| vector[b].abs().total_cmp(&vector[a].abs()));
    let sign = order.first().map_or(1.0, |&i| vector[i].signum());
    let terms = order.iter().take(4).filter(|&&i| vector[i].abs() >= 0.05).map(|&i| (sign * vector[i], &names[i]));
    let mut text = String::new();
    for (weight, name) in terms {
        let join = match (text.is_empty(), weight < 0.0) {
            (true, _) => "",
            (_, true) => " − ",
            (_, false) => " + ",
        };
        text.push_str(&format!("{join}{:.2} {name}", weight.abs()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_their_meaning() {
        assert_eq!(short(0.0), "0");
        assert_eq!(short(4.2), "4.2000");
        assert_eq!(short(-279.25), "-279.25");
        assert_eq!(short(1.0e-9), "1.000e-9");
        assert_eq!(with_error(4.28966, Some(0.0346)), "4.290 ± 0.035");
        assert_eq!(with_error(79.968, Some(0.51)), "79.97 ± 0.51");
    }

    #[test]
    fn combinations_name_their_largest_parts() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        assert_eq!(combination(&names, &[-0.6, 0.8, 0.01]), "0.80 b − 0.60 a");
        assert_eq!(combination(&names, &[0.0, 0.0, -1.0]), "1.00 c");
    }
}
