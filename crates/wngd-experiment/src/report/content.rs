//! From the files of a result folder to what a report holds.

use std::path::{Component, Path};

use serde::de::DeserializeOwned;

use super::page::{Link, Page, Settings};
use super::trace;
use crate::error::ExperimentError;
use crate::files;
use crate::record::Record;
use crate::results::ResultFile;

/// Most that is read of a file of results.
const MAX_BYTES: u64 = 256 << 20;

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
pub(super) fn plain(name: &str) -> bool {
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

/// Files of results in a folder, by name.
pub(super) fn files(folder: &Path) -> Vec<Link> {
    const KINDS: [&str; 7] = [".json", ".csv", ".toml", ".npy", ".svg", ".png", ".pdf"];
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter(|e| e.path().is_file()).filter_map(|e| e.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| KINDS.iter().any(|kind| name.ends_with(kind))).collect();
    names.sort();
    names.into_iter().map(|name| Link { address: address(&name), name }).collect()
}

/// A file's name as a relative address.
fn address(name: &str) -> String {
    let mut out = "./".to_string();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

pub(super) fn settings(record: &Record) -> Settings {
    match (&record.experiment, &record.text) {
        (Some(name), Some(text)) => Settings { origin: format!("experiment: {name}"), text: text.clone() },
        _ => Settings { origin: "arguments of the command".into(), text: record.arguments.join("\n") },
    }
}
