//! What a report says of `wngd identify`.

use std::path::Path;

use super::command::{Command, Stems};
use super::content::{check, load_traces, results};
use super::descents::{densities, methods, parameters, parameters_in_words};
use super::page::{Cell, Page, Table};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::numbers::{combination, short, with_error};
use crate::results::IdentifyFile;
use crate::results::identify::Identifiability;

/// Most parameters side by side.
const COLUMNS: usize = 8;

pub(super) const COMMAND: Command = Command {
    name: "identify",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        let file: IdentifyFile = results(folder, "result.json")?;
        check(folder, &file.result)?;
        identify(page, &file);
        load_traces(page, folder, &file.result)?;
        let mut figures = ["estimates", "undetermined", "trajectories", "steps", "moments"].map(String::from).to_vec();
        if file.identification.is_none() {
            return Ok(figures);
        }
        figures.extend(["parameters", "identifiability", "convergence"].map(String::from));
        figures.extend(densities(&file.result));
        Ok(figures)
    },
};

/// Fills in an identification.
fn identify(page: &mut Page, file: &IdentifyFile) {
    let result = &file.result;
    page.title = result.name.clone();
    page.question = format!("Which {} of the system made this trajectory?", parameters_in_words(&result.names));
    if let Some(method) = result.methods.first() {
        let values = result.names.iter().zip(&method.theta).enumerate().map(|(i, (name, value))| {
            format!("{name} = {}", with_error(*value, method.standard_errors.as_ref().and_then(|e| e[i])))
        });
        let values = values.collect::<Vec<_>>().join(", ");
        page.answer.push(match file.verdict.as_str() {
            "misfit" => format!("The model does not fit these data; the nearest that was found is {values}."),
            "undetermined" => format!("Not all of it is determined; what was found is {values}."),
            "not-converged" => format!("No estimator came to rest; the last values are {values}."),
            _ => format!("{values}."),
        });
        page.answer.extend(method.reason.iter().map(|reason| format!("{}: {reason}.", method.status)));
    }
    if let Some(found) = &file.identification {
        if !found.corrections.is_empty() {
            let raw: Vec<String> = found.raw.iter().map(|v| short(*v)).collect();
            page.answer.push(format!(
                "The fit on the grid alone gives {}; {} corrections by simulations took its bias out.",
                raw.join(", "),
                found.corrections.len()
            ));
        }
        page.data.push(Fact::new("time between points", short(found.dt)));
        page.data.push(Fact::new("time scale", short(found.time_scale)));
    }
    page.data.extend(result.notes.iter().map(|note| Fact::new("note", note)));
    page.tables.push(estimates(&result.names, file));
    page.tables.push(methods(result));
    page.tables.push(parameters(result));
    page.tables
        .extend(file.identification.as_ref().map(|found| identifiability(&result.names, &found.identifiability)));
}

/// All estimates side by side.
fn estimates(names: &[String], file: &IdentifyFile) -> Table {
    let mut header = vec!["estimator".to_string()];
    header.extend(names.iter().take(COLUMNS).cloned());
    header.extend(["misfit", "degrees of freedom", "p", "seconds"].map(String::from));
    let rows = file.estimates.iter().map(|estimate| {
        let mut row = vec![Cell::text(&estimate.estimator)];
        row.extend(estimate.theta.iter().take(COLUMNS).enumerate().map(|(i, value)| {
            let error = estimate.standard_errors.as_ref().and_then(|errors| errors.get(i).copied().flatten());
            Cell::shown(with_error(*value, error), *value)
        }));
        row.push(Cell::maybe(estimate.misfit.map(|m| m.statistic)));
        row.push(Cell::maybe(estimate.misfit.map(|m| m.degrees_of_freedom)));
        row.push(Cell::maybe(estimate.misfit.map(|m| m.p_value)));
        row.push(Cell::shown(format!("{:.2}", estimate.seconds), estimate.seconds));
        row
    });
    let mut notes: Vec<String> = file
        .estimates
        .iter()
        .flat_map(|estimate| estimate.remarks.iter().map(|remark| format!("{}: {remark}.", estimate.estimator)))
        .collect();
    if let Some(noise) = &file.noise {
        let share: Vec<String> = noise.share.iter().map(|s| format!("{:.2} %", 100.0 * s)).collect();
        let how = if noise.estimated { "found" } else { "declared" };
        notes.push(format!("Noise {how}: {} of the scatter of each coordinate.", share.join(", ")));
    }
    Table { caption: "Estimates side by side".into(), header, rows: rows.collect(), notes }
}

fn identifiability(names: &[String], found: &Identifiability) -> Table {
    let rows = (0..found.eigenvalues.len()).rev().map(|j| {
        let error = found.relative_errors.as_ref().and_then(|e| e.get(j).copied()).filter(|e| e.is_finite());
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
