//! What a report says of `wngd basin` and `wngd sketch`.

use serde::Deserialize;

use super::descents::Named;
use super::page::{Cell, Page, Table};
use crate::output::table::short;
use crate::record::listed;

/// Most minima in a table.
const MINIMA: usize = 50;

/// `basin.json`: what of it a report shows.
#[derive(Deserialize)]
pub struct Basins {
    name: String,
    names: Vec<String>,
    parameters: Vec<String>,
    minima: Vec<Minimum>,
    methods: Vec<BasinMethod>,
}

#[derive(Deserialize)]
struct Minimum {
    theta: Vec<f64>,
    objective: f64,
    count: usize,
}

#[derive(Deserialize)]
struct BasinMethod {
    label: String,
    fraction_best: f64,
    minimum: Vec<Option<usize>>,
    iterations: Vec<usize>,
}

/// `sketch.json`: what of it a report shows.
#[derive(Deserialize)]
pub struct Sketches {
    name: String,
    parameters: usize,
    cells: usize,
    seeds: u64,
    metrics: Vec<SketchMetric>,
}

#[derive(Deserialize)]
struct SketchMetric {
    metric: String,
    damping: f64,
    step: f64,
    auto: String,
    entries: Vec<Entry>,
    left_out: Vec<String>,
}

#[derive(Deserialize)]
struct Entry {
    estimator: String,
    probes: Option<usize>,
    tolerance: Option<f64>,
    solves: Median,
    angle: Median,
    length: Median,
    error: Median,
    decrease: Median,
}

/// Not finite where it is absent.
#[derive(Deserialize)]
struct Median {
    median: Option<f64>,
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|s| s.to_string()).collect()
}

/// Fills in a map of basins.
pub fn basin(page: &mut Page, file: &Basins) {
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

/// The figure of a map of basins.
pub fn basin_figure() -> Named {
    (
        "basin".into(),
        "The minimum that each start reaches, one panel per method.".into(),
        "One map per method: every start coloured by the minimum that its descent reached.".into(),
    )
}

/// Fills in a comparison of estimators.
pub fn sketch(page: &mut Page, file: &Sketches) {
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
            let shown = |value: &Median, show: &dyn Fn(f64) -> String| {
                value.median.map_or(Cell::text("–"), |v| Cell::shown(show(v), v))
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

/// The figure of a comparison of estimators.
pub fn sketch_figure() -> Named {
    (
        "sketch".into(),
        "Error of the direction against the number of solves, one panel per metric.".into(),
        "Line plots on logarithmic axes: the error of each estimator's direction falls with the solves spent.".into(),
    )
}
