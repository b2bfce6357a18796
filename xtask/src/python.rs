//! Environments of Python, under target/python.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A virtual environment, made if it is not there.
pub(crate) fn environment(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    if !program(folder, "python").exists() {
        let python = if cfg!(windows) { "python" } else { "python3" };
        let mut venv = Command::new(python);
        succeed(venv.args(["-m", "venv"]).arg(folder), "no virtual environment; is Python with venv installed?")?;
    }
    Ok(folder.to_path_buf())
}

/// Installs packages into an environment.
pub(crate) fn install(environment: &Path, packages: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut pip = Command::new(program(environment, "python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    succeed(&mut pip, "packages could not be installed; is PyPI in reach?")
}

/// A program of an environment.
pub(crate) fn program(environment: &Path, name: &str) -> PathBuf {
    let folder = if cfg!(windows) { "Scripts" } else { "bin" };
    environment.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(command: &mut Command, otherwise: &str) -> Result<(), Box<dyn Error>> {
    if command.status()?.success() { Ok(()) } else { Err(otherwise.into()) }
}
