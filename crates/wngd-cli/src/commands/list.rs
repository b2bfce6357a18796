//! `wngd list`

use clap::Args;
use wngd_experiment::schema;
use wngd_experiment::source::builtin;

use crate::error::CliError;
use crate::output::print;

/// Show built-in experiments, metrics, objectives, solvers and step rules.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wngd list")]
pub struct ListArgs {}

/// Shows what there is to choose from.
pub fn list(_: &ListArgs) -> Result<u8, CliError> {
    let mut text = String::from("Built-in experiments (wngd run NAME, wngd init NAME)\n");
    for (name, description) in builtin::descriptions() {
        text.push_str(&format!("  {name:<17} {description}\n"));
    }
    text.push('\n');
    text.push_str(&schema::lists());
    print(&text)?;
    Ok(0)
}
