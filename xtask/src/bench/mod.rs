pub(crate) mod estimators;
mod fit;
pub(crate) mod lorenz;
pub(crate) mod mixture;
pub(crate) mod options;
mod process;

use std::error::Error;
use std::process::Command;

use crate::place::root;
use options::{Bench, Table};

/// Prints the tables that were asked for.
pub(crate) fn run(bench: &Bench) -> Result<(), Box<dyn Error>> {
    let benches = ["bench", "--package", "wngd", "--bench", "direction"];
    if !bench.quick && !Command::new(env!("CARGO")).args(benches).current_dir(root()).status()?.success() {
        return Err("cargo bench failed".into());
    }
    let wanted = |table| bench.only.is_none_or(|only| only == table);
    if wanted(Table::Mixture) {
        mixture::table(bench)?;
    }
    if wanted(Table::Lorenz) {
        lorenz::table(bench)?;
    }
    if wanted(Table::Estimators) {
        estimators::table(bench)?;
    }
    if wanted(Table::Fit) {
        fit::table(bench)?;
    }
    Ok(())
}
