//! What a report says of `wngd identify`.

use std::path::Path;

use super::content::{check, load_traces, results};
use super::descents::{densities, methods, parameters, parameters_in_words};
use super::page::{Cell, Page, Table};
use super::{Command, Stems};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::numbers::{combination, short, with_error};
use crate::results::IdentifyFile;
use crate::results::identify::Identifiability;

pub(super) const COMMAND: Command = Command {
    name: "identify",
    fill: |page, folder: &Path| -> Result<Stems, ExperimentError> {
        let file: IdentifyFile = results(folder, "result.json")?;
        check(folder, &file.result)?;
        identify(page, &file);
        load_traces(page, folder, &file.result)?;
        let mut figures = ["parameters", "trajectories", "identifiability", "convergence"].map(String::from).to_vec();
        figures.extend(densities(&file.result));
        Ok(figures)
    },
};

/// Fills in an identification.
fn identify(page: &mut Page, file: &IdentifyFile) {
    let (result, found) = (&file.result, &file.identification);
    page.title = result.name.clone();
    page.question = format!("Which {} of the system made this trajectory?", parameters_in_words(&result.names));
    if let Some(method) = result.methods.first() {
        let values = result.names.iter().zip(&method.theta).enumerate().map(|(i, (name, value))| {
            format!("{name} = {}", with_error(*value, method.standard_errors.as_ref().and_then(|e| e[i])))
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
