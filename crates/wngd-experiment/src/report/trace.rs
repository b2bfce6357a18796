//! A trace file in a few rows.

use std::collections::VecDeque;
use std::path::Path;

use super::page::{Cell, Table, Trace};
use crate::error::ExperimentError;

/// First and last rows shown.
const ENDS: usize = 4;
/// Columns shown; the parameters come last and may be many.
const COLUMNS: usize = 14;
/// A longer file is only named.
const MAX_TEXT: u64 = 200_000;

/// The trace `file` of the method `label` in a folder; `None` if it is not there.
pub fn load(folder: &Path, file: &str, label: &str) -> Result<Option<Trace>, ExperimentError> {
    let path = folder.join(file);
    if !path.is_file() {
        return Ok(None);
    }
    let read = |source| ExperimentError::Read { path: path.clone(), source };
    let unusable = |error: csv::Error| ExperimentError::Data { path: path.clone(), problem: error.to_string() };
    let mut reader = csv::Reader::from_path(&path).map_err(unusable)?;
    let header: Vec<String> = reader.headers().map_err(unusable)?.iter().map(str::to_string).collect();
    let (mut first, mut last, mut count) = (Vec::new(), VecDeque::new(), 0usize);
    for row in reader.records() {
        let row = row.map_err(unusable)?;
        count += 1;
        if first.len() < ENDS {
            first.push(row);
        } else {
            last.push_back(row);
            if last.len() > ENDS {
                last.pop_front();
            }
        }
    }
    let cells = |row: &csv::StringRecord| row.iter().take(COLUMNS).map(cell).collect::<Vec<_>>();
    let mut rows: Vec<Vec<Cell>> = first.iter().map(cells).collect();
    let left_out = count - first.len() - last.len();
    if left_out > 0 {
        rows.push(header.iter().take(COLUMNS).map(|_| Cell::text("…")).collect());
    }
    rows.extend(last.iter().map(cells));
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(format!("{left_out} rows in between are left out."));
    }
    if header.len() > COLUMNS {
        notes.push(format!("{} more columns are left out.", header.len() - COLUMNS));
    }
    let short = std::fs::metadata(&path).map_err(read)?.len() <= MAX_TEXT;
    let text = if short { Some(std::fs::read_to_string(&path).map_err(read)?) } else { None };
    let table = Table {
        caption: format!("{label}: {count} rows"),
        header: header.into_iter().take(COLUMNS).collect(),
        rows,
        notes,
    };
    Ok(Some(Trace { table, file: file.to_string(), text }))
}

/// Integers as they are, other numbers short.
fn cell(text: &str) -> Cell {
    match (text.parse::<usize>(), text.parse::<f64>()) {
        (Ok(count), _) => Cell::count(count),
        (_, Ok(value)) if value.is_finite() => Cell::number(value),
        _ => Cell::text(text),
    }
}
