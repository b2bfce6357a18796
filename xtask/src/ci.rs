use std::error::Error;
use std::process::Command;

use crate::{book, docs, pages, root};

/// The checks, in the order in which they fail fastest.
const CHECKS: [(&str, &[&str]); 5] = [
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace", "--release"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--release"]),
    // Building what is packaged takes minutes: `cargo xtask package` does that before a release.
    ("packages", &["package", "--workspace", "--exclude", "xtask", "--allow-dirty", "--no-verify", "--quiet"]),
];

/// Packages every crate as for publication and builds what was packaged.
pub(crate) fn package() -> Result<(), Box<dyn Error>> {
    let status = Command::new(env!("CARGO"))
        .args(["package", "--workspace", "--exclude", "xtask", "--allow-dirty"])
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(root())
        .status()?;
    if status.success() { Ok(()) } else { Err("a package does not build".into()) }
}

pub(crate) fn run(skip_tests: bool) -> Result<(), Box<dyn Error>> {
    docs::run()?;
    pages::run()?;
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
    book::run()?;
    println!("all checks passed");
    Ok(())
}
