//! Files of every kind with something changed, given to the readers: for toolchains that have no libFuzzer.

use std::error::Error;
use std::process::Command;

use super::field::Field;
use super::row::Row;
use crate::place::root;

/// Readers that there are.
const READERS: usize = 4;

pub(super) fn attack(_: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    let each = times.div_ceil(READERS);
    let output = Command::new(env!("CARGO"))
        .args(["test", "--release", "--package", "wngd-experiment", "--lib", "mutants", "--", "--nocapture"])
        .env("MUTANTS", each.to_string())
        .current_dir(root())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let seconds = text.lines().filter(|line| line.contains(" mutants read in "));
    let told: Vec<&str> = seconds.filter_map(|line| line.rsplit(" in ").next()).collect();
    let mut faults = Vec::new();
    if !output.status.success() || told.len() != READERS {
        faults.push(format!("mutants: {text}{}", String::from_utf8_lossy(&output.stderr)));
    }
    let remark = format!("by experiments, tables, arrays, checkpoints; slowest {}", told.join(", "));
    Ok(Row { times: each * READERS, faults, remark })
}
