//! `wngd man`

use std::path::PathBuf;

use clap::Args;
use wngd_experiment::{ExperimentError, files};

use crate::error::CliError;
use crate::output::print;

/// Write manual pages, one per command, into a folder.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wngd man ~/.local/share/man/man1")]
pub struct ManArgs {
    /// Where to.
    pub folder: PathBuf,
}

/// Writes `wngd.1` and a page per command.
pub fn man(args: &ManArgs, whole: clap::Command) -> Result<u8, CliError> {
    let folder = &args.folder;
    files::make_folder(folder)?;
    let fail = |source| CliError::from(ExperimentError::Write { path: folder.clone(), source });
    clap_mangen::generate_to(whole, folder).map_err(fail)?;
    print(&format!("manual pages in {}", folder.display()))?;
    Ok(0)
}
