//! Data files: opened here, read by format, with errors that name file, row and column.

pub mod csv;
pub mod npy;

use std::io::{Read, Take};
use std::path::Path;

use crate::error::CliError;

/// Largest data file read, in bytes.
const MAX_BYTES: u64 = 4 << 30;

/// A readable data file: on disk, or built in.
pub enum Bytes {
    /// On disk.
    File(Take<std::fs::File>),
    /// Built in.
    Memory(&'static [u8]),
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Bytes::File(file) => file.read(buffer),
            Bytes::Memory(bytes) => bytes.read(buffer),
        }
    }
}

/// Opens a data file for reading and tells its size.
pub fn open(path: &Path) -> Result<(Bytes, u64), CliError> {
    let read = |source| CliError::Read { path: path.to_path_buf(), source };
    let fail = |problem: String| CliError::Data { path: path.to_path_buf(), problem };
    let file = std::fs::File::open(path).map_err(read)?;
    let meta = file.metadata().map_err(read)?;
    if meta.is_dir() {
        return Err(fail("a folder; name a file in it".into()));
    }
    if meta.len() > MAX_BYTES {
        let size = meta.len();
        return Err(fail(format!(
            "{size} bytes; at most {MAX_BYTES} are read: thin the data or bin it into a density"
        )));
    }
    // Pipes and devices do not tell their size.
    Ok((Bytes::File(file.take(MAX_BYTES)), meta.len()))
}

/// A numeric array from an NPY file of `size` bytes: shape and values in row-major order.
pub fn npy_array(path: &Path, reader: impl Read, size: u64) -> Result<(Vec<usize>, Vec<f64>), CliError> {
    npy::read(reader, size).map_err(|problem| CliError::Data { path: path.to_path_buf(), problem })
}
