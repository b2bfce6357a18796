//! Commands that are interrupted and go on.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod results;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use results::results;

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

/// An identification as an experiment.
const FLOW: &str = r#"name = "vdp"
[grid]
cells = 24
[model]
kind = "stationary-density"
system = "van-der-pol"
theta = [1.0]
[data]
trajectory = "v.csv"
[identify]
estimators = ["density"]
replicates = 3
"#;

/// Commands that can be interrupted, without `--out`. Syncs are left out, on which a kill does not depend.
const RUN: &[&str] = &["run", "e.toml", "--no-figures", "--checkpoint", "1000"];
const BASIN: &[&str] = &["basin", "e.toml", "--counts", "3,2", "--checkpoint", "1000"];
const SKETCH: &[&str] = &["sketch", "e.toml", "--seeds", "5", "--probes", "8,32", "--checkpoint", "1000"];
#[rustfmt::skip]
const IDENTIFY: &[&str] = &[
    "identify", "--system", "van-der-pol", "--trajectory", "v.csv", "--start", "1", "--cells", "24",
    "--estimator", "density", "--replicates", "3", "--no-figures", "--checkpoint", "1000",
];
const RUN_IDENTIFY: &[&str] = &["run", "flow.toml", "--no-figures", "--checkpoint", "1000"];
const ALL: [&[&str]; 5] = [RUN, BASIN, SKETCH, IDENTIFY, RUN_IDENTIFY];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::write(dir.join("e.toml"), EXPERIMENT).unwrap();
    std::fs::write(dir.join("flow.toml"), FLOW).unwrap();
    let rows: String = (0..300)
        .map(|i| {
            let t = f64::from(i);
            format!("{},{}\n", 1.5 + 1.2 * (1.7 * t).sin(), 1.4 + 1.1 * (0.9 * t).cos())
        })
        .collect();
    std::fs::write(dir.join("points.csv"), format!("x,y\n{rows}")).unwrap();
    let simulate = ["simulate", "--system", "van-der-pol", "--theta", "1.3", "--dt", "0.1", "--points", "8000"];
    let output = command(dir, &[&simulate[..], &["--out", "v.csv"]].concat()).output().unwrap();
    assert!(output.status.success());
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wngd"));
    command.args(args).args(["--quiet", "--threads", "1"]).current_dir(folder);
    command
}

/// Starts a command that puts its results into `o`.
fn start(folder: &Path, args: &[&str]) -> Child {
    command(folder, args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// A command that puts its results into `o`, or goes on there.
fn into_o(args: &[&'static str]) -> Vec<&'static str> {
    [args, &["--out", "o"]].concat()
}

const RESUME: [&str; 2] = ["resume", "o"];

/// Exit code and results of a command into `o`, undisturbed.
fn undisturbed(folder: &Path, args: &[&'static str]) -> (Option<i32>, Results) {
    finished(folder, &command(folder, &into_o(args)).output().unwrap())
}

type Results = std::collections::BTreeMap<String, Vec<u8>>;

fn finished(folder: &Path, output: &Output) -> (Option<i32>, Results) {
    assert!(output.status.code().is_some_and(|c| c < 2), "{}", stderr(output));
    assert!(!folder.join("o/checkpoint.wngd").exists(), "a finished command keeps no checkpoint");
    (output.status.code(), results(&folder.join("o")))
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(output: &Output, part: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", stderr(output));
    assert!(stderr(output).contains(part), "{part}: {}", stderr(output));
}

/// Whole lines of a kind in the checkpoint; none if there is none.
fn units(folder: &Path, kind: &str) -> usize {
    let bytes = std::fs::read(folder.join("o/checkpoint.wngd")).unwrap_or_default();
    let whole = bytes.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    let text = String::from_utf8(bytes[..whole].to_vec()).unwrap();
    text.lines().filter(|line| line.split(' ').nth(3).is_some_and(|k| kind.is_empty() || k == kind)).count()
}

/// Waits until that many units are kept.
fn wait_for(folder: &Path, child: &mut Child, count: usize) {
    let clock = Instant::now();
    while units(folder, "") < count {
        assert!(child.try_wait().unwrap().is_none(), "it ended before {count} units were kept");
        assert!(clock.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Kills a command at random moments, each time resuming (every second time killed once more) and comparing;
/// returns how many kills met a process that was still at work, and how many left a part of the work.
fn kill_at_random(args: &[&'static str], times: usize, mut seed: u64) -> (usize, usize) {
    let folder = folder();
    let dir = folder.path();
    let clock = Instant::now();
    let expected = undisturbed(dir, args);
    let mut whole = clock.elapsed().as_secs_f64();
    let mut share = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / (1u64 << 31) as f64
    };
    let (mut met, mut partial) = (0, 0);
    let mut kill = |args: &[&str], share: f64| {
        let mut child = start(dir, args);
        std::thread::sleep(Duration::from_secs_f64(share * whole));
        match child.try_wait().unwrap() {
            None => met += 1,
            // The machine has become faster than it was for the undisturbed one.
            Some(_) => whole *= 0.7,
        }
        // SIGKILL: the process cannot do anything about it.
        let _ = child.kill();
        child.wait().unwrap();
    };
    for n in 0..times {
        std::fs::remove_dir_all(dir.join("o")).unwrap();
        kill(&into_o(args), share());
        let kept = units(dir, "");
        partial += usize::from(kept > 1);
        if kept > 0 && n % 2 == 0 {
            kill(&RESUME, share());
            let after = units(dir, "");
            assert!(after >= kept || !dir.join("o/checkpoint.wngd").exists(), "{kept} units became {after}");
        }
        let output = if dir.join("o/checkpoint.wngd").exists() {
            command(dir, &RESUME).output().unwrap()
        } else {
            // Killed before anything was begun, or after the end: there was nothing to lose.
            refused(&command(dir, &RESUME).output().unwrap(), "checkpoint.wngd");
            command(dir, &into_o(args)).output().unwrap()
        };
        assert!(finished(dir, &output) == expected, "{args:?}, kill {n}: other bits after resuming");
    }
    (met, partial)
}

#[test]
fn killed_runs_go_on_with_the_same_bits() {
    let (met, partial) = kill_at_random(RUN, 10, 1);
    assert!(met >= 5 && partial >= 3, "{met} kills met a process at work, {partial} left a part of the run");
}

/// Every figure of `o`, by name.
fn figures(folder: &Path) -> Results {
    let entries = std::fs::read_dir(folder.join("o")).unwrap().map(|e| e.unwrap().path());
    let drawn = entries.filter(|p| p.extension().is_some_and(|e| e == "svg" || e == "png"));
    drawn.map(|p| (p.file_name().unwrap().to_str().unwrap().to_string(), std::fs::read(&p).unwrap())).collect()
}

#[test]
fn figures_of_resumed_and_repeated_runs_are_the_same_bytes() {
    let folder = folder();
    let dir = folder.path();
    let run: [&'static str; 4] = ["run", "e.toml", "--checkpoint", "1000"];
    undisturbed(dir, &run);
    let expected = figures(dir);
    for stem in ["landscape", "convergence", "samples", "residuals", "paths", "quadratic-models", "density-w2"] {
        assert!(
            expected.contains_key(&format!("{stem}.svg")) && expected.contains_key(&format!("{stem}.png")),
            "{stem}"
        );
    }
    let same = |what: &str| {
        let found = figures(dir);
        assert!(expected.keys().eq(found.keys()), "{what}: {:?}", found.keys());
        for (name, bytes) in &expected {
            assert!(found[name] == *bytes, "{what}: {name} differs");
        }
    };
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    undisturbed(dir, &run);
    same("repeated");
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let mut child = start(dir, &into_o(&run));
    wait_for(dir, &mut child, 30);
    child.kill().unwrap();
    child.wait().unwrap();
    finished(dir, &command(dir, &RESUME).output().unwrap());
    same("resumed");
}

#[test]
fn killed_maps_go_on_with_the_same_bits() {
    assert!(kill_at_random(BASIN, 5, 3).1 >= 1);
}

#[test]
fn killed_comparisons_go_on_with_the_same_bits() {
    assert!(kill_at_random(SKETCH, 5, 4).1 >= 1);
}

#[test]
fn killed_identifications_go_on_with_the_same_bits() {
    assert!(kill_at_random(IDENTIFY, 5, 5).1 >= 1);
    assert!(kill_at_random(RUN_IDENTIFY, 2, 6).0 >= 1);
}

#[test]
#[ignore = "takes minutes"]
fn fifty_kills_are_survived() {
    for (args, times) in ALL.into_iter().zip([50, 20, 20, 20, 5]) {
        let (met, partial) = kill_at_random(args, times, 2);
        eprintln!("{}: killed {times} times, {met} kills of a process at work, {partial} left a part", args[0]);
    }
}

#[test]
fn an_interrupt_keeps_everything_and_can_be_resumed_from_elsewhere() {
    for args in ALL {
        let folder = folder();
        let dir = folder.path();
        let expected = undisturbed(dir, args);
        std::fs::remove_dir_all(dir.join("o")).unwrap();
        let mut child = start(dir, &into_o(args));
        wait_for(dir, &mut child, 4);
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("wngd resume o"), "{}", stderr(&output));
        let kept = units(dir, "");
        assert!(kept >= 4);
        if args == RUN {
            // Every iterate of the results is kept, though nothing was synced since the start.
            let rows: usize = results(&dir.join("o"))
                .iter()
                .filter(|(name, _)| name.starts_with("trace-"))
                .map(|(_, text)| text.iter().filter(|b| **b == b'\n').count())
                .sum();
            assert_eq!(units(dir, "iterate"), rows);
            assert!(dir.join("o/report.html").exists());
        }
        // The same command does not overwrite it.
        refused(&command(dir, &into_o(args)).output().unwrap(), "`wngd resume o`, or give --restart");
        assert_eq!(units(dir, ""), kept);

        // From another working directory, by an absolute path; what the experiment said is kept, too.
        for name in ["e.toml", "flow.toml"] {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let out = dir.join("o");
        let output = command(elsewhere.path(), &["resume", out.to_str().unwrap()]).output().unwrap();
        assert!(finished(dir, &output) == expected, "{args:?}");
        refused(&command(dir, &RESUME).output().unwrap(), "is finished");
    }
}

#[test]
fn an_unfinished_folder_can_be_used_anew() {
    let folder = folder();
    let dir = folder.path();
    let expected = undisturbed(dir, RUN);
    // A finished one is no obstacle.
    assert!(undisturbed(dir, RUN) == expected);
    let mut child = start(dir, &into_o(RUN));
    wait_for(dir, &mut child, 4);
    child.kill().unwrap();
    child.wait().unwrap();
    let output = command(dir, &[&into_o(RUN)[..], &["--restart"]].concat()).output().unwrap();
    assert!(finished(dir, &output) == expected);
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let folder = folder();
    let dir = folder.path();
    let resume = || command(dir, &RESUME).output().unwrap();
    refused(&resume(), "checkpoint.wngd");
    let expected = undisturbed(dir, RUN);
    // Synced at every iterate, so that all but the last are known to be on the disk.
    let synced: Vec<&str> = into_o(RUN).into_iter().map(|arg| if arg == "1000" { "0" } else { arg }).collect();
    let mut child = start(dir, &synced);
    wait_for(dir, &mut child, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let path = dir.join("o/checkpoint.wngd");
    let good = std::fs::read(&path).unwrap();
    let mut damaged = vec![Vec::new(), b"{}".to_vec(), b"[1, 2".to_vec(), vec![0xff; 100], good[..10].to_vec()];
    for at in (0..good.len() * 3 / 4).step_by(good.len() / 12) {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        damaged.push(bytes);
    }
    for bytes in damaged {
        std::fs::write(&path, &bytes).unwrap();
        refused(&resume(), "checkpoint.wngd");
        // It is left as it is.
        assert!(std::fs::read(&path).unwrap() == bytes);
    }
    let text = String::from_utf8(good.clone()).unwrap();
    std::fs::write(&path, text.replacen("format 2", "format 3", 1)).unwrap();
    refused(&resume(), "format 3");

    std::fs::write(&path, &good).unwrap();
    let points = std::fs::read_to_string(dir.join("points.csv")).unwrap();
    std::fs::write(dir.join("points.csv"), format!("{points}1.0,1.0\n")).unwrap();
    refused(&resume(), "data have changed");
    std::fs::remove_file(dir.join("points.csv")).unwrap();
    refused(&resume(), "points.csv");
    // What a refusal leaves can still be resumed, with a torn end as well.
    std::fs::write(dir.join("points.csv"), points).unwrap();
    std::fs::write(&path, &good[..good.len() - 200]).unwrap();
    assert!(finished(dir, &resume()) == expected);
}

#[test]
fn what_is_whole_before_damage_can_be_gone_on_with() {
    let folder = folder();
    let dir = folder.path();
    let expected = undisturbed(dir, RUN);
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let synced: Vec<&str> = into_o(RUN).into_iter().map(|arg| if arg == "1000" { "0" } else { arg }).collect();
    let mut child = start(dir, &synced);
    wait_for(dir, &mut child, 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let path = dir.join("o/checkpoint.wngd");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let output = command(dir, &RESUME).output().unwrap();
    refused(&output, "are whole: go on with what is whole by --salvage");
    let salvage: Vec<&str> = RESUME.iter().copied().chain(["--salvage"]).collect();
    let output = command(dir, &salvage).output().unwrap();
    assert!(finished(dir, &output) == expected);
    assert!(std::fs::read(dir.join("o/checkpoint.wngd.damaged")).unwrap() == bytes);
}

#[test]
fn an_identification_of_changed_data_is_refused() {
    let folder = folder();
    let dir = folder.path();
    let mut child = start(dir, &into_o(IDENTIFY));
    wait_for(dir, &mut child, 3);
    child.kill().unwrap();
    child.wait().unwrap();
    let text = std::fs::read_to_string(dir.join("v.csv")).unwrap();
    let shorter: Vec<&str> = text.lines().take(7000).collect();
    std::fs::write(dir.join("v.csv"), shorter.join("\n")).unwrap();
    refused(&command(dir, &RESUME).output().unwrap(), "data have changed");
}

#[test]
fn a_full_disk_is_told() {
    // A limit on the size of files stands for a full disk: writing fails in the same place.
    let script = "trap '' XFSZ; ulimit -f $1; shift; exec \"$@\"";
    for args in ALL {
        let folder = folder();
        let dir = folder.path();
        let expected = undisturbed(dir, args);
        // The page comes last and lacks room for its end.
        let page = std::fs::metadata(dir.join("o/report.html")).unwrap().len() / 512 - 1;
        let mut places = String::new();
        for blocks in [0, 8, page] {
            std::fs::remove_dir_all(dir.join("o")).unwrap();
            let output = Command::new("sh")
                .args(["-c", script, "sh", &blocks.to_string(), env!("CARGO_BIN_EXE_wngd")])
                .args(into_o(args))
                .arg("--quiet")
                .current_dir(dir)
                .output()
                .unwrap();
            refused(&output, "cannot write");
            places.push_str(&stderr(&output));
            for entry in std::fs::read_dir(dir.join("o")).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                assert!(!name.starts_with('.'), "a temporary file is left");
                // Files are whole or not there.
                if name.ends_with(".json") {
                    let text = std::fs::read(dir.join("o").join(&name)).unwrap();
                    serde_json::from_slice::<serde_json::Value>(&text).unwrap();
                }
            }
        }
        assert!(places.contains("cannot write o/checkpoint.wngd"), "{places}");
        // With room again the command goes on from what was kept last.
        assert!(finished(dir, &command(dir, &RESUME).output().unwrap()) == expected);
    }
}
