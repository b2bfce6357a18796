//! Formats of data files, a file each.

mod csv;
mod npy;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::Points;
use crate::error::ExperimentError;

pub use npy::{write as write_npy, write_header as write_npy_header, write_values as write_npy_values};

/// Largest data file read, in bytes.
const MAX_BYTES: u64 = 4 << 30;

/// A format of data files.
pub trait Format: Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Endings of its files.
    fn endings(&self) -> &'static [&'static str];
    /// Whether its columns have names.
    fn has_columns(&self) -> bool {
        false
    }
    /// Rows of `dim` numbers, from the named columns if they have names.
    ///
    /// # Errors
    /// A file that holds something else, numbers that are not finite.
    fn rows(&self, input: Input, columns: Option<&[String]>, dim: usize, time: Time)
    -> Result<Points, ExperimentError>;
    /// An array with its shape, row-major.
    ///
    /// # Errors
    /// A file that holds something else.
    fn array(&self, input: Input) -> Result<(Vec<usize>, Vec<f64>), ExperimentError>;
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
static FORMATS: &[&dyn Format] = &[&csv::Csv, &npy::Npy];

/// The format of a file, by its ending.
pub fn of(path: &Path) -> &'static dyn Format {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    FORMATS.iter().find(|f| f.endings().contains(&ending.as_str())).copied().unwrap_or(FORMATS[0])
}

/// A file under way, or text that came with the program.
pub struct Input {
    path: PathBuf,
    reader: Box<dyn Read>,
    size: u64,
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn open(path: &Path) -> Result<Self, ExperimentError> {
        let read = |source| ExperimentError::Read { path: path.to_path_buf(), source };
        let fail = |problem: String| ExperimentError::Data { path: path.to_path_buf(), problem };
        let file = File::open(path).map_err(read)?;
        let meta = file.metadata().map_err(read)?;
        if meta.is_dir() {
            return Err(fail("a folder; name a file in it".into()));
        }
        let size = meta.len();
        if size > MAX_BYTES {
            return Err(fail(format!(
                "{size} bytes; at most {MAX_BYTES} are read: thin the data or bin it into a density"
            )));
        }
        // Pipes and devices do not tell their size.
        let reader = Box::new(BufReader::with_capacity(1 << 20, file.take(MAX_BYTES)));
        Ok(Self { path: path.to_path_buf(), reader, size })
    }

    /// Text under the name of a file.
    pub fn embedded(path: PathBuf, text: &'static str) -> Self {
        Self { path, reader: Box::new(text.as_bytes()), size: text.len() as u64 }
    }

    /// Bytes under the name of a file.
    pub fn bytes(path: PathBuf, bytes: Vec<u8>) -> Self {
        let size = bytes.len() as u64;
        Self { path, reader: Box::new(std::io::Cursor::new(bytes)), size }
    }

    /// Name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
