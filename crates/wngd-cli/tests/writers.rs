//! A folder has one writer, output that is gone ends nothing, and names never reach a terminal raw.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{code, stderr, wngd};

fn start(folder: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wngd"));
    command.current_dir(folder).args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A map of basins that takes a while.
const LONG: [&str; 7] = ["basin", "mixture-weight", "--counts", "40,40", "--out", "o", "--quiet"];

fn wait_for(path: &Path) {
    let clock = Instant::now();
    while !path.exists() {
        assert!(clock.elapsed() < Duration::from_secs(60), "no {}", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn two_commands_do_not_write_into_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut first = start(dir, &LONG);
    wait_for(&dir.join("o/checkpoint.wngd"));
    let holder = format!("process {}", first.id());
    for other in [&["run", "mixture-mu1", "--out", "o", "--no-figures"][..], &["resume", "o"], &LONG] {
        let output = wngd(dir, other);
        assert_eq!(code(&output), 2, "{other:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(&holder), "{other:?}: {}", stderr(&output));
    }
    // A kill releases it, and what was half written then goes.
    first.kill().unwrap();
    first.wait().unwrap();
    std::fs::write(dir.join(format!("o/.wngd-{}-result.json", first.id())), "half").unwrap();
    let output = wngd(dir, &["run", "mixture-mu1", "--out", "o", "--no-figures", "--quiet", "--restart"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let hidden = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
    assert_eq!(std::fs::read_dir(dir.join("o")).unwrap().flatten().filter(hidden).count(), 0);
}

#[test]
fn pairs_of_writers_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let args = ["basin", "mixture-weight", "--counts", "2,3", "--out", "o", "--quiet"];
    let expected = {
        assert_eq!(code(&wngd(dir, &args)), 0);
        std::fs::read(dir.join("o/basin.json")).unwrap()
    };
    for round in 0..4 {
        std::fs::remove_dir_all(dir.join("o")).unwrap();
        let mut first = start(dir, &args);
        wait_for(&dir.join("o/checkpoint.wngd"));
        std::thread::sleep(Duration::from_millis(7 * round));
        first.kill().unwrap();
        first.wait().unwrap();
        if dir.join("o/checkpoint.wngd").exists() {
            let mut pair = [start(dir, &["resume", "o", "--quiet"]), start(dir, &["resume", "o", "--quiet"])];
            let codes = pair.each_mut().map(|child| child.wait().unwrap().code().unwrap());
            // The other one was refused, or came when all was done.
            assert!(codes.contains(&0) && codes.iter().all(|c| [0, 2].contains(c)), "{codes:?}");
        }
        assert!(std::fs::read(dir.join("o/basin.json")).unwrap() == expected, "round {round}");
    }
}

#[test]
fn results_of_two_experiments_do_not_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = |name: &str| assert_eq!(code(&wngd(dir, &["run", name, "--out", "o", "--quiet"])), 0);
    run("mixture-mu1");
    std::fs::write(dir.join("o/notes.txt"), "mine").unwrap();
    run("mixture-weight");
    let both: Vec<String> =
        std::fs::read_dir(dir.join("o")).unwrap().flatten().map(|e| e.file_name().to_string_lossy().into()).collect();
    let apart = tempfile::tempdir().unwrap();
    assert_eq!(code(&wngd(apart.path(), &["run", "mixture-weight", "--out", "o", "--quiet"])), 0);
    let alone = std::fs::read_dir(apart.path().join("o")).unwrap().count();
    assert!(both.contains(&"notes.txt".to_string()) && both.len() == alone + 1, "{both:?}");
    // A density, which leaves no record, goes and makes others go.
    let there = |name: &str| dir.join("o").join(name).exists();
    let density = ["density", "--system", "van-der-pol", "--cells", "12", "--out", "o", "--quiet"];
    assert_eq!(code(&wngd(dir, &density)), 0);
    assert!(there("density.json") && there("notes.txt") && !there("run.json") && !there("result.json"));
    run("mixture-weight");
    assert!(there("run.json") && !there("density.json") && !there("density.npy") && !there("density.svg"));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_is_gone_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let command = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wngd"));
        command.current_dir(dir).args(args);
        command
    };
    for (args, expected) in
        [(&["run", "mixture-mu1", "--out", "a", "--no-figures"][..], 0), (&["run", "none.toml"], 2), (&["nonsense"], 2)]
    {
        let status = command(args).stdout(Stdio::null()).stderr(full()).status().unwrap();
        assert_eq!(status.code(), Some(expected), "{args:?}");
    }
    let status = command(&["list"]).stdout(full()).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(2));
    // A reader that has gone.
    for args in [&["list"][..], &["systems"], &["run", "mixture-mu1", "--out", "b", "--no-figures"], &["--help"]] {
        let mut child = command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[cfg(unix)]
#[test]
fn names_and_texts_never_reach_a_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let evil = "e\u{1b}]0;title\u{7}\u{202e}\u{9b}31m";
    let rows: String = (0..60).map(|i| format!("{i},{}\n", (i * 7) % 13)).collect();
    std::fs::write(dir.join(format!("{evil}.csv")), format!("{evil}a,b\n{rows}")).unwrap();
    let file = format!("{evil}.csv");
    let experiment = format!(
        "name = {evil:?}\n[model]\nkind = \"gaussian-mixture\"\nweights = [1.0]\nmeans = [[30.0, 6.0]]\n[grid]\nlower = [-1.0, -1.0]\nupper = [61.0, 14.0]\ncells = [12, 12]\n[data]\nsamples = {file:?}\n"
    )
    .replace("\\u{1b}", "\\u001b")
    .replace("\\u{7}", "\\u0007")
    .replace("\\u{202e}", "\\u202e")
    .replace("\\u{9b}", "\\u009b");
    std::fs::write(dir.join("evil.toml"), &experiment).unwrap();
    std::fs::write(
        dir.join("bad.toml"),
        experiment.replace("kind = \"", &format!("\"{}\" = 1\nkind = \"", "\\u001b[2J")),
    )
    .unwrap();
    std::fs::write(dir.join("system.toml"), "variables = [\"x\\u001b[2J\"]\n[equations]\nx = \"-x\"\n").unwrap();
    let commands: [&[&str]; 18] = [
        &["fit", &file, "--out", "o1"],
        &["fit", &file, "--columns", "zzz", "--out", "o2"],
        &["fit", &file, "--columns", evil, "--out", "o2"],
        &["fit", evil, "--out", "o3"],
        &["run", "evil.toml", "--out", "o4"],
        &["run", "bad.toml", "--out", "o5"],
        &["check", "evil.toml"],
        &["inspect", "evil.toml"],
        &["run", evil, "--out", "o6"],
        &["report", evil],
        &["resume", evil],
        &["identify", "--system", "system.toml", "--trajectory", &file, "--out", "o7"],
        &["identify", "--system", evil, "--trajectory", &file, "--out", "o8"],
        &["init", "--from", &file, "--out", "mine.toml"],
        // What is wrong with arguments quotes them, too.
        &[evil],
        &["completions", evil],
        &["run", "mixture-mu1", "--threads", evil],
        &["density", "--system", "van-der-pol", "--discretisation", evil, "--out", "o9"],
    ];
    for args in commands {
        let output = wngd(dir, args);
        assert!([0, 1, 2].contains(&code(&output)), "{args:?}: {}", stderr(&output));
        let acts = |c: &char| (c.is_control() && *c != '\n' && *c != '\t') || ('\u{202a}'..='\u{202e}').contains(c);
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text);
            assert!(!text.chars().any(|c| acts(&c)), "{args:?}: {text:?}");
        }
    }
}

#[test]
fn threads_are_a_number_that_machines_have() {
    let folder = tempfile::tempdir().unwrap();
    for threads in ["0", "1025", "9223372036854775808", "18446744073709551616", "1e3"] {
        let output = wngd(folder.path(), &["list", "--threads", threads]);
        assert_eq!(code(&output), 2, "{threads}");
        assert!(stderr(&output).contains("--threads"), "{threads}: {}", stderr(&output));
    }
}

#[test]
fn lattices_have_starts_that_differ_and_squares_that_are_numbers() {
    let folder = tempfile::tempdir().unwrap();
    for (lower, upper) in [("0,0", "1e308,1e308"), ("0,0", "1e-320,1e-320"), ("1,1", "1.0000000000000002,2")] {
        let args = ["basin", "mixture-mu1", "--lower", lower, "--upper", upper, "--counts", "2,2", "--out", "o"];
        let output = wngd(folder.path(), &args);
        assert_eq!(code(&output), 2, "{upper}: {}", stderr(&output));
        assert!(stderr(&output).contains("--upper"), "{upper}: {}", stderr(&output));
        assert!(!folder.path().join("o").exists());
    }
}
