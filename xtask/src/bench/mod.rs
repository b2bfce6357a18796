pub(crate) mod estimators;
pub(crate) mod lorenz;
pub(crate) mod mixture;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, ValueEnum};
use serde::de::DeserializeOwned;

use crate::root;

#[derive(Args)]
pub(crate) struct Bench {
    /// A Python with xtask/peer/requirements.txt, to compare with.
    #[arg(long, value_name = "PYTHON")]
    peer: Option<PathBuf>,
    /// One table only.
    #[arg(long)]
    only: Option<Table>,
    /// Cells per axis of the mixture.
    #[arg(long, default_value_t = 256)]
    grid: usize,
    /// Numbers of parameters of the mixture.
    #[arg(long, value_delimiter = ',', default_value = "2,100,1000")]
    p: Vec<usize>,
    /// Threads, for both sides.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Repetitions; the best counts.
    #[arg(long, default_value_t = 3)]
    repeat: usize,
    /// Leave out the criterion benches and the largest grids.
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Table {
    Mixture,
    Lorenz,
    Estimators,
}

impl Bench {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let benches = ["bench", "--package", "wngd", "--bench", "direction"];
        if !self.quick && !Command::new(env!("CARGO")).args(benches).current_dir(root()).status()?.success() {
            return Err("cargo bench failed".into());
        }
        let wanted = |table| self.only.is_none_or(|only| only == table);
        if wanted(Table::Mixture) {
            mixture::table(self)?;
        }
        if wanted(Table::Lorenz) {
            lorenz::table(self)?;
        }
        if wanted(Table::Estimators) {
            estimators::table(self)?;
        }
        Ok(())
    }
}

/// A script of xtask/peer.
fn peer(python: &Path, script: &Path) -> Command {
    let mut command = Command::new(python);
    // Settings for older libraries, which slow a current OpenBLAS down.
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
    command.arg(root().join("xtask/peer").join(script));
    command
}

/// Runs a command that prints its figures as JSON.
fn run<T: DeserializeOwned>(command: &mut Command) -> Result<T, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Peak resident memory of this process.
fn peak_megabytes() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1024.0 / 1e6)
}
