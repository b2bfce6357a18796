//! The wheel of crates/wngd-py: built, measured, installed into clean environments and tested there.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::notebooks;
use crate::place::root;
use crate::python::{environment, install, program, succeed};

/// What builds the wheel.
const MATURIN: &str = "maturin==1.16.0";
/// What the tests import beside the wheel; they skip what is not there.
const TESTED_WITH: [&str; 7] = ["pytest", "scikit-learn>=1.6", "scipy", "pandas", "matplotlib", "jax", "tqdm"];
/// Most bytes of a wheel.
const LARGEST: u64 = 15_000_000;

/// Builds the wheel and tests it; `pages`: writes the page of the notebooks, too.
pub(crate) fn run(pages: bool) -> Result<(), Box<dyn Error>> {
    let place = root().join("target/python");
    let tools = environment(&place.join("tools"))?;
    install(&tools, &[MATURIN])?;
    let wheel = build(&tools, &place.join("wheels"))?;
    let size = fs::metadata(&wheel)?.len();
    println!("== {}: {:.1} MB", wheel.file_name().unwrap_or_default().to_string_lossy(), size as f64 / 1e6);
    if size > LARGEST {
        return Err(format!("the wheel has {size} bytes, more than {LARGEST}").into());
    }
    alone(&place.join("alone"), &wheel)?;
    tests(&place.join("tests"), &wheel)?;
    notebooks::run(&place, &wheel, pages)
}

/// Builds the wheel into an empty folder.
fn build(tools: &Path, folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    println!("== wheel: maturin build");
    let mut maturin = Command::new(program(tools, "maturin"));
    maturin.args(["build", "--release", "--locked", "--manifest-path"]).arg(root().join("crates/wngd-py/Cargo.toml"));
    maturin.arg("--out").arg(folder).arg("--interpreter").arg(program(tools, "python"));
    succeed(maturin.current_dir(root()), "the wheel does not build")?;
    let wheels = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    wheels.first().map(fs::DirEntry::path).ok_or_else(|| "there is no wheel".into())
}

/// The wheel with what it asks for and nothing else: it imports, and brings the command line.
fn alone(folder: &Path, wheel: &Path) -> Result<(), Box<dyn Error>> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    println!("== wheel alone");
    let place = environment(folder)?;
    install(&place, &[&wheel.to_string_lossy()])?;
    let python = |code: &str| {
        let mut python = Command::new(program(&place, "python"));
        python.args(["-c", code]).current_dir(folder);
        succeed(&mut python, "the wheel does not work alone")
    };
    python("import wngd; print(wngd.__version__)")?;
    let mut command = Command::new(program(&place, "wngd"));
    succeed(command.arg("--version").current_dir(folder), "the wheel brings no command line")
}

/// The tests, in an environment with what they compare with.
fn tests(folder: &Path, wheel: &Path) -> Result<(), Box<dyn Error>> {
    println!("== tests of the wheel: pytest");
    let place = environment(folder)?;
    install(&place, &TESTED_WITH)?;
    install(&place, &["--force-reinstall", "--no-deps", &wheel.to_string_lossy()])?;
    let mut pytest = Command::new(program(&place, "python"));
    // From another folder, so that the installed package is what is imported.
    pytest.args(["-m", "pytest", "--quiet", "-c"]).arg(root().join("crates/wngd-py/pyproject.toml"));
    pytest.arg(root().join("crates/wngd-py/tests")).current_dir(folder).env("MPLBACKEND", "agg");
    succeed(&mut pytest, "tests of the wheel failed")
}
