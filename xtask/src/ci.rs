use std::error::Error;
use std::process::Command;

use crate::{deny, docs, root};

/// The checks, in the order in which they fail fastest.
const CHECKS: [(&str, &[&str]); 4] = [
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace", "--release"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--release"]),
];

pub(crate) fn run(skip_tests: bool) -> Result<(), Box<dyn Error>> {
    docs::run()?;
    deny::run()?;
    for (what, arguments) in CHECKS {
        if skip_tests && what == "tests" {
            continue;
        }
        println!("== {what}: cargo {}", arguments.join(" "));
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).current_dir(root());
        if what == "documentation" {
            cargo.env("RUSTDOCFLAGS", "-D warnings");
        }
        if !cargo.status()?.success() {
            return Err(format!("{what} failed").into());
        }
    }
    println!("all checks passed");
    Ok(())
}
