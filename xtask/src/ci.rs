use std::error::Error;
use std::process::Command;

use crate::place::root;
use crate::{book, deny, dependencies, docs, gallery, generate, pages, wheel};

/// The checks, in the order in which they fail fastest.
const CHECKS: [(&str, &[&str]); 5] = [
    ("format", &["fmt", "--all", "--check"]),
    ("lints", &["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]),
    ("tests", &["test", "--workspace", "--release"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--release"]),
    // Building what is packaged takes minutes: `cargo xtask package` does that before a release.
    (
        "packages",
        &[
            "package",
            "--workspace",
            "--exclude",
            "xtask",
            "--exclude",
            "wngd-py",
            "--allow-dirty",
            "--no-verify",
            "--quiet",
        ],
    ),
];

/// Packages every crate as for crates.io and builds what was packaged.
pub(crate) fn package() -> Result<(), Box<dyn Error>> {
    let status = Command::new(env!("CARGO"))
        .args(["package", "--workspace", "--exclude", "xtask", "--exclude", "wngd-py", "--allow-dirty"])
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(root())
        .status()?;
    if status.success() { Ok(()) } else { Err("a package does not build".into()) }
}

pub(crate) fn run(skip_tests: bool, whole: clap::Command) -> Result<(), Box<dyn Error>> {
    generate::run(true)?;
    docs::run()?;
    dependencies::run()?;
    pages::run(&whole)?;
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
    wheel::run(false)?;
    gallery::Gallery::default().run()?;
    book::run()?;
    minimum_rust()?;
    println!("all checks passed");
    Ok(())
}

/// Checks the workspace, and the tool without its page, with the stated minimum Rust version where that is installed.
fn minimum_rust() -> Result<(), Box<dyn Error>> {
    let version = env!("CARGO_PKG_RUST_VERSION");
    let run = |arguments: &[&str]| {
        Command::new("cargo")
            .arg(format!("+{version}"))
            .args(arguments)
            .current_dir(root())
            .env_remove("RUSTC")
            .status()
    };
    let there = Command::new("cargo").arg(format!("+{version}")).arg("--version").output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("== Rust {version}, the minimum, is not installed: not checked");
    } else if !run(&["check", "--workspace", "--release"])?.success() {
        return Err(format!("it does not build with Rust {version}").into());
    }
    println!("== the tool without its page");
    let status = Command::new(env!("CARGO"))
        .args(["check", "--release", "-p", "wngd-cli", "--no-default-features"])
        .current_dir(root())
        .status()?;
    if status.success() { Ok(()) } else { Err("the tool does not build without its page".into()) }
}
