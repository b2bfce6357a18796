mod choice;
pub(crate) mod estimators;
mod fit;
pub(crate) mod growth;
mod limit;
pub(crate) mod lorenz;
pub(crate) mod mixture;
pub(crate) mod options;
mod page;
mod process;
mod session;
mod space;
mod toys;

use std::error::Error;
use std::process::Command;

use crate::place::root;
use options::{Bench, Table};
use session::Session;

/// Prints the tables that were asked for.
pub(crate) fn run(bench: &Bench) -> Result<(), Box<dyn Error>> {
    // Read first: a file that is none should not cost an hour.
    let before = bench.against.as_deref().map(Session::load).transpose()?;
    let benches = ["bench", "--package", "wngd", "--bench", "direction"];
    if !bench.quick
        && bench.only.is_empty()
        && !Command::new(env!("CARGO")).args(benches).current_dir(root()).status()?.success()
    {
        return Err("cargo bench failed".into());
    }
    let mut session = Session { machine: machine(bench), ..Session::default() };
    let session = &mut session;
    let wanted = |table| bench.only.is_empty() || bench.only.contains(&table);
    if wanted(Table::Mixture) {
        mixture::table(bench, session)?;
    }
    if wanted(Table::Lorenz) {
        lorenz::table(bench, session)?;
    }
    if wanted(Table::Estimators) {
        estimators::table(bench, session)?;
    }
    if wanted(Table::Fit) {
        fit::table(bench, session)?;
    }
    if wanted(Table::Toys) {
        toys::table(bench, session)?;
    }
    if wanted(Table::Growth) {
        growth::table(bench, session)?;
    }
    if wanted(Table::Limit) {
        limit::table(bench, session)?;
    }
    if wanted(Table::Choice) {
        choice::table(bench, session)?;
    }
    if let Some(path) = &bench.save {
        session.save(path)?;
    }
    if let Some(before) = &before {
        println!("\n{}", session.against(before));
    }
    if bench.page {
        page::write(session)?;
    }
    Ok(())
}

/// What the figures hold for.
fn machine(bench: &Bench) -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|l| l.strip_prefix("model name")).and_then(|l| l.split_once(": "));
    let version = Command::new("rustc").arg("--version").output();
    let version = version.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_string()).unwrap_or_default();
    format!("{}, {} threads, {version}", name.map_or("unknown processor", |n| n.1), bench.threads)
}
