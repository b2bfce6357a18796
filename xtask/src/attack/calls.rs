//! Public functions with arguments that no caller should pass.

use std::error::Error;
use std::process::Command;

use super::field::Field;
use super::row::Row;
use crate::place::root;

pub(super) fn attack(_: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--release", "--package", "wngd", "--test", "hostile_callers", "--", "--nocapture"])
        .env("CALLS", times.to_string())
        .current_dir(root())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let told = text.lines().find(|line| line.contains(" calls, ")).unwrap_or("the test did not run").to_string();
    let faults = if output.status.success() { Vec::new() } else { vec![format!("hostile calls: {text}")] };
    Ok(Row { times, faults, remark: told })
}
