//! Licences, duplicates and sources of the dependencies, by cargo-deny.

use std::error::Error;
use std::process::Command;

use crate::root;

/// What is installed where it is absent: another version may judge otherwise.
const VERSION: &str = "0.20.2";
/// What is checked; see `xtask/deny.toml` for why not advisories.
const CHECKS: [&str; 3] = ["bans", "licenses", "sources"];

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let tools = root().join("target/tools");
    let tool = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    let present = Command::new(&tool).arg("--version").output();
    if !present.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim().ends_with(VERSION)) {
        println!("== installing cargo-deny {VERSION} in target/tools");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["install", "cargo-deny", "--locked", "--force", "--version", VERSION, "--root"]).arg(&tools);
        if !cargo.status()?.success() {
            return Err("cargo-deny could not be installed".into());
        }
    }
    println!("== dependencies: cargo deny check {}", CHECKS.join(" "));
    let mut deny = Command::new(tool);
    deny.args(["--locked", "--config", "xtask/deny.toml", "check", "--hide-inclusion-graph"])
        .args(CHECKS)
        .current_dir(root());
    if deny.status()?.success() { Ok(()) } else { Err("dependencies failed".into()) }
}
