//! Licences, duplicates and sources of the dependencies, by cargo-deny.

use std::error::Error;
use std::process::Command;

use crate::place::root;
use crate::tools;

/// Another version may judge otherwise.
const VERSION: &str = "0.20.2";
/// What is checked; see `xtask/deny.toml` for why not advisories.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tool = tools::ensure("cargo-deny", VERSION)?;
    println!("== dependencies: cargo deny check {}", CHECKS.join(" "));
    let mut deny = Command::new(tool);
    deny.args(["--locked", "--config", "xtask/deny.toml", "check", "--hide-inclusion-graph"])
        .args(CHECKS)
        .current_dir(root());
    if deny.status()?.success() { Ok(()) } else { Err("dependencies failed".into()) }
}
