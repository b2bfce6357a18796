//! A trace file in a few rows.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::page::{Cell, Table, Trace};
use crate::error::ExperimentError;
use crate::files;

/// First and last rows shown.
const ENDS: usize = 4;
/// Columns shown; the parameters come last and may be many.
const COLUMNS: usize = 14;
/// A longer file is not quoted.
const MAX_TEXT: u64 = 200_000;
/// A longer file is refused.
const MAX_BYTES: u64 = 1 << 30;
/// So is a longer row, all of which is in memory at once.
const MAX_ROW: usize = 16 << 20;

/// The trace `file` of the method `label` in a folder; `None` if it is not there.
pub fn load(folder: &Path, file: &str, label: &str) -> Result<Option<Trace>, ExperimentError> {
    let path = folder.join(file);
    if !path.is_file() {
        return Ok(None);
    }
    let read = |source| ExperimentError::Read { path: path.clone(), source };
    let unusable = |error: csv::Error| ExperimentError::Data { path: path.clone(), problem: error.to_string() };
    let source = File::open(&path).map_err(read)?;
    let size = source.metadata().map_err(read)?.len();
    if size > MAX_BYTES {
        let problem = format!("{size} bytes; of a trace at most {MAX_BYTES} are read");
        return Err(ExperimentError::Data { path, problem });
    }
    let mut reader = csv::Reader::from_reader(Rows { source, row: 0 });
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
    let text = if size <= MAX_TEXT { Some(files::read_text(&path, MAX_TEXT)?) } else { None };
    let table = Table {
        caption: format!("{label}: {count} rows"),
        header: header.into_iter().take(COLUMNS).collect(),
        rows,
        notes,
    };
    Ok(Some(Trace { table, file: file.to_string(), text }))
}

/// A file of rows, none of which is too long.
struct Rows {
    source: File,
    /// Bytes of the row so far.
    row: usize,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        match buffer[..count].iter().rposition(|byte| *byte == b'\n') {
            Some(end) => self.row = count - end - 1,
            None => self.row += count,
        }
        if self.row > MAX_ROW {
            let problem = format!("a row of more than {MAX_ROW} bytes; it is not one of ours");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
        }
        Ok(count)
    }
}

/// Integers as they are, other numbers short.
fn cell(text: &str) -> Cell {
    match (text.parse::<usize>(), text.parse::<f64>()) {
        (Ok(count), _) => Cell::count(count),
        (_, Ok(value)) if value.is_finite() => Cell::number(value),
        // What was not computed.
        (_, Ok(_)) => Cell::maybe(None),
        _ => Cell::text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_computed_is_a_dash() {
        for (text, shown) in [("NaN", "–"), ("inf", "–"), ("3", "3"), ("0.25", "0.25000"), ("…", "…")] {
            assert_eq!(cell(text).text, shown);
        }
    }
}
