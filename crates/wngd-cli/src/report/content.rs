//! From the files of a result folder to what a report holds.

use std::path::{Component, Path};

use serde::de::DeserializeOwned;

use super::page::{Figure, Page, Settings};
use super::{descents, others, svg, trace};
use crate::error::CliError;
use crate::output::files::{self, ResultFile};
use crate::record::{Kind, Record};

/// Most that is read of a file of results.
const MAX_BYTES: u64 = 256 << 20;

/// The page of a result folder.
pub fn page(record: &Record, folder: &Path) -> Result<Page, CliError> {
    let mut page = Page {
        title: String::new(),
        command: "",
        question: String::new(),
        answer: Vec::new(),
        data: record.data.clone(),
        model: record.model.clone(),
        tables: Vec::new(),
        figures: Vec::new(),
        traces: Vec::new(),
        settings: settings(record),
        seeds: record.seeds.clone(),
        version: record.version.clone(),
        repeat: record.repeat(),
    };
    let mut figures = Vec::new();
    match record.command {
        Kind::Run => {
            let result: ResultFile = results(folder, "result.json")?;
            check(folder, &result)?;
            page.command = "run";
            descents::run(&mut page, &result);
            figures.extend(descents::run_figures(&result));
            load_traces(&mut page, folder, &result)?;
        }
        Kind::Identify => {
            let file: descents::IdentifyResult = results(folder, "result.json")?;
            check(folder, &file.result)?;
            page.command = "identify";
            descents::identify(&mut page, &file);
            figures.extend(descents::identify_figures(&file.result));
            load_traces(&mut page, folder, &file.result)?;
        }
        Kind::Basin => {
            page.command = "basin";
            others::basin(&mut page, &results(folder, "basin.json")?);
            figures.push(others::basin_figure());
        }
        Kind::Sketch => {
            page.command = "sketch";
            others::sketch(&mut page, &results(folder, "sketch.json")?);
            figures.push(others::sketch_figure());
        }
    }
    if record.figures {
        for (number, (stem, caption, alt)) in figures.into_iter().enumerate() {
            if !plain(&stem) {
                continue;
            }
            if let Some(drawing) = svg::load(folder, &stem, &format!("figure-{}-", number + 1), &alt)? {
                page.figures.push(Figure { caption, alt, drawing });
            }
        }
    }
    Ok(page)
}

fn results<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, CliError> {
    let path = folder.join(name);
    if !path.is_file() {
        let problem = format!(
            "\"{}\" has no {name}: the command did not end; run it again, or `wngd resume` what has a checkpoint",
            folder.display()
        );
        return Err(CliError::usage("folder", problem));
    }
    files::read_json(&path, MAX_BYTES)
}

/// Refuses results whose rows do not have one value per parameter.
fn check(folder: &Path, result: &ResultFile) -> Result<(), CliError> {
    let p = result.names.len();
    let fits = |values: &Vec<f64>| values.len() == p;
    let good = fits(&result.theta0)
        && result.truth.as_ref().is_none_or(fits)
        && result.methods.iter().all(|m| fits(&m.theta) && m.standard_errors.as_ref().is_none_or(fits));
    if good {
        return Ok(());
    }
    let problem = format!("theta0, theta, standard_errors and truth need {p} values each, one per name");
    Err(CliError::Data { path: folder.join("result.json"), problem })
}

/// Whether a name stays in its folder.
fn plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
}

fn load_traces(page: &mut Page, folder: &Path, result: &ResultFile) -> Result<(), CliError> {
    for method in result.methods.iter().filter(|m| plain(&m.trace)) {
        page.traces.extend(trace::load(folder, &method.trace, &method.label)?);
    }
    Ok(())
}

fn settings(record: &Record) -> Settings {
    match (&record.experiment, &record.text) {
        (Some(name), Some(text)) => Settings { origin: format!("experiment: {name}"), text: text.clone() },
        _ => Settings { origin: "arguments of the command".into(), text: record.arguments.join("\n") },
    }
}
