//! `wngd systems`

use clap::Args;
use wngd::models::flow::{SYSTEM_NAMES, System};

use super::simulate::named;
use crate::error::CliError;
use crate::output::print;

/// Show the dynamical systems with their parameters and usual values.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  wngd systems")]
pub struct SystemsArgs {}

/// Columns that a line may take.
const COLUMNS: usize = 80;

/// A line with an indentation, broken where it is too long.
fn folded(line: &str) -> String {
    let options = textwrap::Options::new(COLUMNS).initial_indent("  ").subsequent_indent("      ");
    textwrap::fill(line, options) + "\n"
}

/// Shows the systems with their equations and usual parameters.
pub fn systems(_: &SystemsArgs) -> Result<u8, CliError> {
    let mut text = String::new();
    for name in SYSTEM_NAMES {
        let System { field, theta, equations, start, .. } = named(name)?.system;
        let dim = field.dim();
        let axes = if dim == 1 { "1 axis".to_string() } else { format!("{dim} axes") };
        text.push_str(&format!("{name} ({axes})\n"));
        for equation in equations {
            text.push_str(&folded(equation));
        }
        let values = field.parameter_names().into_iter().zip(&theta).map(|(n, v)| format!("{n} = {v}"));
        text.push_str(&folded(&values.collect::<Vec<_>>().join(", ")));
        let start: Vec<String> = start.iter().map(f64::to_string).collect();
        text.push_str(&format!("  start {}\n\n", start.join(", ")));
    }
    text.push_str(
        "polynomial (1 to 3 axes, experiment files only)\n  every monomial up to a degree, coefficients as parameters",
    );
    print(&text)?;
    Ok(0)
}
