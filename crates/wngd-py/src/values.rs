//! Python's dictionaries, lists and numbers as TOML, and experiments in any of the forms that they have.

use std::path::PathBuf;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};
use toml::{Table, Value};
use wngd_experiment::Source;

use crate::error;

/// What errors call an experiment that has no file.
pub(crate) const TEXT: &str = "experiment";

/// A dictionary as a table; what is `None` is left out.
///
/// # Errors
/// Keys that are no text, values that TOML does not have; the text names the place.
pub(crate) fn table(place: &str, dictionary: &Bound<'_, PyAny>) -> PyResult<Table> {
    let mapping = dictionary
        .cast::<PyMapping>()
        .map_err(|_| PyTypeError::new_err(format!("{place}: a dictionary is needed, not {}", kind(dictionary))))?;
    let mut table = Table::new();
    for item in mapping.items()?.iter() {
        let (key, item) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let key: String =
            key.extract().map_err(|_| PyTypeError::new_err(format!("{place}: a key is {}, not a text", kind(&key))))?;
        if !item.is_none() {
            let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
            table.insert(key, value(&place, &item)?);
        }
    }
    Ok(table)
}

/// A value.
fn value(place: &str, item: &Bound<'_, PyAny>) -> PyResult<Value> {
    if item.is_instance_of::<PyBool>() {
        return Ok(Value::Boolean(item.extract()?));
    }
    if item.is_instance_of::<PyString>() {
        return Ok(Value::String(item.extract()?));
    }
    if item.is_instance_of::<PyInt>() {
        let number = item.extract::<i64>();
        return number.map(Value::Integer).map_err(|_| PyValueError::new_err(format!("{place}: {item} is too large")));
    }
    if item.is_instance_of::<PyFloat>() {
        return Ok(Value::Float(item.extract()?));
    }
    if item.is_instance_of::<PyList>() || item.is_instance_of::<PyTuple>() {
        let items = item.try_iter()?.enumerate();
        let values = items.map(|(i, item)| value(&format!("{place}[{i}]"), &item?));
        return values.collect::<PyResult<_>>().map(Value::Array);
    }
    if item.is_instance_of::<PyDict>() || item.cast::<PyMapping>().is_ok() {
        return table(place, item).map(Value::Table);
    }
    // Arrays and their scalars, series of pandas.
    if item.hasattr("tolist")? {
        return value(place, &item.call_method0("tolist")?);
    }
    match item.extract::<PathBuf>() {
        Ok(path) => Ok(Value::String(path.to_string_lossy().into_owned())),
        Err(_) => {
            Err(PyTypeError::new_err(format!("{place}: {} is neither number, text, list nor dictionary", kind(item))))
        }
    }
}

/// Name of a type.
fn kind(item: &Bound<'_, PyAny>) -> String {
    item.get_type().name().map_or_else(|_| "something".into(), |name| name.to_string())
}

/// An experiment: a path, the name of a built-in one, TOML text, or a dictionary. Paths in text and dictionaries are
/// relative to the working directory.
///
/// # Errors
/// What cannot be read.
pub(crate) fn source(experiment: &Bound<'_, PyAny>) -> PyResult<Source> {
    if let Ok(text) = experiment.extract::<String>() {
        return if text.contains('\n') { parsed(text) } else { Source::load(&text, &[]).map_err(error::experiment) };
    }
    if let Ok(path) = experiment.extract::<PathBuf>() {
        return Source::load(&path.to_string_lossy(), &[]).map_err(error::experiment);
    }
    parsed(table("", experiment)?.to_string())
}

fn parsed(text: String) -> PyResult<Source> {
    Source::parse(TEXT.into(), Some(PathBuf::new()), text).map_err(error::experiment)
}

/// A system: its name, the path of its file, or its equations as TOML text or dictionary; as an experiment has it.
///
/// # Errors
/// What is none of these.
pub(crate) fn system(system: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(text) = system.extract::<String>() {
        if !text.contains('\n') {
            return Ok(Value::String(text));
        }
        let table = text.parse::<Table>().map_err(|e| error::argument("system", e))?;
        return Ok(Value::Table(table));
    }
    if let Ok(path) = system.extract::<PathBuf>() {
        return Ok(Value::String(path.to_string_lossy().into_owned()));
    }
    table("system", system).map(Value::Table)
}
