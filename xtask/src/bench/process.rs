//! Measurements in processes of their own.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::de::DeserializeOwned;

use crate::place::root;

/// A script of xtask/peer.
pub(super) fn peer(python: &Path, script: &Path) -> Command {
    let mut command = Command::new(python);
    // Settings for older libraries, which slow a current OpenBLAS down.
    command.env_remove("OPENBLAS_CORETYPE").env_remove("OPENBLAS_L2_SIZE");
    command.arg(root().join("xtask/peer").join(script));
    command
}

/// Runs a command that prints its figures as JSON.
pub(super) fn run<T: DeserializeOwned>(command: &mut Command) -> Result<T, Box<dyn Error>> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Peak resident memory of this process.
pub(super) fn peak_megabytes() -> Result<f64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM in /proc/self/status")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<f64>()? * 1024.0 / 1e6)
}

/// Seconds of each repetition.
pub(super) fn timed<T>(
    repeat: usize,
    mut once: impl FnMut() -> Result<T, Box<dyn Error>>,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let one = |_| {
        let clock = Instant::now();
        std::hint::black_box(once()?);
        Ok(clock.elapsed().as_secs_f64())
    };
    (0..repeat.max(1)).map(one).collect()
}
