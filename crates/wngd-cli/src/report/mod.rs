//! `report.html`: everything in a result folder on one page that needs no other file and no network.
//!
//! The page is made from the files of the folder alone, so that `wngd report` and the command that made
//! the folder write the same.

mod content;
mod descents;
mod others;
mod page;
mod svg;
mod trace;

use std::path::{Path, PathBuf};

use askama::Template;

use crate::error::CliError;
use crate::output::files;
use crate::record::Record;

/// Name of the page.
const FILE: &str = "report.html";

/// Writes the page of a result folder and returns its path.
///
/// # Errors
/// A folder that holds no results; a file that cannot be read or written.
pub fn write(folder: &Path) -> Result<PathBuf, CliError> {
    let record = Record::read(folder)?;
    let page = content::page(&record, folder)?;
    let text = page.render().map_err(|error| CliError::Internal(error.to_string()))?;
    let path = folder.join(FILE);
    files::write_file(&path, |w| w.write_all(text.as_bytes()))?;
    Ok(path)
}
