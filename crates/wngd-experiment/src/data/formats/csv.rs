//! Tables of numbers with a header, some columns of which are samples or the points of a trajectory.

use std::io::Read;
use std::path::Path;

use csv::ByteRecord;

use super::super::Points;
use super::{Format, Input, Time};
use crate::error::ExperimentError;
use crate::facts::{NAMES, listed};

/// Longest row read, in bytes. A quote that is never closed makes a row of the rest of a file.
const MAX_ROW: usize = 1 << 20;
/// Most numbers kept.
const MAX_NUMBERS: usize = 1 << 29;

/// Tables of numbers.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "CSV"
    }
    fn endings(&self) -> &'static [&'static str] {
        &["csv"]
    }
    fn has_columns(&self) -> bool {
        true
    }
    fn rows(
        &self,
        input: Input,
        columns: Option<&[String]>,
        dim: usize,
        time: Time,
    ) -> Result<Points, ExperimentError> {
        let Input { path, reader, .. } = input;
        let mut table = Table::open(&path, reader)?;
        let is_time = |name: &String| name.eq_ignore_ascii_case("t") || name.eq_ignore_ascii_case("time");
        let time = (time == Time::Column).then(|| table.header.iter().position(is_time)).flatten();
        let indices = table.choose(columns, time, dim)?;
        let mut values = Vec::new();
        let mut clock: Option<(f64, f64)> = None;
        while table.next()? {
            if values.len() > MAX_NUMBERS - dim {
                let problem = format!("more than {MAX_NUMBERS} numbers; leave out some of the rows, or bin them");
                return Err(table.fail(problem));
            }
            for &i in &indices {
                values.push(table.number(i)?);
            }
            if let Some(i) = time {
                let now = table.number(i)?;
                clock = Some((clock.map_or(now, |(first, _)| first), now));
            }
        }
        if values.is_empty() {
            return Err(table.fail("no data rows below the header; at least one is needed".into()));
        }
        let steps = (values.len() / dim).saturating_sub(1) as f64;
        let dt = clock.map(|(first, last)| (last - first) / steps).filter(|dt| dt.is_finite() && *dt > 0.0);
        Ok(Points { values, dt })
    }
    /// The one column of a table.
    fn array(&self, input: Input) -> Result<(Vec<usize>, Vec<f64>), ExperimentError> {
        let Points { values, .. } = self.rows(input, None, 1, Time::None)?;
        Ok((vec![values.len()], values))
    }
}

/// A table under way.
struct Table<'a, R> {
    path: &'a Path,
    csv: csv::Reader<Rows<R>>,
    header: Vec<String>,
    row: ByteRecord,
}

impl<'a, R: Read> Table<'a, R> {
    fn open(path: &'a Path, reader: R) -> Result<Self, ExperimentError> {
        let rows = Rows { reader, length: 0 };
        let csv = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(rows);
        let mut table = Self { path, csv, header: Vec::new(), row: ByteRecord::new() };
        let header = table.csv.headers().map(|header| header.iter().map(|name| name.trim().to_string()).collect());
        table.header = header.map_err(|e| table.fail(e.to_string()))?;
        if table.header.iter().all(String::is_empty) {
            return Err(table.fail("the file is empty; a header line and at least one row are needed".into()));
        }
        Ok(table)
    }

    fn fail(&self, problem: String) -> ExperimentError {
        ExperimentError::Data { path: self.path.to_path_buf(), problem }
    }

    /// The named columns, or else all but one.
    fn choose(
        &self,
        columns: Option<&[String]>,
        but: Option<usize>,
        dim: usize,
    ) -> Result<Vec<usize>, ExperimentError> {
        let shown = || listed(&self.header, NAMES);
        let find = |name: &String| {
            let found = self.header.iter().position(|h| h == name);
            found.ok_or_else(|| self.fail(format!("there is no column \"{name}\"; the columns are {}", shown())))
        };
        let indices: Vec<usize> = match columns {
            Some(names) => names.iter().map(find).collect::<Result<_, _>>()?,
            None => (0..self.header.len()).filter(|i| Some(*i) != but).collect(),
        };
        if indices.len() != dim {
            let (found, shown) = (indices.len(), shown());
            return Err(self.fail(format!(
                "{found} columns for {dim} coordinates; choose them with data.columns or --columns (the file has {shown})"
            )));
        }
        Ok(indices)
    }

    /// Goes to the next row; false after the last one.
    fn next(&mut self) -> Result<bool, ExperimentError> {
        self.csv.get_mut().length = 0;
        self.csv.read_byte_record(&mut self.row).map_err(|e| self.fail(e.to_string()))
    }

    /// A finite number of the row.
    fn number(&self, column: usize) -> Result<f64, ExperimentError> {
        let text = String::from_utf8_lossy(self.row.get(column).unwrap_or(b""));
        let text = text.trim();
        text.parse::<f64>().ok().filter(|v| v.is_finite()).ok_or_else(|| {
            let line = self.row.position().map_or(0, csv::Position::line);
            let (name, text) = (&self.header[column], text.chars().take(40).collect::<String>());
            self.fail(format!(
                "line {line}, column {name}: \"{text}\" is not a finite number; remove the row or repair it"
            ))
        })
    }
}

/// Bytes of a table, which end in an error where a row is too long to be one.
struct Rows<R> {
    reader: R,
    /// Bytes handed out since the last row began, and what was buffered before it.
    length: usize,
}

impl<R: Read> Read for Rows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.length > MAX_ROW {
            let problem = format!("a row of more than {MAX_ROW} bytes; transpose the table, or close an open quote");
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, problem));
        }
        let count = self.reader.read(buffer)?;
        self.length += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(text: &str, columns: Option<&[&str]>, dim: usize) -> Result<Vec<Vec<f64>>, String> {
        let names: Option<Vec<String>> = columns.map(|c| c.iter().map(|s| s.to_string()).collect());
        let input = Input::bytes("x.csv".into(), text.as_bytes().to_vec());
        let points = Csv.rows(input, names.as_deref(), dim, Time::None).map_err(|e| e.to_string())?;
        Ok(points.values.chunks_exact(dim).map(<[f64]>::to_vec).collect())
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let rows = ask("a, b ,c\n1,2,3\n4, 5 ,6\n", Some(&["c", "a"]), 2).unwrap();
        assert_eq!(rows, [[3.0, 1.0], [6.0, 4.0]]);
    }

    #[test]
    fn errors_name_the_place() {
        assert!(ask("", None, 1).unwrap_err().contains("empty"));
        assert!(ask("a,b\n", None, 2).unwrap_err().contains("no data rows"));
        assert!(ask("a,b\n1,2\n3\n", None, 2).unwrap_err().contains("line: 3"));
        assert!(ask("a,b\n1,2\n3,nan\n", None, 2).unwrap_err().contains("line 3, column b"));
        assert!(ask("a,b\n1,x\n", None, 2).unwrap_err().contains("\"x\""));
        assert!(ask("a,b\n1,2\n", Some(&["z"]), 1).unwrap_err().contains("there is no column \"z\""));
        assert!(ask("a,b,c\n1,2,3\n", None, 2).unwrap_err().contains("3 columns for 2 coordinates"));
    }

    #[test]
    fn trajectories_leave_the_time_column_out() {
        let read = |text: &str, columns: Option<&[String]>, dim| {
            let input = Input::bytes("x.csv".into(), text.as_bytes().to_vec());
            Csv.rows(input, columns, dim, Time::Column).map_err(|e| e.to_string())
        };
        let text = "t, x,y\n0.5,1,2\n1.0, 3,4\n1.5,5,6\n";
        let points = read(text, None, 2).unwrap();
        assert_eq!((points.values, points.dt), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Some(0.5)));
        assert_eq!(read(text, Some(&["y".to_string()]), 1).unwrap().values, [2.0, 4.0, 6.0]);
        assert!(read(text, None, 3).err().unwrap().contains("2 columns for 3 coordinates"));
        assert!(read("x,y\n1,2\n3,nan\n", None, 2).err().unwrap().contains("line 3, column y"));
        assert_eq!(read("x,y\n1,2\n3,4\n", None, 2).unwrap().dt, None);
    }

    #[test]
    fn endless_rows_are_not_held_in_memory() {
        let endless = |start: &'static str, rest: u8| {
            let reader = Box::new(start.as_bytes().chain(std::io::repeat(rest)));
            let input = Input { path: "x.csv".into(), reader, size: 0 };
            Csv.rows(input, None, 1, Time::None).err().unwrap().to_string()
        };
        for (start, rest) in [("x", b','), ("x\n", b'1'), ("x\n\"", b'\n'), ("", b' ')] {
            let text = endless(start, rest);
            assert!(text.contains("a row of more than 1048576 bytes"), "{text}");
        }
        let wide = format!("{}\n1\n", ["x"; 1000].join(","));
        assert!(ask(&wide, None, 1).unwrap_err().len() < 300);
    }
}
