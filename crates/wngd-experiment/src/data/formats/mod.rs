//! Formats of data files, a file each.

mod csv;
mod dialect;
mod foreign;
mod input;
mod lines;
mod npy;
mod npz;
mod number;
mod shape;
mod table;

use super::Points;
use crate::error::ExperimentError;

pub use dialect::{Dialect, FileOptions, Separator};
pub use input::Input;
pub use npy::{write as write_npy, write_header as write_npy_header, write_values as write_npy_values};
pub use number::Decimal;

/// A format of data files.
pub trait Format: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Endings of its files.
    fn endings(&self) -> &'static [&'static str];
    /// What its files begin with, if they do.
    fn magic(&self) -> Option<&'static [u8]> {
        None
    }
    /// Whether its columns have names.
    fn has_columns(&self) -> bool {
        false
    }
    /// Rows of numbers.
    ///
    /// # Errors
    /// A file that holds something else, numbers that are not finite.
    fn rows(&self, input: Input, asked: &Asked<'_>) -> Result<Points, ExperimentError>;
    /// An array with its shape, row-major.
    ///
    /// # Errors
    /// A file that holds something else.
    fn array(&self, input: Input, asked: &Asked<'_>) -> Result<Array, ExperimentError>;
}

/// An array of a file.
#[derive(Debug)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its entries, row-major.
    pub values: Vec<f64>,
    /// What should be told of how it was read.
    pub notes: Vec<String>,
}

/// What of a file is asked for, and how it is written.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Columns by name, in the order of the coordinates.
    pub columns: Option<&'a [String]>,
    /// Names of the coordinates; columns of these names are taken, if all are there and none was chosen.
    pub variables: &'a [String],
    /// Coordinates of a row.
    pub dim: usize,
    /// A further column, which is no coordinate.
    pub beside: Option<&'a str>,
    /// Whether there is a column of times.
    pub time: Time,
    /// How the file is written.
    pub dialect: &'a Dialect,
}

impl<'a> Asked<'a> {
    /// As many coordinates, from all columns.
    pub fn new(dim: usize, dialect: &'a Dialect) -> Self {
        Self { columns: None, variables: &[], dim, beside: None, time: Time::None, dialect }
    }

    /// The least number of columns.
    fn needed(&self) -> usize {
        self.dim + usize::from(self.beside.is_some())
    }

    /// Refuses names of columns for a format that has none.
    ///
    /// # Errors
    /// Text of the complaint.
    pub fn check(&self, format: &dyn Format) -> Result<(), String> {
        let named = self.columns.is_some() || self.beside.is_some();
        if named && !format.has_columns() {
            let name = format.name();
            return Err(format!("{name} files have no named columns; leave them out and save those needed"));
        }
        Ok(())
    }
}

/// What a column of times means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// It is a column like others.
    None,
    /// A column `t` or `time` is no coordinate, and tells the time step.
    Column,
}

/// All formats; the first one reads files of an ending that none has.
static FORMATS: &[&dyn Format] = &[&csv::Csv, &npy::Npy, &npz::Npz];
