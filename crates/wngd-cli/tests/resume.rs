//! Runs that are interrupted and go on.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Every step rule, a metric that factors and a sketch; none converges, so that the time is even.
const EXPERIMENT: &str = r#"name = "interrupted"

[grid]
lower = [-4.0, -4.0]
upper = [6.0, 6.0]
cells = [40, 40]

[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.0, 2.5], [2.0, 1.0]]

[data]
samples = "points.csv"

[objective]
kind = "l2"

[[method]]
label = "fixed"
metric = "none"
step = { rule = "fixed", length = 0.5 }

[[method]]
label = "armijo"
metric = "none"
step = { rule = "armijo", initial = 0.7 }

[[method]]
label = "remember"
metric = "none"
step = { rule = "armijo", initial = 0.9, remember = true }

[[method]]
label = "expand"
metric = "none"
step = { rule = "armijo" }

[[method]]
label = "levenberg-marquardt"
metric = "l2"
step = { rule = "levenberg-marquardt", length = 0.02 }

[[method]]
label = "w2"
metric = "wasserstein"
damping = 1.0
step = { rule = "fixed", length = 0.02 }

[[method]]
label = "sketched"
metric = "l2"
solver = "sketched-gram"
damping = 1e-2
probes = 16
seed = 7
step = { rule = "fixed", length = 0.01 }

[stop]
iterations = 25
relative_objective = 0.0
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("e.toml"), EXPERIMENT).unwrap();
    let rows: String = (0..300)
        .map(|i| {
            let t = f64::from(i);
            format!("{},{}\n", 1.5 + 1.2 * (1.7 * t).sin(), 1.4 + 1.1 * (0.9 * t).cos())
        })
        .collect();
    std::fs::write(folder.path().join("points.csv"), format!("x,y\n{rows}")).unwrap();
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wngd"));
    command.args(args).args(["--quiet", "--threads", "1"]).current_dir(folder);
    command
}

fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

const RUN: [&str; 7] = ["run", "e.toml", "--no-figures", "--checkpoint", "0", "--out", "o"];
const RESUME: [&str; 4] = ["resume", "--checkpoint", "0", "o"];

fn refused(output: &Output, part: &str) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(part), "{part}: {text}");
}

/// Results and traces of a folder, without the seconds.
fn results(folder: &Path) -> (Value, Vec<String>) {
    let mut result: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("result.json")).unwrap()).unwrap();
    let mut traces = Vec::new();
    for method in result["methods"].as_array_mut().unwrap() {
        method.as_object_mut().unwrap().remove("seconds");
        let trace = std::fs::read_to_string(folder.join(method["trace"].as_str().unwrap())).unwrap();
        let rows = trace.lines().map(|line| {
            let mut cells: Vec<&str> = line.split(',').collect();
            cells.remove(5);
            cells.join(",")
        });
        traces.push(rows.collect::<Vec<_>>().join("\n"));
        traces.push(format!("{:?}", std::fs::read(folder.join(method["density"].as_str().unwrap())).unwrap()));
    }
    (result, traces)
}

/// Iterates in the checkpoint, by descent.
fn iterates(folder: &Path) -> Vec<usize> {
    let text = std::fs::read_to_string(folder.join("checkpoint.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let descents = value["content"]["descents"].as_array().unwrap();
    descents.iter().map(|d| d["trace"].as_array().unwrap().len()).collect()
}

/// Runs and kills at random moments, each time resuming (once more killed) and comparing; returns how many
/// kills met a process that was still at work, and how many checkpoints held a part of the run.
fn kill_at_random(times: usize, mut seed: u64) -> (usize, usize) {
    let folder = folder();
    let dir = folder.path();
    let clock = Instant::now();
    assert!(command(dir, &RUN).output().unwrap().status.code().is_some_and(|c| c < 2));
    let whole = clock.elapsed().as_secs_f64();
    let expected = results(&dir.join("o"));
    let mut share = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / (1u64 << 31) as f64
    };
    let (mut met, mut partial) = (0, 0);
    let mut kill = |args: &[&str], after: f64| {
        let mut child = start(dir, args);
        std::thread::sleep(Duration::from_secs_f64(after));
        met += usize::from(child.try_wait().unwrap().is_none());
        // SIGKILL: the process cannot do anything about it.
        let _ = child.kill();
        child.wait().unwrap();
    };
    for n in 0..times {
        std::fs::remove_dir_all(dir.join("o")).unwrap();
        kill(&RUN, share() * whole);
        if !dir.join("o/checkpoint.json").exists() {
            // Killed before anything was begun: there is nothing to lose.
            refused(&command(dir, &["resume", "o"]).output().unwrap(), "o");
            std::fs::create_dir_all(dir.join("o")).unwrap();
            continue;
        }
        partial += usize::from(iterates(&dir.join("o")).iter().sum::<usize>() < 7 * 26);
        if n % 2 == 0 {
            let before: usize = iterates(&dir.join("o")).iter().sum();
            kill(&RESUME, share() * whole);
            let after: usize = iterates(&dir.join("o")).iter().sum();
            assert!(after >= before, "a resumed run lost {before} - {after} iterates");
        }
        let output = command(dir, &RESUME).output().unwrap();
        assert!(output.status.code().is_some_and(|c| c < 2), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(results(&dir.join("o")) == expected, "kill {n}: other bits after resuming");
    }
    (met, partial)
}

#[test]
fn killed_runs_go_on_with_the_same_bits() {
    let (met, partial) = kill_at_random(10, 1);
    assert!(met >= 5 && partial >= 3, "{met} kills met a process at work, {partial} a part of the run");
}

#[test]
#[ignore = "takes minutes"]
fn fifty_kills_are_survived() {
    let (met, partial) = kill_at_random(50, 2);
    eprintln!("50 runs killed, {met} kills of a process at work, {partial} checkpoints of a part of the run");
}

#[test]
fn an_interrupt_keeps_everything_and_can_be_resumed_from_elsewhere() {
    let folder = folder();
    let dir = folder.path();
    command(dir, &RUN).output().unwrap();
    let expected = results(&dir.join("o"));
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let mut child = start(dir, &RUN);
    let clock = Instant::now();
    while !dir.join("o/checkpoint.json").exists() || iterates(&dir.join("o")).iter().sum::<usize>() < 30 {
        assert!(clock.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let (part, _) = results(&dir.join("o"));
    assert_eq!(part["methods"].as_array().unwrap().last().unwrap()["status"], "stopped");
    assert!(dir.join("o/report.html").exists());
    let kept = iterates(&dir.join("o"));
    assert!((30..7 * 26).contains(&kept.iter().sum::<usize>()), "{kept:?}");

    // From another working directory, by an absolute path.
    let out = dir.join("o");
    let elsewhere = tempfile::tempdir().unwrap();
    let output = command(elsewhere.path(), &["resume", out.to_str().unwrap()]).output().unwrap();
    assert!(output.status.code().is_some_and(|c| c < 2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(results(&out) == expected);
    // A finished run is left as it is.
    command(dir, &RESUME).output().unwrap();
    assert!(results(&out) == expected);
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let folder = folder();
    let dir = folder.path();
    let resume = || command(dir, &["resume", "o"]).output().unwrap();
    refused(&resume(), "o");
    command(dir, &RUN).output().unwrap();
    let path = dir.join("o/checkpoint.json");
    let good = std::fs::read(&path).unwrap();
    let mut damaged = vec![Vec::new(), b"{}".to_vec(), b"[1, 2".to_vec(), vec![0xff; 100]];
    damaged.extend([1, good.len() / 3, good.len() - 3].map(|n| good[..n].to_vec()));
    for at in (40..good.len() - 5).step_by(good.len() / 12) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in damaged {
        std::fs::write(&path, bytes).unwrap();
        refused(&resume(), "checkpoint.json");
    }
    let text = String::from_utf8(good.clone()).unwrap();
    std::fs::write(&path, text.replacen("\"format\":1", "\"format\":2", 1)).unwrap();
    refused(&resume(), "format 2");

    std::fs::write(&path, &good).unwrap();
    let points = std::fs::read_to_string(dir.join("points.csv")).unwrap();
    std::fs::write(dir.join("points.csv"), format!("{points}1.0,1.0\n")).unwrap();
    refused(&resume(), "data have changed");
    std::fs::remove_file(dir.join("points.csv")).unwrap();
    refused(&resume(), "points.csv");
}

#[test]
fn a_full_disk_is_told() {
    let folder = folder();
    let dir = folder.path();
    // A limit on the size of files stands for a full disk: writing fails in the same place.
    let script = "trap '' XFSZ; ulimit -f $1; shift; exec \"$@\"";
    let mut places = Vec::new();
    for blocks in [1, 2, 4, 8, 16, 32] {
        let output = Command::new("sh")
            .args(["-c", script, "sh", &blocks.to_string(), env!("CARGO_BIN_EXE_wngd")])
            .args(RUN)
            .arg("--quiet")
            .current_dir(dir)
            .output()
            .unwrap();
        refused(&output, "cannot write");
        places.push(String::from_utf8_lossy(&output.stderr).into_owned());
        let left = std::fs::read_dir(dir.join("o")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        assert!(left.into_iter().all(|name| !name.starts_with('.')), "a temporary file is left");
    }
    assert!(places.iter().any(|text| text.contains("checkpoint.json")), "{places:?}");
    // With room again the run goes on from what was written last.
    assert!(command(dir, &RESUME).output().unwrap().status.code().is_some_and(|c| c < 2));
}
