//! What a report has to know of a command.

use std::path::Path;

use super::page::Page;
use crate::error::ExperimentError;

/// A command that leaves a result folder.
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Fills in what a report says of it, from the files of the folder.
    pub(super) fill: fn(&mut Page, &Path) -> Result<Stems, ExperimentError>,
}

/// Stems of the figures in the order of the page; those that were not drawn are left out of it.
pub(super) type Stems = Vec<String>;
