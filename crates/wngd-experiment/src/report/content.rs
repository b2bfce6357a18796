//! From the files of a result folder to what a report holds.

use std::path::{Component, Path};

use serde::de::DeserializeOwned;

use super::page::{Page, Settings};
use super::{COMMANDS, svg, trace};
use crate::error::ExperimentError;
use crate::files;
use crate::record::Record;
use crate::results::ResultFile;

/// Most that is read of a file of results.
const MAX_BYTES: u64 = 256 << 20;

/// The page of a result folder.
pub fn page(record: &Record, folder: &Path) -> Result<Page, ExperimentError> {
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
    let Some(command) = COMMANDS.iter().find(|c| c.name == record.command) else {
        let problem = format!("its command \"{}\" is not known to this version", record.command);
        return Err(ExperimentError::NoResults { folder: folder.to_path_buf(), problem });
    };
    page.command = command.name;
    let figures = (command.fill)(&mut page, folder)?;
    if record.figures {
        for (number, stem) in figures.into_iter().enumerate().filter(|(_, stem)| plain(stem)) {
            page.figures.extend(svg::load(folder, &stem, &format!("figure-{}-", number + 1))?);
        }
    }
    Ok(page)
}

/// Reads a file of results.
pub(super) fn results<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, ExperimentError> {
    let path = folder.join(name);
    if !path.is_file() {
        let problem =
            format!("it has no {name}: the command did not end; run it again, or `wngd resume` what has a checkpoint");
        return Err(ExperimentError::NoResults { folder: folder.to_path_buf(), problem });
    }
    files::read_json(&path, MAX_BYTES)
}

/// Refuses results whose rows do not have one value per parameter.
pub(super) fn check(folder: &Path, result: &ResultFile) -> Result<(), ExperimentError> {
    let p = result.names.len();
    let fits = |values: &Vec<f64>| values.len() == p;
    let good = fits(&result.theta0)
        && result.truth.as_ref().is_none_or(fits)
        && result.methods.iter().all(|m| fits(&m.theta) && m.standard_errors.as_ref().is_none_or(|e| e.len() == p));
    if good {
        return Ok(());
    }
    let problem = format!("theta0, theta, standard_errors and truth need {p} values each, one per name");
    Err(ExperimentError::Data { path: folder.join("result.json"), problem })
}

/// Whether a name stays in its folder.
fn plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
}

/// Takes up the traces of all methods.
pub(super) fn load_traces(page: &mut Page, folder: &Path, result: &ResultFile) -> Result<(), ExperimentError> {
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
