//! What a format of data files is, and what is asked of it.

use std::io::Read;
use std::path::{Path, PathBuf};

use wngd::identify::Clock;

use super::dialect::Dialect;
use crate::data::points::Points;
use crate::error::ExperimentError;

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
    /// The same rows a part at a time, of a file that is not held; nothing where the format, or the way that the file is written, does
    /// not allow it.
    ///
    /// # Errors
    /// As [`rows`](Self::rows).
    fn parts(&self, _: Input, _: &Asked<'_>) -> Result<Option<Box<dyn Parts>>, ExperimentError> {
        Ok(None)
    }
    /// An array with its shape, row-major.
    ///
    /// # Errors
    /// A file that holds something else.
    fn array(&self, input: Input, asked: &Asked<'_>) -> Result<Array, ExperimentError>;
}

/// Rows under way.
pub trait Parts: Send {
    /// Puts the next rows into the room, row-major, and tells how many; 0 at the end alone.
    ///
    /// # Errors
    /// Rows that cannot be read, or hold something else than finite numbers.
    fn read(&mut self, room: &mut [f64]) -> Result<usize, ExperimentError>;
    /// What the times of all rows read so far say of the time between them.
    fn clock(&self) -> Clock {
        Clock::Absent
    }
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
    /// Coordinates of a row; 0 for as many as there are columns.
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
    pub(super) fn needed(&self) -> usize {
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

/// A file under way, or text that came with the program.
pub struct Input {
    pub(super) path: PathBuf,
    pub(super) reader: Box<dyn Read + Send>,
    /// Its bytes, where they can be told.
    pub(crate) size: Option<u64>,
    pub(super) format: &'static dyn Format,
}

impl Input {
    /// Name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its format.
    pub fn format(&self) -> &'static dyn Format {
        self.format
    }
}
