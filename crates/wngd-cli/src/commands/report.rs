//! `wngd report`

use std::path::PathBuf;

use clap::Args;
use wngd_experiment::report;

use crate::error::CliError;
use crate::output::print;

/// Rebuild the page report.html of a result folder.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wngd report runs/mixture-mu1")]
pub struct ReportArgs {
    /// Folder that run, fit, identify, basin, sketch, profile or toys wrote.
    pub folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
}

/// Rebuilds the report of a result folder.
pub fn report(args: &ReportArgs) -> Result<u8, CliError> {
    let path = report::write(&args.folder)?;
    if !args.quiet {
        print(&format!("report in {}", path.display()))?;
    }
    Ok(0)
}
