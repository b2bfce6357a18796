//! Formats of data files, a file each.

mod csv;
mod dialect;
mod foreign;
mod format;
mod lines;
mod npy;
mod npz;
mod number;
mod opening;
mod shape;
mod table;

use std::path::Path;

use crate::error::ExperimentError;
use crate::files;

pub use dialect::{Dialect, FileOptions, Separator};
pub use format::{Array, Asked, Format, Input, Parts, Time};
pub use npy::{write as write_npy, write_header as write_npy_header, write_values as write_npy_values};
pub use number::Decimal;

/// All formats; the first one reads files of an ending that none has.
static FORMATS: &[&dyn Format] = &[&csv::Csv, &npy::Npy, &npz::Npz];

/// Writes an array as NPY.
///
/// # Errors
/// A file that cannot be written.
pub fn write_array(path: &Path, shape: &[usize], values: &[f64]) -> Result<(), ExperimentError> {
    files::write_file(path, |w| write_npy(w, shape, values))
}
