//! `wngd completions` and `wngd man`

use std::path::Path;

use clap::CommandFactory;
use wngd_experiment::{ExperimentError, files};

use super::{print, print_raw};
use crate::args::Cli;
use crate::error::CliError;

/// Prints a completion script.
pub fn completions(shell: clap_complete::Shell) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "wngd", &mut script);
    print_raw(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}

/// Writes `wngd.1` and a page per command.
pub fn man(folder: &Path) -> Result<u8, CliError> {
    files::make_folder(folder)?;
    let fail = |source| CliError::from(ExperimentError::Write { path: folder.to_path_buf(), source });
    clap_mangen::generate_to(Cli::command(), folder).map_err(fail)?;
    print(&format!("manual pages in {}", folder.display()))?;
    Ok(0)
}
