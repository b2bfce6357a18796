//! `--set key=value`: single keys of an experiment file, overridden in its text.

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::error::ExperimentError;

/// The text with some keys overridden; comments and order stay.
///
/// A value is read as TOML, and as a text where it is none.
///
/// # Errors
/// Something that is no `key=value`, or names no place in the text.
pub fn apply(text: &str, overrides: &[String]) -> Result<String, ExperimentError> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| ExperimentError::Toml {
        path: "--set".into(),
        text: error.to_string(),
    })?;
    for assignment in overrides {
        let fail = |problem: String| ExperimentError::Option { option: "--set".into(), problem };
        let Some((key, value)) = assignment.split_once('=').map(|(k, v)| (k.trim(), v.trim())) else {
            return Err(fail(format!("\"{assignment}\" is no key=value, as stop.iterations=5 is")));
        };
        if key.is_empty() {
            return Err(fail(format!("\"{assignment}\" is no key=value, as stop.iterations=5 is")));
        }
        let value: Value = value.parse().unwrap_or_else(|_| value.into());
        let mut parts: Vec<&str> = key.split('.').collect();
        let last = parts.pop().unwrap_or_default();
        let mut place: &mut dyn TableLike = document.as_table_mut();
        for part in parts {
            let (name, index) = indexed(part).ok_or_else(|| fail(format!("{key}: \"{part}\" is no key")))?;
            let none = || fail(format!("{key}: there is no table {part}"));
            let next = place.entry(name).or_insert_with(|| Item::Table(toml_edit::Table::new()));
            place = match index {
                None => next.as_table_like_mut().ok_or_else(none)?,
                Some(i) => {
                    let tables = next.as_array_of_tables_mut().ok_or_else(none)?;
                    tables.get_mut(i).ok_or_else(none)?
                }
            };
        }
        if indexed(last).is_none_or(|(_, index)| index.is_some()) {
            return Err(fail(format!("{key}: \"{last}\" is no key; give the whole list")));
        }
        place.insert(last, Item::Value(value));
    }
    Ok(document.to_string())
}

/// `name` or `name[3]`.
fn indexed(part: &str) -> Option<(&str, Option<usize>)> {
    match part.split_once('[') {
        None => (!part.is_empty()).then_some((part, None)),
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(']')?.parse().ok()?))),
    }
}
