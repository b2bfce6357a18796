//! The numbers of the README, as the tables of docs/reproduce.md have them.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Args;
use serde_json::Value;

use crate::place::root;

#[derive(Args)]
pub(crate) struct Reproduce {
    /// A Python with SciPy, for the rows that need another integrator.
    #[arg(long, value_name = "PYTHON")]
    peer: Option<PathBuf>,
}

/// A row of a table.
#[derive(Debug, PartialEq)]
struct Row {
    commands: Vec<String>,
    method: String,
    quantity: String,
    value: f64,
    within: f64,
}

impl Reproduce {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        let rows = table(&std::fs::read_to_string(root().join("docs/reproduce.md"))?)?;
        let folder = root().join("target/reproduce");
        std::fs::create_dir_all(&folder)?;
        // Not a part of the times below.
        let build = ["build", "--release", "--package", "wngd-cli"];
        if !Command::new(env!("CARGO")).args(build).current_dir(root()).status()?.success() {
            return Err("wngd does not build".into());
        }
        let python = self.peer.as_ref().map(std::path::absolute).transpose()?;
        let (mut results, mut wrong) = (BTreeMap::new(), 0);
        for row in &rows {
            if python.is_none() && row.commands.iter().any(|c| c.starts_with("python ")) {
                continue;
            }
            if !results.contains_key(&row.commands) {
                let mut result = None;
                for command in &row.commands {
                    result = execute(command, &folder, python.as_deref())?.or(result);
                }
                results.insert(&row.commands, result.ok_or("a row without a result")?);
            }
            let found = quantity(&results[&row.commands], row)?;
            let good = (found - row.value).abs() <= row.within;
            wrong += usize::from(!good);
            let verdict = if good { "as stated" } else { "NOT AS STATED" };
            println!("  {}: {} = {found:.6}, stated {}: {verdict}", row.method, row.quantity, row.value);
        }
        if rows.is_empty() || wrong > 0 {
            return Err(format!("{wrong} of {} numbers are not as stated", rows.len()).into());
        }
        Ok(())
    }
}

/// Runs a command; the result file, if it is one that leaves one.
fn execute(command: &str, folder: &Path, python: Option<&Path>) -> Result<Option<Value>, Box<dyn Error>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut process = match (words[0], python) {
        ("wngd", _) => {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["run", "--release", "--quiet", "--package", "wngd-cli", "--manifest-path"]);
            cargo.arg(root().join("Cargo.toml")).arg("--").args(&words[1..]).arg("--quiet");
            cargo
        }
        ("python", Some(python)) => {
            let mut script = Command::new(python);
            script.arg(root().join("xtask/peer").join(words[1])).args(&words[2..]);
            script
        }
        (other, _) => return Err(format!("{other}: no command of these tables").into()),
    };
    let start = Instant::now();
    if !process.current_dir(folder).status()?.success() {
        return Err(format!("{command}: failed").into());
    }
    println!("{command}: {:.0} s", start.elapsed().as_secs_f64());
    let option = words.iter().position(|w| *w == "--out").and_then(|at| words.get(at + 1));
    let place = match (words.get(1), option) {
        (Some(&"run"), None) => folder.join("runs").join(words[2]),
        (Some(&"run" | &"identify"), Some(out)) => folder.join(out),
        _ => return Ok(None),
    };
    Ok(Some(serde_json::from_slice(&std::fs::read(place.join("result.json"))?)?))
}

/// `objective`, a parameter by name, or `±` and a name for its standard error.
fn quantity(result: &Value, row: &Row) -> Result<f64, Box<dyn Error>> {
    let methods = result["methods"].as_array().ok_or("no methods")?;
    let method = methods.iter().find(|m| m["label"] == row.method.as_str()).ok_or("no such method")?;
    let (field, name) = match row.quantity.strip_prefix("± ") {
        Some(name) => ("standard_errors", name),
        None => ("theta", row.quantity.as_str()),
    };
    let value = if ["objective", "iterations"].contains(&name) {
        &method[name]
    } else {
        let names = result["names"].as_array().ok_or("no names")?;
        &method[field][names.iter().position(|n| n == name).ok_or("no such parameter")?]
    };
    value.as_f64().ok_or_else(|| format!("{}: {} is missing", row.method, row.quantity).into())
}

/// The rows of the tables, each with the commands of the block before its table.
fn table(page: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let (mut rows, mut commands, mut used) = (Vec::new(), Vec::new(), false);
    for line in page.lines() {
        if line.starts_with("wngd ") || line.starts_with("python ") {
            if used {
                (commands, used) = (Vec::new(), false);
            }
            commands.push(line.to_string());
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [_, result, value, within] = cells[..] else { continue };
        let Some((method, quantity)) = result.trim_matches('`').split_once(": ") else { continue };
        let (method, quantity) = (method.to_string(), quantity.to_string());
        rows.push(Row { commands: commands.clone(), method, quantity, value: value.parse()?, within: within.parse()? });
        used = true;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read() -> Result<(), Box<dyn Error>> {
        let page = "```sh\nwngd x\npython z\n```\n| says | result | value | within |\n|---|---|---|---|\n| a | `m: ± q` | 1.5 | 1e-3 |\n| b | `x` | 2 s |\n";
        let row = Row {
            commands: vec!["wngd x".into(), "python z".into()],
            method: "m".into(),
            quantity: "± q".into(),
            value: 1.5,
            within: 1e-3,
        };
        assert_eq!(table(page)?, [row]);
        let page = std::fs::read_to_string(root().join("docs/reproduce.md"))?;
        assert!(table(&page)?.iter().filter(|row| !row.commands.is_empty()).count() > 10);
        Ok(())
    }
}
