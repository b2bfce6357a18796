//! `wngd list`

use wngd_experiment::schema;
use wngd_experiment::source::builtin;

use super::print;
use crate::error::CliError;

/// Shows what there is to choose from.
pub fn list() -> Result<u8, CliError> {
    let mut text = String::from("Built-in experiments (wngd run NAME, wngd init NAME)\n");
    for (name, description) in builtin::descriptions() {
        text.push_str(&format!("  {name:<17} {description}\n"));
    }
    text.push('\n');
    text.push_str(&schema::lists());
    print(&text)?;
    Ok(0)
}
