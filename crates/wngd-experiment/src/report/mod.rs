//! `report.html`: everything in a result folder on one page that needs no other file and no network.
//!
//! The page is made from the files of the folder alone, so that `wngd report` and the command that made
//! the folder write the same.

mod basin;
mod best;
mod command;
mod content;
mod descents;
mod fit;
mod identify;
mod page;
mod profile;
mod run;
mod sketch;
mod svg;
mod toys;
mod trace;

use std::path::{Path, PathBuf};

use askama::Template;

use crate::error::ExperimentError;
use crate::files;
use crate::record::Record;
use page::Page;

pub use command::Command;

/// Name of the page.
const FILE: &str = "report.html";

/// All commands that leave a result folder.
pub static COMMANDS: &[Command] =
    &[run::COMMAND, fit::COMMAND, identify::COMMAND, basin::COMMAND, sketch::COMMAND, profile::COMMAND, toys::COMMAND];

/// Writes the page of a result folder and returns its path.
///
/// # Errors
/// A folder that holds no results; a file that cannot be read or written.
pub fn write(folder: &Path) -> Result<PathBuf, ExperimentError> {
    let record = Record::read(folder)?;
    let page = page(&record, folder)?;
    let text = page.render().map_err(|error| ExperimentError::Internal(error.to_string()))?;
    let path = folder.join(FILE);
    files::write_file(&path, |w| w.write_all(text.as_bytes()))?;
    Ok(path)
}

/// The page of a result folder.
fn page(record: &Record, folder: &Path) -> Result<Page, ExperimentError> {
    let mut page = Page {
        title: String::new(),
        command: "",
        question: String::new(),
        headline: Vec::new(),
        answer: Vec::new(),
        data: record.data.clone(),
        model: record.model.clone(),
        tables: Vec::new(),
        figures: Vec::new(),
        traces: Vec::new(),
        settings: content::settings(record),
        seeds: record.seeds.clone(),
        version: record.version.clone(),
        repeat: record.repeat(),
        files: content::files(folder),
    };
    let Some(command) = COMMANDS.iter().find(|c| c.name == record.command) else {
        let problem = format!("its command \"{}\" is not known to this version", record.command);
        return Err(ExperimentError::NoResults { folder: folder.to_path_buf(), problem });
    };
    page.command = command.name;
    let figures = (command.fill)(&mut page, folder)?;
    if record.figures {
        for (number, stem) in figures.into_iter().enumerate().filter(|(_, stem)| content::plain(stem)) {
            page.figures.extend(svg::load(folder, &stem, &format!("figure-{}-", number + 1))?);
        }
    }
    Ok(page)
}
