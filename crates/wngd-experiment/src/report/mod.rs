//! `report.html`: everything in a result folder on one page that needs no other file and no network.
//!
//! The page is made from the files of the folder alone, so that `wngd report` and the command that made
//! the folder write the same.

mod basin;
mod content;
mod descents;
mod fit;
mod identify;
mod page;
mod run;
mod sketch;
mod svg;
mod trace;

use std::path::{Path, PathBuf};

use askama::Template;

use crate::error::ExperimentError;
use crate::files;
use crate::record::Record;
use page::Page;

/// Name of the page.
const FILE: &str = "report.html";

/// A command that leaves a result folder.
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Fills in what a report says of it, from the files of the folder.
    fill: fn(&mut Page, &Path) -> Result<Stems, ExperimentError>,
}

/// Stems of the figures in the order of the page; those that were not drawn are left out of it.
type Stems = Vec<String>;

/// All commands that leave a result folder.
pub static COMMANDS: &[Command] = &[run::COMMAND, fit::COMMAND, identify::COMMAND, basin::COMMAND, sketch::COMMAND];

/// Writes the page of a result folder and returns its path.
///
/// # Errors
/// A folder that holds no results; a file that cannot be read or written.
pub fn write(folder: &Path) -> Result<PathBuf, ExperimentError> {
    let record = Record::read(folder)?;
    let page = content::page(&record, folder)?;
    let text = page.render().map_err(|error| ExperimentError::Internal(error.to_string()))?;
    let path = folder.join(FILE);
    files::write_file(&path, |w| w.write_all(text.as_bytes()))?;
    Ok(path)
}
