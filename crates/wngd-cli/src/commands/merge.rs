//! `wngd merge`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use wngd_experiment::checkpoint::{merged, remove_merged};

use super::resume::go_on;
use crate::error::CliError;

/// Make the result of a command whose work was shared by `--shard`, the same as if one process had done it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  wngd basin mixture-weight --out map --shard 0/2 &\n  wngd basin mixture-weight --out map --shard 1/2\n  wngd merge map\n\nA shard that is missing or unfinished is named; its command goes on where it was. What was merged is taken away."
)]
pub struct MergeArgs {
    /// Folder of the shards.
    pub folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
}

/// Puts the shards of a folder together and ends their command.
pub fn merge(args: &MergeArgs) -> Result<u8, CliError> {
    let code = go_on(merged(&args.folder)?, &args.folder, args.quiet, Duration::from_secs(1))?;
    remove_merged(&args.folder)?;
    Ok(code)
}
