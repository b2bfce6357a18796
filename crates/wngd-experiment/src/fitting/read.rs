//! Samples and histograms from tables.

use std::path::Path;

use wngd::fit::{FitError, Histogram, Samples};

use super::request::{Request, option_error};
use crate::data::formats::{Array, Asked, Dialect, Input};
use crate::error::ExperimentError;
use crate::memory;

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
    let input = Input::open(path)?;
    // Rows, the same by coordinates, and what a share of each component takes.
    let need = input.size.unwrap_or(0).saturating_mul(3);
    if let Some(problem) = memory::lacking(need, "fit a part of the rows, or bin them into a histogram") {
        return Err(ExperimentError::Data { path: path.clone(), problem });
    }
    let format = input.format();
    let dialect = Dialect::default();
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
        let Array { shape, values, .. } = format.array(input, &Asked::new(0, &dialect))?;
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
    let asked = Asked {
        columns: request.columns.as_deref(),
        beside: request.weights.as_deref(),
        ..Asked::new(request.columns.as_ref().map_or(0, Vec::len), &dialect)
    };
    let table = format.rows(input, &asked)?;
    let named = table.names.is_some();
    let unnamed =
        || (0..table.columns).map(|a| if table.columns == 1 { "x".into() } else { format!("x{a}") }).collect();
    let columns: Vec<String> = table.names.clone().unwrap_or_else(unnamed);
    if columns.is_empty() {
        return Err(option_error("columns", "no column is left; name at least one".into()));
    }
    let weights = request.weights.as_ref().map(|_| table.beside);
    samples(path, table.values, weights, columns, named)
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
    if edges.is_empty() || !edges.len().is_multiple_of(2) {
        let problem = format!("{} columns; a lower and an upper edge per axis are needed, as left,right", edges.len());
        return Err(option_error("edges", problem));
    }
    let mut wanted = edges.to_vec();
    wanted.push(counts.to_string());
    let input = Input::open(path)?;
    let (format, dialect) = (input.format(), Dialect::default());
    let table = format.rows(input, &Asked { columns: Some(&wanted), ..Asked::new(wanted.len(), &dialect) })?;
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
