//! A table of a file, row by row.

use std::io::{BufReader, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;

use super::dialect::Separator;
use super::format::{Asked, Time};
use super::lines::{Lines, MAX_ROW};
use super::number::Field;
use super::shape::{self, Shape};
use crate::error::ExperimentError;
use crate::facts::{NAMES, listed};
use crate::registry::near;

/// Bytes that tell how a table is written.
const HEAD: usize = 1 << 16;

/// What the first bytes of a file were looked at for, and the rest of it.
type Whole<R> = BufReader<Chain<Cursor<Vec<u8>>, BufReader<R>>>;

/// A table under way.
pub(super) struct Table<R> {
    path: PathBuf,
    csv: csv::Reader<Lines<Whole<R>>>,
    pub(super) shape: Shape,
    row: ByteRecord,
}

impl<R: Read> Table<R> {
    pub(super) fn open(path: &Path, reader: R, asked: &Asked<'_>) -> Result<Self, ExperimentError> {
        let data = |problem: String| ExperimentError::Data { path: path.to_path_buf(), problem };
        let mut reader = BufReader::new(reader);
        let mut head = shape::head(&mut reader, HEAD).map_err(|e| data(e.to_string()))?;
        if head.len() == HEAD && !head.contains(&b'\n') && !head.contains(&b'\r') {
            // One endless line, or a table that is long in the wrong direction.
            let more = shape::head(&mut reader, MAX_ROW).map_err(|e| data(e.to_string()))?;
            head.extend(more);
        }
        let shape = Shape::find(&head, head.len() < HEAD, asked.dialect, asked.needed()).map_err(data)?;
        let whole = BufReader::with_capacity(1 << 18, Cursor::new(head).chain(reader));
        let csv = shape.separator.reader(Lines::new(whole, shape.separator == Separator::Blank));
        let mut table = Self { path: path.to_path_buf(), csv, shape, row: ByteRecord::new() };
        if table.shape.header {
            // The names are known already.
            table.read()?;
        }
        if table.shape.names.iter().all(String::is_empty) {
            // What keeps rows from being read says more.
            table.read()?;
            return Err(table.fail("the file is empty; at least one row of numbers is needed".into()));
        }
        Ok(table)
    }

    pub(super) fn fail(&self, problem: String) -> ExperimentError {
        ExperimentError::Data { path: self.path.clone(), problem }
    }

    fn listed(&self) -> String {
        listed(&self.shape.names, NAMES)
    }

    /// The column of times, where times are asked for and no coordinate is called so.
    pub(super) fn time(&self, asked: &Asked<'_>) -> Option<usize> {
        let is_time = |name: &String| name.eq_ignore_ascii_case("t") || name.eq_ignore_ascii_case("time");
        (asked.time == Time::Column).then(|| self.shape.names.iter().position(is_time)).flatten()
    }

    /// The column of a name.
    pub(super) fn find(&self, name: &str) -> Result<usize, ExperimentError> {
        let names = &self.shape.names;
        let wanted = name.trim();
        let mut found = (0..names.len()).filter(|&i| names[i] == wanted);
        match (found.next(), found.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(self.fail(format!("two columns are called \"{wanted}\"; rename one of them"))),
            _ => {
                let known: Vec<&str> = names.iter().map(String::as_str).collect();
                let small = known.iter().find(|known| known.eq_ignore_ascii_case(wanted)).copied();
                let hint = small.or_else(|| near(wanted, &known));
                let hint = hint.map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
                let separated = self.separated();
                let columns = self.listed();
                Err(self.fail(format!("there is no column \"{wanted}\"{hint}; the columns{separated} are {columns}")))
            }
        }
    }

    /// What separates columns, where it is not the comma of the name of the format.
    fn separated(&self) -> String {
        match self.shape.separator {
            Separator::Comma | Separator::None => String::new(),
            other => format!(" (separated by {})", other.words()),
        }
    }

    /// The named columns, or those of the coordinates' names, or else all but some.
    pub(super) fn choose(&self, asked: &Asked<'_>, but: [Option<usize>; 2]) -> Result<Vec<usize>, ExperimentError> {
        let names = &self.shape.names;
        let all = || -> Vec<usize> { (0..names.len()).filter(|i| !but.contains(&Some(*i))).collect() };
        let indices = match asked.columns {
            Some(names) => names.iter().map(|name| self.find(name)).collect::<Result<_, _>>()?,
            None => {
                let named: Option<Vec<usize>> =
                    asked.variables.iter().map(|name| names.iter().position(|n| n == name)).collect();
                match named {
                    Some(named) if !named.is_empty() => named,
                    _ => {
                        let mut all = all();
                        if self.shape.row_names && all.len() == asked.dim + 1 {
                            all.remove(0);
                        }
                        all
                    }
                }
            }
        };
        if asked.dim > 0 && indices.len() != asked.dim {
            let (found, dim, shown, separated) = (indices.len(), asked.dim, self.listed(), self.separated());
            let settle = match found {
                1 if asked.columns.is_none() => "; if something else separates them, set data.separator",
                _ => "",
            };
            return Err(self.fail(format!(
                "{found} column{}{separated} for {dim} coordinates; choose them with data.columns or --columns (the file has {shown}){settle}",
                if found == 1 { "" } else { "s" }
            )));
        }
        Ok(indices)
    }

    /// Goes to the next row; false after the last one.
    pub(super) fn next(&mut self) -> Result<bool, ExperimentError> {
        if !self.read()? {
            return Ok(false);
        }
        let (found, width) = (self.row.len(), self.shape.names.len());
        let trailing = found == width + 1 && self.row.get(width).is_some_and(|f| f.trim_ascii().is_empty());
        if found != width && !trailing {
            let separated = self.shape.separator.words();
            return Err(self.fail(format!(
                "line {}: {found} fields where {width} are expected (separated by {separated}); repair the row, \
                 or put # before lines that are no data",
                self.line()
            )));
        }
        Ok(true)
    }

    fn read(&mut self) -> Result<bool, ExperimentError> {
        self.csv.read_byte_record(&mut self.row).map_err(|error| {
            let text = match error.into_kind() {
                csv::ErrorKind::Io(error) => error.to_string(),
                other => format!("{other:?}"),
            };
            self.fail(text)
        })
    }

    fn line(&self) -> u64 {
        self.row.position().map_or(0, csv::Position::line)
    }

    fn text(&self, column: usize) -> String {
        let text = String::from_utf8_lossy(self.row.get(column).unwrap_or(b""));
        text.trim().chars().take(40).collect()
    }

    /// A number of the row, or nothing where its value is missing.
    pub(super) fn number(&self, column: usize) -> Result<Option<f64>, ExperimentError> {
        let bytes = self.row.get(column).unwrap_or(b"");
        let decimal = self.shape.decimal;
        match std::str::from_utf8(bytes).map_or(Field::Text, |text| Field::of(text, decimal)) {
            Field::Number(value) => Ok(Some(value)),
            Field::Missing => Ok(None),
            Field::Text => {
                let (line, name, text) = (self.line(), &self.shape.names[column], self.text(column));
                let hint = match Field::of(&text, decimal.other()) {
                    Field::Number(_) => {
                        let (here, other) = (decimal.sign(), decimal.other().sign());
                        format!(
                            "; decimals are written with '{here}' here, set data.decimal = \"{other}\" if that is wrong"
                        )
                    }
                    _ => "; remove the row or repair it".to_string(),
                };
                Err(self.fail(format!("line {line}, column {name}: \"{text}\" is not a finite number{hint}")))
            }
        }
    }

    pub(super) fn missing(&self, column: usize) -> ExperimentError {
        let (line, name, text) = (self.line(), &self.shape.names[column], self.text(column));
        let what =
            if text.is_empty() { "the value is missing".into() } else { format!("\"{text}\" is a missing value") };
        self.fail(format!(
            "line {line}, column {name}: {what}; repair the row, or set missing = \"skip\" in [data] to leave such rows out"
        ))
    }

    /// What should be told of how the file was read.
    pub(super) fn notes(&self, skipped: usize, indices: &[usize], asked: &Asked<'_>) -> Vec<String> {
        let mut notes = self.shape.notes.clone();
        let lines = self.csv.get_ref();
        if self.shape.row_names && asked.columns.is_none() && !indices.contains(&0) {
            notes.push("the first column has no name and is left out".into());
        }
        if skipped > 0 {
            notes.push(format!("{skipped} rows with missing values are left out"));
        }
        if lines.comments > 0 {
            notes.push(format!("{} lines behind # below the first row are left out", lines.comments));
        }
        if lines.empty > 0 {
            notes.push(format!("{} empty lines between rows are left out", lines.empty));
        }
        let name = self.path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        notes.iter_mut().for_each(|note| *note = format!("{name}: {note}"));
        notes
    }
}
