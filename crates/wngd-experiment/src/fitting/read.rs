//! Samples and histograms from tables.

use std::path::Path;

use wngd::fit::{FitError, Histogram, Samples};

use super::request::{Request, option_error};
use crate::data::formats::{self, Input, Time};
use crate::error::ExperimentError;

/// A table that was read.
pub enum Table {
    /// Rows are samples.
    Samples {
        /// They.
        samples: Samples,
        /// Row-major numbers.
        values: Vec<f64>,
        /// Weights of the rows.
        weights: Option<Vec<f64>>,
        /// Names of the coordinates.
        columns: Vec<String>,
        /// Whether names are those of the file.
        named: bool,
    },
    /// Rows are bins.
    Histogram {
        /// They.
        histogram: Histogram,
        /// Lower edges, row-major.
        lower: Vec<f64>,
        /// Upper edges, row-major.
        upper: Vec<f64>,
        /// Counts.
        counts: Vec<f64>,
        /// Names of the axes.
        columns: Vec<String>,
    },
}

impl Table {
    /// Names of the coordinates.
    pub fn columns(&self) -> &[String] {
        match self {
            Self::Samples { columns, .. } | Self::Histogram { columns, .. } => columns,
        }
    }

    /// What rows are.
    pub fn what(&self) -> &'static str {
        match self {
            Self::Samples { .. } => "samples",
            Self::Histogram { .. } => "histogram",
        }
    }
}

/// Reads what a request names.
///
/// # Errors
/// Files that cannot be read or hold something else; columns that are not there; options that exclude each other.
pub fn read(request: &Request) -> Result<Table, ExperimentError> {
    let path = &request.path;
    let format = formats::of(path);
    match (&request.edges, &request.counts) {
        (Some(_), None) => {
            return Err(option_error("counts", "name the column of counts that belongs to --edges".into()));
        }
        (None, Some(_)) => {
            return Err(option_error(
                "edges",
                "name the columns of lower and upper edges that belong to --counts".into(),
            ));
        }
        (Some(_), Some(_)) if request.columns.is_some() || request.weights.is_some() => {
            return Err(option_error(
                "edges",
                "a histogram has edges and counts; remove --columns and --weights".into(),
            ));
        }
        _ => {}
    }
    if !format.has_columns() {
        for (option, given) in [
            ("columns", request.columns.is_some()),
            ("weights", request.weights.is_some()),
            ("edges", request.edges.is_some()),
        ] {
            if given {
                return Err(option_error(option, format!("{} files have no named columns; remove it", format.name())));
            }
        }
        let (shape, values) = format.array(Input::open(path)?)?;
        let dim = match shape[..] {
            [_] => 1,
            [_, dim] => dim,
            _ => {
                let problem = format!("an array of {} axes; samples have shape (rows, coordinates)", shape.len());
                return Err(ExperimentError::Data { path: path.clone(), problem });
            }
        };
        let columns: Vec<String> = (0..dim).map(|a| if dim == 1 { "x".into() } else { format!("x{a}") }).collect();
        return samples(path, values, None, columns, false);
    }
    if let (Some(edges), Some(counts)) = (&request.edges, &request.counts) {
        return histogram(path, edges, counts);
    }
    let columns = match &request.columns {
        Some(columns) => columns.clone(),
        None => header(path)?.into_iter().filter(|name| Some(name) != request.weights.as_ref()).collect(),
    };
    if columns.is_empty() {
        return Err(option_error("columns", "no column is left; name at least one".into()));
    }
    let mut wanted = columns.clone();
    wanted.extend(request.weights.clone());
    let table = format.rows(Input::open(path)?, Some(&wanted), wanted.len(), Time::None)?;
    let dim = columns.len();
    if request.weights.is_none() {
        return samples(path, table.values, None, columns, true);
    }
    let rows = || table.values.chunks_exact(dim + 1);
    let values = rows().flat_map(|row| row[..dim].to_vec()).collect();
    let weights = rows().map(|row| row[dim]).collect();
    samples(path, values, Some(weights), columns, true)
}

fn samples(
    path: &Path,
    values: Vec<f64>,
    weights: Option<Vec<f64>>,
    columns: Vec<String>,
    named: bool,
) -> Result<Table, ExperimentError> {
    let plain = Samples::new(columns.len(), values.clone()).map_err(|e| about(path, &columns, e))?;
    let samples = match &weights {
        None => plain,
        Some(weights) => plain.with_weights(weights).map_err(|e| about(path, &columns, e))?,
    };
    Ok(Table::Samples { samples, values, weights, columns, named })
}

fn histogram(path: &Path, edges: &[String], counts: &str) -> Result<Table, ExperimentError> {
    if edges.is_empty() || edges.len() % 2 != 0 {
        let problem = format!("{} columns; a lower and an upper edge per axis are needed, as left,right", edges.len());
        return Err(option_error("edges", problem));
    }
    let mut wanted = edges.to_vec();
    wanted.push(counts.to_string());
    let table = formats::of(path).rows(Input::open(path)?, Some(&wanted), wanted.len(), Time::None)?;
    let dim = edges.len() / 2;
    let (mut lower, mut upper, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for row in table.values.chunks_exact(wanted.len()) {
        for axis in 0..dim {
            lower.push(row[2 * axis]);
            upper.push(row[2 * axis + 1]);
        }
        entries.push(row[2 * dim]);
    }
    let columns: Vec<String> = match dim {
        1 => vec!["x".into()],
        _ => ["x", "y", "z"].iter().take(dim).map(|s| s.to_string()).collect(),
    };
    let histogram = Histogram::new(dim, lower.clone(), upper.clone(), entries.clone());
    let histogram = histogram.map_err(|e| about(path, &columns, e))?;
    Ok(Table::Histogram { histogram, lower, upper, counts: entries, columns })
}

/// Names in the first line that is no comment.
fn header(path: &Path) -> Result<Vec<String>, ExperimentError> {
    use std::io::BufRead;
    let fail = |source| ExperimentError::Read { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(fail)?;
    for line in std::io::BufReader::new(std::io::Read::take(file, 1 << 20)).lines() {
        let line = line.map_err(fail)?;
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let separator =
            [',', ';', '\t'].into_iter().max_by_key(|c| (line.matches(*c).count(), *c == ',')).unwrap_or(',');
        let name = |text: &str| text.trim().trim_matches('"').to_string();
        let names: Vec<String> = line.split(separator).map(name).collect();
        if names.iter().all(|n| n.parse::<f64>().is_ok()) {
            let problem = "the first line holds numbers and would be lost as a header; write a line of names above it";
            return Err(ExperimentError::Data { path: path.to_path_buf(), problem: problem.into() });
        }
        return Ok(names);
    }
    Err(ExperimentError::Data {
        path: path.to_path_buf(),
        problem: "the file is empty; a header line and rows are needed".into(),
    })
}

/// An error of the crate as one about the file, coordinates called by their names.
pub(super) fn about(path: &Path, columns: &[String], error: FitError) -> ExperimentError {
    let problem = match &error {
        FitError::Option { .. } | FitError::NoFit { .. } => return error.into(),
        FitError::Constant { axis, value } => {
            let name = columns.get(*axis).map_or("?", String::as_str);
            format!("column {name} has the same value {value} in all rows; leave it out with --columns")
        }
        FitError::Value { field: "values", index, value, rule } => {
            let dim = columns.len().max(1);
            let name = columns.get(index % dim).map_or("?", String::as_str);
            format!("row {}, column {name}: {value}: {rule}", index / dim + 1)
        }
        FitError::Value { field, index, value, rule } => format!("row {}, {field}: {value}: {rule}", index + 1),
        other => other.to_string(),
    };
    ExperimentError::Data { path: path.to_path_buf(), problem }
}
