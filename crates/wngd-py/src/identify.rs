//! `wngd.identify`: parameters of a dynamical system from points.

use std::path::{Path, PathBuf};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use toml::{Table, Value};
use wngd_experiment::checkpoint::FILE;
use wngd_experiment::data::formats::write_array;
use wngd_experiment::{Source, files};

use crate::arrays::Numbers;
use crate::field::PythonField;
use crate::interrupt::watched;
use crate::work::{How, Place, finish, identified};
use crate::{error, values};

/// A record of points of shape (n, d), with names of its columns or without.
type Record<'py> = (Bound<'py, PyAny>, Option<Vec<String>>);

/// Identifies; `sections` are those of an experiment, less what names the data.
#[pyfunction]
pub(crate) fn identify_records<'py>(
    py: Python<'py>,
    records: Vec<Record<'py>>,
    system: &Bound<'py, PyAny>,
    sections: &Bound<'py, PyAny>,
    out: Option<PathBuf>,
    figures: bool,
    restart: bool,
) -> PyResult<Bound<'py, PyDict>> {
    let field = PythonField::of(system)?;
    let system = match &field {
        Some(field) => Value::String(field.given().name),
        None => values::system(system)?,
    };
    let mut table = values::table("", sections)?;
    let data = tempfile::tempdir()?;
    let mut files: Vec<String> = Vec::new();
    for (number, record) in records.into_iter().enumerate() {
        files.push(write(data.path(), number, record)?.to_string_lossy().into_owned());
    }
    if files.is_empty() {
        return Err(PyValueError::new_err("points: no records; give an array of shape (points, variables)"));
    }
    table.insert("name".into(), format!("identify-{}", plain(&system)).into());
    within(&mut table, "data").insert("trajectory".into(), files.clone().into());
    let model = within(&mut table, "model");
    model.insert("kind".into(), "stationary-density".into());
    model.insert("system".into(), system);
    let mut source = Source::of_options(PathBuf::new(), table, argument);
    if let Some(field) = &field {
        source = source.giving(field.given());
    }
    let place = Place::of(out)?;
    let how = How { figures, restart };
    let checkpoint = place.path().join(FILE);
    let another = checkpoint.exists();
    let outcome = watched(py, || identified(&source, &place, how, vec!["identify".into()])).flatten();
    // What the system raised comes before what came of it.
    let outcome = field.map_or(Ok(()), |field| field.raised.check()).and(outcome);
    let result = outcome.map_err(|error| of_argument(py, error, &files)).inspect_err(|_| {
        if !another {
            // Its data are gone, so that it cannot be resumed. Where nothing was kept there is nothing to remove.
            let _ = std::fs::remove_file(&checkpoint);
        }
    })?;
    let told = PyDict::new(py);
    finish(&told, &result, &place)?;
    Ok(told)
}

/// The error with `points` in place of the file that stands for them.
fn of_argument(py: Python<'_>, error: PyErr, files: &[String]) -> PyErr {
    let told = error.value(py).to_string();
    let name = |i: usize| if files.len() > 1 { format!("points[{i}]") } else { "points".into() };
    let text = files.iter().enumerate().fold(told.clone(), |text, (i, file)| text.replace(file.as_str(), &name(i)));
    if text == told { error } else { PyErr::from_type(error.get_type(py), text) }
}

/// A table in a table, made if it is not there.
fn within<'t>(table: &'t mut Table, name: &str) -> &'t mut Table {
    let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    if !entry.is_table() {
        *entry = Value::Table(Table::new());
    }
    match entry {
        Value::Table(table) => table,
        _ => unreachable!("it was just made a table"),
    }
}

/// A name for a folder.
fn plain(system: &Value) -> String {
    let name = system.as_str().or_else(|| system.get("name").and_then(Value::as_str)).unwrap_or("system");
    let stem = Path::new(name).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    stem.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}

/// Writes a record to a file that the library reads: with names as a table, without as an array.
fn write(folder: &Path, number: usize, (points, columns): Record<'_>) -> PyResult<PathBuf> {
    let points = Numbers::of("points", &points)?.axes(2, "(points, variables)")?.finite()?;
    if points.values()?.is_empty() {
        return Err(error::argument("points", format!("shape {:?} has no entries", points.shape())));
    }
    let values = points.values()?;
    match columns {
        None => {
            let path = folder.join(format!("record-{number}.npy"));
            write_array(&path, points.shape(), values).map_err(error::experiment)?;
            Ok(path)
        }
        Some(names) => {
            let path = folder.join(format!("record-{number}.csv"));
            let width = points.shape()[1];
            if names.len() != width || names.iter().any(|name| name.contains([',', '"', '\n', ';', '\t'])) {
                return Err(PyValueError::new_err("points: a plain name per column is needed"));
            }
            let written = files::write_file(&path, |w| {
                writeln!(w, "{}", names.join(","))?;
                for row in values.chunks_exact(width) {
                    // The shortest form that reads back to the same bits.
                    let row: Vec<String> = row.iter().map(|value| format!("{value:?}")).collect();
                    writeln!(w, "{}", row.join(","))?;
                }
                Ok(())
            });
            written.map_err(error::experiment)?;
            Ok(path)
        }
    }
}

/// The argument that gave a field.
fn argument(field: &str) -> Option<&'static str> {
    let field = field.split('[').next().unwrap_or(field);
    let under = |name: &str| field == name || field.starts_with(&format!("{name}."));
    Some(match field {
        _ if under("model.system") => "system",
        _ if under("model.theta") => "start",
        _ if under("grid") => "cells",
        "model.free" => "free",
        "data.trajectory" => "points",
        "data.columns" => "columns",
        "data.binning" => "binning",
        "data.burn_in" => "burn_in",
        "data.stride" => "stride",
        "data.smoothing" => "smoothing",
        "identify.noise" => "noise",
        "identify.dt" => "dt",
        "identify.observed" => "observed",
        "identify.replicates" => "replicates",
        "identify.corrections" => "corrections",
        "identify.seed" => "seed",
        "identify.estimators" => "estimators",
        _ => return None,
    })
}
