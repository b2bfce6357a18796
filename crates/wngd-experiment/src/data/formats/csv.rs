//! Tables of numbers, some columns of which are samples, the points of a trajectory, or bins.

use std::io::Read;

use wngd::identify::Clock;

use super::super::points::Points;
use super::format::{Array, Asked, Format, Input, Parts};
use super::table::Table;
use crate::error::ExperimentError;

/// Most numbers kept.
const MAX_NUMBERS: usize = 1 << 29;

/// Relative difference of time steps that rounding of times does not explain.
const UNEVEN: f64 = 0.1;

/// Tables of numbers.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "CSV"
    }
    fn endings(&self) -> &'static [&'static str] {
        &["csv", "tsv", "txt", "dat"]
    }
    fn has_columns(&self) -> bool {
        true
    }
    fn rows(&self, input: Input, asked: &Asked<'_>) -> Result<Points, ExperimentError> {
        let Input { path, reader, .. } = input;
        let mut table = Table::open(&path, reader, asked)?;
        let time = table.time(asked);
        let beside = asked.beside.map(|name| table.find(name)).transpose()?;
        let indices = table.choose(asked, [time, beside])?;
        let dim = indices.len();
        let wanted: Vec<usize> = indices.iter().copied().chain(beside).chain(time).collect();
        let (mut values, mut more) = (Vec::new(), Vec::new());
        let mut times = Vec::new();
        let (mut rows, mut skipped) = (0usize, 0usize);
        let mut numbers = Vec::with_capacity(wanted.len());
        while table.next()? {
            rows += 1;
            if values.len() > MAX_NUMBERS - dim {
                let problem = format!("more than {MAX_NUMBERS} numbers; leave out some of the rows, or bin them");
                return Err(table.fail(problem));
            }
            numbers.clear();
            for &i in &wanted {
                match table.number(i)? {
                    Some(value) => numbers.push(value),
                    None if asked.dialect.skip => break,
                    None => return Err(table.missing(i)),
                }
            }
            if numbers.len() < wanted.len() {
                skipped += 1;
                continue;
            }
            values.extend_from_slice(&numbers[..dim]);
            more.extend(beside.map(|_| numbers[dim]));
            if time.is_some() {
                times.push(numbers[wanted.len() - 1]);
            }
        }
        if values.is_empty() {
            return Err(table.fail(match skipped {
                0 => "no data rows below the header; at least one is needed".into(),
                n => format!("each of its {n} rows has a missing value; at least one whole row is needed"),
            }));
        }
        let steps = rows.saturating_sub(1) as f64;
        let clock = times.first().zip(times.last());
        let dt = clock.map(|(first, last)| (last - first) / steps).filter(|dt| dt.is_finite() && *dt > 0.0);
        let uneven = dt.filter(|dt| is_uneven(&times, *dt)).map(|_| times);
        let named = table.shape.header || table.shape.names.iter().any(|name| name.parse::<usize>().is_err());
        let names = named.then(|| indices.iter().map(|&i| table.shape.names[i].clone()).collect());
        let notes = table.notes(skipped, &indices, asked);
        Ok(Points { values, columns: dim, dt, uneven, beside: more, names, notes })
    }
    fn parts(&self, input: Input, asked: &Asked<'_>) -> Result<Option<Box<dyn Parts>>, ExperimentError> {
        let table = Table::open(&input.path, input.reader, asked)?;
        let time = table.time(asked);
        let indices = table.choose(asked, [time, None])?;
        let wanted = indices.iter().copied().chain(time).collect();
        let (dim, skip, timed) = (indices.len(), asked.dialect.skip, time.is_some());
        let steps = Steps { rows: 0, ends: None, least: f64::INFINITY, most: f64::NEG_INFINITY };
        Ok(Some(Box::new(TableParts { table, wanted, dim, skip, timed, steps, numbers: Vec::new() })))
    }
    /// The one column of a table.
    fn array(&self, input: Input, asked: &Asked<'_>) -> Result<Array, ExperimentError> {
        let Points { values, notes, .. } = self.rows(input, asked)?;
        Ok(Array { shape: vec![values.len()], values, notes })
    }
}

/// A table that is read in parts.
struct TableParts {
    table: Table<Box<dyn Read + Send>>,
    /// Columns of the coordinates, and that of the times.
    wanted: Vec<usize>,
    dim: usize,
    skip: bool,
    timed: bool,
    steps: Steps,
    numbers: Vec<f64>,
}

impl Parts for TableParts {
    fn read(&mut self, room: &mut [f64]) -> Result<usize, ExperimentError> {
        let mut count = 0;
        while count < room.len() / self.dim && self.table.next()? {
            self.steps.rows += 1;
            self.numbers.clear();
            for &i in &self.wanted {
                match self.table.number(i)? {
                    Some(value) => self.numbers.push(value),
                    None if self.skip => break,
                    None => return Err(self.table.missing(i)),
                }
            }
            if self.numbers.len() < self.wanted.len() {
                continue;
            }
            room[count * self.dim..(count + 1) * self.dim].copy_from_slice(&self.numbers[..self.dim]);
            if self.timed {
                self.steps.add(self.numbers[self.dim]);
            }
            count += 1;
        }
        Ok(count)
    }

    fn clock(&self) -> Clock {
        self.steps.clock()
    }
}

/// Times of the rows so far.
struct Steps {
    /// Rows, those with missing values too.
    rows: usize,
    /// First and last time.
    ends: Option<(f64, f64)>,
    /// Shortest and longest step.
    least: f64,
    most: f64,
}

impl Steps {
    fn add(&mut self, time: f64) {
        let Some((_, last)) = &mut self.ends else {
            self.ends = Some((time, time));
            return;
        };
        (self.least, self.most) = (self.least.min(time - *last), self.most.max(time - *last));
        *last = time;
    }

    /// As [`Csv`] has it of times that are held.
    fn clock(&self) -> Clock {
        let steps = self.rows.saturating_sub(1) as f64;
        let dt = self.ends.map(|(first, last)| (last - first) / steps).filter(|dt| dt.is_finite() && *dt > 0.0);
        match dt {
            None => Clock::Absent,
            Some(dt) if self.least > 0.0 && (dt - self.least).max(self.most - dt) > UNEVEN * dt => Clock::Uneven,
            Some(dt) => Clock::Even(dt),
        }
    }
}

/// Whether times rise, in steps that differ by more than they were rounded by.
fn is_uneven(times: &[f64], dt: f64) -> bool {
    let steps = || times.windows(2).map(|pair| pair[1] - pair[0]);
    steps().all(|step| step > 0.0) && steps().any(|step| (step - dt).abs() > UNEVEN * dt)
}

#[cfg(test)]
mod tests {
    use super::super::{Decimal, Dialect, Separator, Time};
    use super::*;

    fn read(text: &str, columns: Option<&[&str]>, dim: usize, dialect: &Dialect, time: Time) -> Result<Points, String> {
        let names: Option<Vec<String>> = columns.map(|c| c.iter().map(|s| s.to_string()).collect());
        let input = Input::bytes("x.csv".into(), text.as_bytes().to_vec()).map_err(|e| e.to_string())?;
        let asked = Asked { columns: names.as_deref(), time, ..Asked::new(dim, dialect) };
        Csv.rows(input, &asked).map_err(|e| e.to_string())
    }

    fn ask(text: &str, columns: Option<&[&str]>, dim: usize) -> Result<Vec<Vec<f64>>, String> {
        let points = read(text, columns, dim, &Dialect::default(), Time::None)?;
        Ok(points.values.chunks_exact(dim).map(<[f64]>::to_vec).collect())
    }

    #[test]
    fn columns_are_chosen_by_name() {
        let rows = ask("a, b ,c\n1,2,3\n4, 5 ,6\n", Some(&["c", " a"]), 2).unwrap();
        assert_eq!(rows, [[3.0, 1.0], [6.0, 4.0]]);
        let wrong = ask("eruptions,waiting\n1,2\n", Some(&["eruption"]), 1).unwrap_err();
        assert!(wrong.contains("did you mean \"eruptions\""), "{wrong}");
        assert!(ask("a,a\n1,2\n", Some(&["a"]), 1).unwrap_err().contains("two columns are called \"a\""));
    }

    #[test]
    fn tables_of_every_hand_are_the_same_numbers() {
        let right = [[2.0, -1.2], [1.5, -0.9], [2.4, -1.1]];
        for text in [
            "x,y\n2.0,-1.2\n1.5,-0.9\n2.4,-1.1\n",
            "\u{feff}x,y\r\n2.0,-1.2\r\n1.5,-0.9\r\n2.4,-1.1\r\n",
            "x;y\n2.0;-1.2\n1.5;-0.9\n2.4;-1.1\n",
            "x;y\n2,0;-1,2\n1,5;-0,9\n2,4;-1,1\n",
            "x\ty\n2.0\t-1.2\n1.5\t-0.9\n2.4\t-1.1\n",
            "x\ty\n2,0\t-1,2\n1,5\t-0,9\n2,4\t-1,1\n",
            "x|y\n2.0|-1.2\n1.5|-0.9\n2.4|-1.1\n",
            "x y\n2.0 -1.2\n1.5 -0.9\n2.4 -1.1\n",
            "   x      y\n 2.00  -1.20\n 1.50  -0.90\n 2.40  -1.10\n",
            "x y\n2,0 -1,2\n1,5 -0,9\n2,4 -1,1\n",
            "x,y\n2.0D+00,-1.2D+00\n1.5D+00,-0.9D+00\n2.4D+00,-1.1D+00\n",
            "\"x\",\"y\"\n\"2.0\",\"-1.2\"\n\"1.5\",\"-0.9\"\n\"2.4\",\"-1.1\"\n",
            "\"x\",\"y\"\n\"2,0\",\"-1,2\"\n\"1,5\",\"-0,9\"\n\"2,4\",\"-1,1\"\n",
            "2.0,-1.2\n1.5,-0.9\n2.4,-1.1\n",
            "2.0 -1.2\n1.5 -0.9\n2.4 -1.1\n",
            "# x,y\n2.0,-1.2\n1.5,-0.9\n2.4,-1.1\n",
            "# made by\n#x y\n2.0 -1.2\n1.5 -0.9\n2.4 -1.1\n",
            "x,y,\n2.0,-1.2,\n1.5,-0.9,\n2.4,-1.1,\n",
            "x,y\n2.0,-1.2,\n1.5,-0.9,\n2.4,-1.1,\n",
            "\"x\" \"y\"\n\"1\" 2.0 -1.2\n\"2\" 1.5 -0.9\n\"3\" 2.4 -1.1\n",
            ",x,y\n0,2.0,-1.2\n1,1.5,-0.9\n2,2.4,-1.1\n",
            ",0,1\n0,2.0,-1.2\n1,1.5,-0.9\n2,2.4,-1.1\n",
            "0,1\n2.0,-1.2\n1.5,-0.9\n2.4,-1.1\n",
            "x,y\r2.0,-1.2\r1.5,-0.9\r2.4,-1.1\r",
        ] {
            assert_eq!(ask(text, None, 2).unwrap(), right, "{text}");
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let notes = |text: &str| read(text, None, 2, &Dialect::default(), Time::None).unwrap().notes.join("; ");
        assert_eq!(notes("x,y\n1,2\n"), "");
        assert_eq!(
            notes("x;y\n1,5;2\n"),
            "x.csv: columns are separated by ';'; x.csv: decimals are written with a comma"
        );
        assert!(notes("1,2.5\n3,4\n").contains("no header line"));
        assert!(notes("x,y\n1,2\n#3,4\n\n5,6\n").contains("1 lines behind #"));
        let names = |text: &str| read(text, None, 2, &Dialect::default(), Time::None).unwrap().names;
        assert_eq!(names("# a,b\n1.5,2\n3,4\n"), Some(vec!["a".to_string(), "b".to_string()]));
        assert_eq!(names("1.5,2\n3,4\n"), None);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        assert!(ask("1,5\n2,6\n", None, 1).unwrap_err().contains("separator = \",\" or decimal = \",\""));
        assert_eq!(ask("1,5\n2,6\n", None, 2).unwrap(), [[1.0, 5.0], [2.0, 6.0]]);
        assert_eq!(ask("x\n1,5\n2,6\n", None, 1).unwrap(), [[1.5], [2.6]]);
        assert!(ask("x,y\n1,5\n2,6\n", None, 1).unwrap_err().contains("2 columns for 1"));
        assert!(ask("x\n1,234\n5,678\n", None, 1).unwrap_err().contains("1.234 or 1234"));
        assert!(ask("x\ty\n1,234\t5,678\n", None, 2).unwrap_err().contains("1.234 or 1234"));
        assert_eq!(ask("x;y\n1,234;5,678\n", None, 2).unwrap(), [[1.234, 5.678]]);
        let comma = Dialect { decimal: Some(Decimal::Comma), ..Dialect::default() };
        assert_eq!(read("1,5\n2,6\n", None, 1, &comma, Time::None).unwrap().values, [1.5, 2.6]);
        let columns = Dialect { separator: Some(Separator::Comma), ..Dialect::default() };
        assert_eq!(read("1,5\n2,6\n", Some(&["2"]), 1, &columns, Time::None).unwrap().values, [5.0, 6.0]);
        assert!(ask("n.a.,2.0\n1.0,2.5\n1.5,3.0\n", None, 2).unwrap_err().contains("neither a row of numbers"));
    }

    #[test]
    fn missing_values_are_named_or_left_out_as_asked() {
        let skip = Dialect { skip: true, ..Dialect::default() };
        for word in ["", "NA", "NaN", "null", "#N/A", "?"] {
            let text = format!("x,y\n2.0,-1.2\n{word},-1.0\n2.2,-1.0\n");
            let error = ask(&text, None, 2).unwrap_err();
            assert!(error.contains("line 3, column x") && error.contains("missing = \"skip\""), "{error}");
            let points = read(&text, None, 2, &skip, Time::None).unwrap();
            assert_eq!(points.values, [2.0, -1.2, 2.2, -1.0]);
            assert!(points.notes[0].contains("1 rows with missing values"), "{:?}", points.notes);
            // Only what is read has to be there.
            assert_eq!(ask(&text, Some(&["y"]), 1).unwrap(), [[-1.2], [-1.0], [-1.0]]);
        }
        assert!(read("x\nNA\n", None, 1, &skip, Time::None).err().unwrap().contains("each of its 1 rows"));
        assert!(ask("NA,1.0\n2.0,3.0\n", None, 2).unwrap_err().contains("line 1, column 1"));
    }

    #[test]
    fn errors_name_the_place() {
        assert!(ask("", None, 1).unwrap_err().contains("empty"));
        assert!(ask("a,b\n", None, 2).unwrap_err().contains("no data rows"));
        assert!(ask("a,b\n1,2\n3\n", None, 2).unwrap_err().contains("line 3: 1 fields where 2 are expected"));
        assert!(ask("a,b\n1\n3\n", None, 2).unwrap_err().contains("line 2: 1 fields where 2 are expected"));
        assert!(ask("a;b\n1\n3\n", None, 2).unwrap_err().contains("line 2: 1 fields where 2 are expected"));
        assert!(ask("a,b\n1,2\n3,inf\n", None, 2).unwrap_err().contains("line 3, column b"));
        assert!(ask("a,b\n1,x\n", None, 2).unwrap_err().contains("\"x\""));
        assert!(ask("a;b\n1.5;2\n2,5;3\n", None, 2).unwrap_err().contains("decimals are written with '.' here"));
        assert!(ask("a,b\n1,2\n", Some(&["z"]), 1).unwrap_err().contains("there is no column \"z\""));
        assert!(ask("a,b,c\n1,2,3\n", None, 2).unwrap_err().contains("3 columns for 2 coordinates"));
        let text = ask("a;b\n1;2\n", None, 1).unwrap_err();
        assert!(text.contains("2 columns (separated by ';') for 1 coordinates"), "{text}");
    }

    #[test]
    fn trajectories_leave_the_time_column_out() {
        let read = |text: &str, columns, dim| read(text, columns, dim, &Dialect::default(), Time::Column);
        let text = "t, x,y\n0.5,1,2\n1.0, 3,4\n1.5,5,6\n";
        let points = read(text, None, 2).unwrap();
        assert_eq!((points.values, points.dt), (vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], Some(0.5)));
        assert_eq!(read(text, Some(&["y"]), 1).unwrap().values, [2.0, 4.0, 6.0]);
        assert!(read(text, None, 3).err().unwrap().contains("2 columns for 3 coordinates"));
        assert!(read("x,y\n1,2\n3,nan\n", None, 2).err().unwrap().contains("line 3, column y"));
        assert_eq!(read("x,y\n1,2\n3,4\n", None, 2).unwrap().dt, None);
        // Times that rise unevenly are kept; those that do not rise mean nothing.
        let times = |text: &str| read(text, None, 1).unwrap().uneven;
        assert_eq!(times("t,x\n0,1\n1,2\n2.01,3\n"), None);
        assert_eq!(times("t,x\n0,1\n1,2\n4,3\n"), Some(vec![0.0, 1.0, 4.0]));
        assert_eq!(times("t,x\n0,1\n5,2\n4,3\n"), None);
    }

    #[test]
    fn coordinates_are_matched_by_name_where_the_header_has_them() {
        let variables = ["x".to_string(), "y".to_string()];
        let dialect = Dialect::default();
        let asked = Asked { variables: &variables, time: Time::Column, ..Asked::new(2, &dialect) };
        let rows = |text: &str| {
            let input = Input::bytes("x.csv".into(), text.as_bytes().to_vec()).unwrap();
            Csv.rows(input, &asked).unwrap().values
        };
        assert_eq!(rows("t,y,heat,x\n0,1,2,3\n1,4,5,6\n"), [3.0, 1.0, 6.0, 4.0]);
        assert_eq!(rows("t,u,v\n0,1,2\n1,4,5\n"), [1.0, 2.0, 4.0, 5.0]);
    }

    #[test]
    fn endless_rows_are_not_held_in_memory() {
        let endless = |start: &'static str, rest: u8| {
            let reader = Box::new(start.as_bytes().chain(std::io::repeat(rest)));
            let input = Input { path: "x.csv".into(), reader, size: None, format: &Csv };
            Csv.rows(input, &Asked::new(1, &Dialect::default())).err().unwrap().to_string()
        };
        for (start, rest) in [("x", b','), ("x\n", b'1'), ("x\n\"", b'\n'), ("", b' ')] {
            let text = endless(start, rest);
            assert!(text.contains("a row of more than 1048576 bytes"), "{text}");
        }
        let wide = format!("{}\n1\n", ["x"; 1000].join(","));
        assert!(ask(&wide, None, 1).unwrap_err().len() < 300);
    }
}
