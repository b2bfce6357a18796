//! Shards as the tasks of a HyperQueue job, against one process. The package of Python has the whole engine, but no `hq`.

use std::error::Error;
use std::fs;
use std::process::Command;

use crate::place::root;
use crate::python::{environment, install, program};
use crate::shared::{COMMANDS, points, result};

/// The package of the engine.
const PACKAGE: &str = "hyperqueue==0.27.0";
/// Tasks of a job.
const SHARDS: &str = "3";

/// Builds the tool and compares.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let built = Command::new("cargo").args(["build", "--release", "-p", "wngd-cli"]).current_dir(root()).status()?;
    if !built.success() {
        return Err("the tool does not build".into());
    }
    let python = environment(&root().join("target/python/hyperqueue"))?;
    install(&python, &[PACKAGE])?;
    let folder = root().join("target/hyperqueue");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let tool = root().join("target/release").join(format!("wngd{}", std::env::consts::EXE_SUFFIX));
    points(&tool, &folder)?;
    for (command, file) in COMMANDS {
        let words = || command.split_whitespace();
        let wngd = |arguments: &[&str]| Command::new(&tool).args(arguments).current_dir(&folder).status();
        // Exit code 1 is an answer, too.
        let one = wngd(&[&words().collect::<Vec<_>>()[..], &["--quiet", "--out", "one"]].concat())?.code();
        let mut job = Command::new(program(&python, "python"));
        job.arg(root().join("xtask/peer/hyperqueue_session.py")).arg(SHARDS).arg(&tool).args(words());
        let shared = job.args(["--out", "many"]).current_dir(&folder).status()?;
        if !shared.success() {
            return Err(format!("{command}: HyperQueue's job ended with {shared}").into());
        }
        if wngd(&["merge", "many", "--quiet"])?.code() != one {
            return Err(format!("{command}: the merge ends otherwise than one process").into());
        }
        if result(&folder, "one", file)? != result(&folder, "many", file)? {
            return Err(format!("{command}: tasks of HyperQueue do not make the bits of one process").into());
        }
        println!("== {SHARDS} tasks of HyperQueue, wngd {command}: the bits of one process");
        fs::remove_dir_all(folder.join("one"))?;
        fs::remove_dir_all(folder.join("many"))?;
    }
    Ok(())
}
