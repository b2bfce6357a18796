//! Toys of a peak over a falling background, 2000 events each, beside iminuit with numba-stats.
//!
//! The problem of zfit's issue 664: 5 < x < 7, a Gaussian at 5.28 of width 0.06 over an exponential of length 1.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;
use wngd_experiment::results::ToysFile;

use super::options::Bench;
use super::process::{peer, run};
use super::session::Session;
use crate::place::root;

/// Toys that are timed.
const COUNT: usize = 1000;
/// Toys whose pulls are looked at: the width of so many is known to 0.7 %.
const PULLS: usize = 10_000;
/// How far a width of pulls may be from one.
const CLOSE: f64 = 0.03;

#[derive(Deserialize)]
struct Figures {
    binned: Peer,
    unbinned: Peer,
}

#[derive(Deserialize)]
struct Peer {
    seconds: f64,
    valid: usize,
    means: BTreeMap<String, f64>,
    widths: BTreeMap<String, f64>,
}

/// Prints the table of toys; both sides have one thread.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    let build = ["build", "--release", "--package", "wngd-cli"];
    if !Command::new(env!("CARGO")).args(build).current_dir(root()).status()?.success() {
        return Err("wngd does not build".into());
    }
    println!("{COUNT} toys of a Gaussian over an exponential, 2000 events each, one thread, best of {}", bench.repeat);
    println!("{:>28} {:>9} {:>7} {:>7}", "", "s", "fits", "ratio");
    let mut seconds = Vec::new();
    let mut converged = 0;
    for _ in 0..bench.repeat.max(1) {
        let clock = Instant::now();
        converged = toys(COUNT)?.parameters.first().map_or(0, |entry| entry.count);
        // The process with its start and its files.
        seconds.push(clock.elapsed().as_secs_f64());
    }
    let best = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{:>28} {best:>9.3} {converged:>7}", "wngd toys peak");
    let mut beside = None;
    if let Some(python) = &bench.peer {
        let mut command = peer(python, Path::new("bench_toys.py"));
        let figures = run::<Figures>(command.args(["--count", &COUNT.to_string()]))?;
        for (name, peer) in [("iminuit, 100 bins", &figures.binned), ("iminuit, each event", &figures.unbinned)] {
            println!("{name:>28} {:>9.3} {:>7} {:>7.1}", peer.seconds, peer.valid, peer.seconds / best);
        }
        beside = Some(figures.binned.seconds);
        println!("pulls of iminuit, 100 bins:");
        for (name, width) in &figures.binned.widths {
            println!("{name:>28} mean {:>7.3} width {width:>6.3}", figures.binned.means[name]);
        }
    }
    session.note("toys/peak".into(), seconds, beside, 0.0);
    println!("pulls of {PULLS} toys of ours:");
    for entry in toys(PULLS)?.parameters {
        let (mean, width) = entry.pull_mean.zip(entry.pull_width).ok_or("toys without pulls")?;
        println!("{:>28} mean {mean:>7.3} width {width:>6.3}", entry.parameter);
        if (width - 1.0).abs() > CLOSE {
            return Err(format!("the pulls of {} have the width {width:.3}", entry.parameter).into());
        }
    }
    Ok(())
}

/// The built-in experiment by the command.
fn toys(count: usize) -> Result<ToysFile, Box<dyn Error>> {
    let folder = root().join("target/bench/toys");
    let program = root().join(format!("target/release/wngd{}", std::env::consts::EXE_SUFFIX));
    let count = count.to_string();
    let args = ["toys", "peak", "--count", &count, "--threads", "1", "--no-figures", "--quiet", "--restart", "--out"];
    let status = Command::new(program).args(args).arg(&folder).status()?;
    if !status.success() {
        return Err(format!("wngd toys: {status}").into());
    }
    Ok(serde_json::from_str(&std::fs::read_to_string(folder.join("toys.json"))?)?)
}
