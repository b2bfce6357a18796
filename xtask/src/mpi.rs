//! `mpirun -n 4 wngd …` against one process, on every command whose units can be shared.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::place::root;
use crate::shared::{COMMANDS, points, result};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Builds the tool with MPI and compares.
pub(crate) fn run() -> Outcome<()> {
    if Command::new("mpirun").arg("--version").output().is_err() {
        println!("== skipped: mpirun is not installed; Debian has it in openmpi-bin and libopenmpi-dev");
        return Ok(());
    }
    let build = ["build", "--release", "-p", "wngd-cli", "--features", "mpi"];
    if !Command::new("cargo").args(build).current_dir(root()).status()?.success() {
        return Err("the tool does not build with MPI; are libopenmpi-dev and libclang-dev installed?".into());
    }
    let folder = root().join("target/mpi");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // A copy, which builds without MPI do not replace.
    let tool = folder.join("wngd");
    fs::copy(root().join("target/release/wngd"), &tool)?;
    points(&tool, &folder)?;
    for (command, file) in COMMANDS {
        let words = || command.split_whitespace();
        let one = Command::new(&tool).args(words()).args(["--quiet", "--out", "one"]).current_dir(&folder).status()?;
        let many = together(&folder, &tool, 4)?.args(words()).args(["--quiet", "--out", "many"]).status()?;
        if one.code() != many.code() {
            return Err(format!("{command}: {many} for {one}").into());
        }
        if result(&folder, "one", file)? != result(&folder, "many", file)? {
            return Err(format!("{command}: four processes do not make the bits of one").into());
        }
        println!("== mpirun -n 4 wngd {command}: the bits of one process");
        fs::remove_dir_all(folder.join("one"))?;
        fs::remove_dir_all(folder.join("many"))?;
    }
    let refused = together(&folder, &tool, 2)?.args(["run", "mixture-mu1", "--out", "one"]).output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    if refused.status.code() != Some(2) || !said.contains("start one") {
        return Err(format!("a command without units ended with {}: {said}", refused.status).into());
    }
    println!("== a command without units is refused");
    Ok(())
}

/// The tool in some processes.
fn together(folder: &Path, tool: &Path, processes: usize) -> Outcome<Command> {
    let mut mpirun = Command::new("mpirun");
    let user = Command::new("id").arg("-u").output()?;
    if user.stdout.starts_with(b"0\n") {
        mpirun.arg("--allow-run-as-root");
    }
    mpirun.args(["--oversubscribe", "-n", &processes.to_string()]).arg(tool).args(["--threads", "1"]);
    mpirun.current_dir(folder);
    Ok(mpirun)
}
