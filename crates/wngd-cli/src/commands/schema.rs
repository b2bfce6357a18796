//! `wngd schema`

use clap::Args;
use wngd_experiment::schema;

use crate::error::CliError;
use crate::output::print_raw;

/// Print the JSON schema of experiment files, for editors.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wngd schema > wngd.schema.json")]
pub struct SchemaArgs {}

/// Prints the JSON schema of experiment files.
pub fn schema(_: &SchemaArgs) -> Result<u8, CliError> {
    let text = serde_json::to_string_pretty(&schema::json_schema()).map_err(|e| CliError::Internal(e.to_string()))?;
    print_raw(&text)?;
    Ok(0)
}
