//! Names with control characters, on every command that reads or prints names.

use std::error::Error;
use std::process::Stdio;

use rand::RngExt;

use super::field::{EXPERIMENT, Field};
use super::files::raw;
use super::row::Row;

/// What a terminal would obey, or a reader be deceived by.
const PIECES: [&str; 12] = [
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\r",
    "\u{8}\u{8}",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2066}",
    "\u{7f}",
    "\u{0}",
    "\u{200f}",
    "name",
    "=1+1",
];

pub(super) fn attack(field: &mut Field, times: usize) -> Result<Row, Box<dyn Error>> {
    let (mut faults, mut runs) = (Vec::new(), 0);
    for number in 0..times {
        let name: String = (0..3).map(|_| PIECES[field.rng.random_range(0..PIECES.len())]).collect();
        let quoted = serde_json::to_string(&name)?.replace('\u{7f}', "\\u007f").replace('\u{9b}', "\\u009b");
        // Files of that name, columns, experiments, methods, and the same on the command line.
        let shown: String = name.chars().filter(|c| *c != '\0').collect();
        let columns = format!("{shown},y\n{}", "1.5,2\n2.5,1\n0.5,0\n1.0,1\n".repeat(9));
        std::fs::write(field.folder().join("columns.csv"), columns)?;
        let experiment = EXPERIMENT.replace("\"attacked\"", &quoted).replacen(
            "metric = \"none\"",
            &format!("label = {quoted}\nmetric = \"none\""),
            1,
        );
        std::fs::write(field.folder().join("named.toml"), experiment)?;
        std::fs::write(field.folder().join("wrong.toml"), EXPERIMENT.replace("\"wasserstein\"", &quoted))?;
        let commands: [&[&str]; 25] = [
            &["check", "named.toml"],
            &["check", "wrong.toml"],
            &["inspect", "named.toml"],
            &["run", "named.toml", "--out", "n", "--no-figures", "--set", "stop.iterations=2"],
            &["report", "n"],
            &["check", &shown],
            &["run", &shown],
            &["resume", &shown],
            &["fit", "columns.csv", "--out", "f", "--no-figures", "--components", "1"],
            &["fit", "columns.csv", "--columns", &shown, "--out", "f", "--no-figures", "--components", "1"],
            &["simulate", "--system", &shown, "--out", "s.csv"],
            &["identify", "--system", "lorenz63", "--trajectory", "columns.csv", "--out", "i"],
            &["basin", "named.toml", "--out", "n", "--counts", "2,1", "--set", "stop.iterations=1"],
            &["basin", &shown],
            &["sketch", &shown],
            &["profile", &shown],
            &["toys", &shown],
            &["merge", &shown],
            &["submit", "--engine", "slurm", "--", "basin", &shown],
            &["play", &shown],
            &["serve", &shown],
            &["init", &shown],
            &["init", "--from", &shown],
            &["density", "--system", &shown, "--out", "d"],
            &["completions", &shown],
        ];
        for command in commands {
            runs += 1;
            field.clear("n")?;
            let output = field.wngd(command).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
            let code = output.status.code();
            if raw(&output.stdout) || raw(&output.stderr) {
                faults.push(format!("name {number}, {command:?}: control characters in what is printed"));
            }
            if !matches!(code, Some(0..=2)) {
                faults.push(format!("name {number}, {command:?}: ends with {code:?}"));
            }
        }
    }
    Ok(Row { times, faults, remark: format!("{runs} runs") })
}
