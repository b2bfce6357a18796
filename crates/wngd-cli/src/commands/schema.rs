//! `wngd schema`

use wngd_experiment::schema;

use super::print_raw;
use crate::error::CliError;

/// Prints the JSON schema of experiment files.
pub fn schema() -> Result<u8, CliError> {
    let text = serde_json::to_string_pretty(&schema::json_schema()).map_err(|e| CliError::Internal(e.to_string()))?;
    print_raw(&text)?;
    Ok(0)
}
