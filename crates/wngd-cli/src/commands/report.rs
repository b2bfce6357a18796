//! `wngd report`

use wngd_experiment::report;

use super::print;
use crate::args::ReportArgs;
use crate::error::CliError;

/// Rebuilds the report of a result folder.
pub fn report(args: &ReportArgs) -> Result<u8, CliError> {
    let path = report::write(&args.folder)?;
    if !args.quiet {
        print(&format!("report in {}", path.display()))?;
    }
    Ok(0)
}
