//! What a report says of `wngd run` and `wngd identify`.

use serde::Deserialize;

use super::page::{Cell, Page, Table};
use crate::output::files::{MethodResult, ResultFile};
use crate::output::table::{combination, short, with_error};
use crate::record::{Fact, listed};

/// Most parameters in a sentence.
const IN_WORDS: usize = 6;
/// Most parameters in a table.
const ROWS: usize = 200;

/// A figure: stem of its files, caption, text for those who cannot see it.
pub type Named = (String, String, String);

/// `result.json` of an identification: what of it a report shows.
#[derive(Deserialize)]
pub struct IdentifyResult {
    /// What it shares with a run.
    #[serde(flatten)]
    pub result: ResultFile,
    identification: Identification,
}

#[derive(Deserialize)]
struct Identification {
    raw: Vec<f64>,
    corrections: Vec<serde::de::IgnoredAny>,
    identifiability: Identifiability,
    dt: f64,
    time_scale: f64,
}

#[derive(Deserialize)]
struct Identifiability {
    eigenvalues: Vec<f64>,
    eigenvectors: Vec<Vec<f64>>,
    relative_errors: Option<Vec<Option<f64>>>,
}

/// Fills in a run.
pub fn run(page: &mut Page, result: &ResultFile) {
    page.title = result.name.clone();
    page.question = format!(
        "Which {} bring the model's density closest to the data, measured by {}?",
        parameters_in_words(&result.names),
        objective_in_words(&result.objective)
    );
    let best = result.methods.iter().filter(|m| m.objective.is_some());
    if let Some(best) = best.min_by(|a, b| a.objective.partial_cmp(&b.objective).unwrap_or(std::cmp::Ordering::Equal)) {
        page.answer.push(format!(
            "{} of {} methods converged. The lowest objective, {}, was reached by {} after {} iterations.",
            result.methods.iter().filter(|m| m.status == "converged").count(),
            result.methods.len(),
            best.objective.map_or("–".into(), short),
            best.label,
            best.iterations
        ));
    }
    page.tables.push(methods(result));
    page.tables.push(parameters(result));
}

/// Fills in an identification.
pub fn identify(page: &mut Page, file: &IdentifyResult) {
    let (result, found) = (&file.result, &file.identification);
    page.title = result.name.clone();
    page.question = format!("Which {} of the system made this trajectory?", parameters_in_words(&result.names));
    if let Some(method) = result.methods.first() {
        let values = result.names.iter().zip(&method.theta).enumerate().map(|(i, (name, value))| {
            format!("{name} = {}", with_error(*value, method.standard_errors.as_ref().map(|e| e[i])))
        });
        page.answer.push(format!("{}.", values.collect::<Vec<_>>().join(", ")));
        if !found.corrections.is_empty() {
            let raw: Vec<String> = found.raw.iter().map(|v| short(*v)).collect();
            page.answer.push(format!(
                "The fit on the grid alone gives {}; {} corrections by simulations took its bias out.",
                raw.join(", "),
                found.corrections.len()
            ));
        }
    }
    page.data.push(Fact::new("time between points", short(found.dt)));
    page.data.push(Fact::new("time scale", short(found.time_scale)));
    page.data.extend(result.notes.iter().map(|note| Fact::new("note", note)));
    page.tables.push(methods(result));
    page.tables.push(parameters(result));
    page.tables.push(identifiability(&result.names, &found.identifiability));
}

/// Figures of a run, in the order of the page.
pub fn run_figures(result: &ResultFile) -> Vec<Named> {
    let mut figures = vec![convergence(result)];
    if result.names.len() > 1 {
        figures.push((
            "landscape".into(),
            "Level sets of the objective over the first two free parameters, with the iterates of every method.".into(),
            format!(
                "Contour plot of the objective over {} and {}, with one path of iterates per method.",
                result.names[0], result.names[1]
            ),
        ));
    }
    figures.push((
        "quadratic-models".into(),
        "The objective and the local quadratic models that the first steps of each method minimise.".into(),
        "One panel per method: the objective near its first iterates and the quadratic model of each step.".into(),
    ));
    figures.extend(result.methods.iter().map(density));
    figures
}

/// Figures of an identification, in the order of the page.
pub fn identify_figures(result: &ResultFile) -> Vec<Named> {
    let named = |stem: &str, caption: &str, alt: &str| (stem.to_string(), caption.to_string(), alt.to_string());
    let mut figures = vec![
        named(
            "parameters",
            "Parameters along the fit and its corrections.",
            "One panel per parameter: its value against the iteration, then against the correction.",
        ),
        named(
            "trajectories",
            "A stretch of the data and one simulated with the parameters found, from the same point.",
            "Left the data, right the simulation, in two coordinates and against time.",
        ),
        named(
            "identifiability",
            "Which combinations of parameters the density determines, best first.",
            "Bars of the eigenvalues of the information matrix with their combinations of parameters.",
        ),
        convergence(result),
    ];
    figures.extend(result.methods.iter().map(density));
    figures
}

fn convergence(result: &ResultFile) -> Named {
    let ends = result.methods.iter().map(|m| {
        format!("{} from {} to {}", m.label, short(m.objective0), m.objective.map_or("no finite value".into(), short))
    });
    (
        "convergence".into(),
        "The objective against iterations and against time.".into(),
        format!("Line plots of the objective on a logarithmic axis: {}.", ends.collect::<Vec<_>>().join("; ")),
    )
}

fn density(method: &MethodResult) -> Named {
    (
        format!("density-{}", method.label),
        format!("Density of the data, density fitted by {}, and their difference.", method.label),
        format!("Maps of the data's density, of the density fitted by {}, and of their difference.", method.label),
    )
}

fn parameters_in_words(names: &[String]) -> String {
    let values = if names.len() == 1 { "value of" } else { "values of" };
    format!("{values} {}", listed(names, IN_WORDS))
}

fn objective_in_words(name: &str) -> String {
    match name {
        "l2" => "the squared L² distance".into(),
        "kl" => "the Kullback–Leibler divergence".into(),
        "h-1" => "the squared Ḣ⁻¹ distance".into(),
        "linearised-wasserstein" => "the linearised squared Wasserstein distance".into(),
        "wasserstein" => "the squared Wasserstein distance".into(),
        other => format!("the objective {other}"),
    }
}

fn methods(result: &ResultFile) -> Table {
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
        notes.extend(method.standard_errors_note.as_ref().map(|note| {
            let about = if note.starts_with("no ") { ":" } else { ": standard errors" };
            format!("{label}{about} {note}.")
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

fn parameters(result: &ResultFile) -> Table {
    let mut header = vec!["parameter".to_string(), "start".to_string()];
    header.extend(result.methods.iter().map(|m| m.label.clone()));
    header.extend(result.truth.as_ref().map(|_| "truth".to_string()));
    let rows = result.names.iter().enumerate().take(ROWS).map(|(i, name)| {
        let mut row = vec![Cell::text(name), Cell::number(result.theta0[i])];
        row.extend(result.methods.iter().map(|method| {
            let error = method.standard_errors.as_ref().map(|e| e[i]);
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

fn identifiability(names: &[String], found: &Identifiability) -> Table {
    let rows = (0..found.eigenvalues.len()).rev().map(|j| {
        let error = found.relative_errors.as_ref().and_then(|e| e.get(j).copied().flatten());
        let words = found.eigenvectors.get(j).filter(|v| v.len() == names.len()).map(|v| combination(names, v));
        vec![
            Cell::text(words.unwrap_or_default()),
            Cell::number(found.eigenvalues[j]),
            error.map_or(Cell::text("–"), |e| Cell::shown(format!("{e:.1e}"), e)),
        ]
    });
    Table {
        caption: "Combinations of relative changes, best determined first".into(),
        header: ["combination", "eigenvalue", "± relative"].map(String::from).to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}
