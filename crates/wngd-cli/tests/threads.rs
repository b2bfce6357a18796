//! Results do not depend on the number of threads.
#![allow(clippy::unwrap_used)]

mod results;

use std::path::Path;
use std::process::{Command, Output};

use results::results;

fn wngd(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(folder).output().unwrap();
    // Few iterations may end without convergence.
    assert!(output.status.code().is_some_and(|c| c < 2), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Compares what a command leaves with 1, 2 and 8 threads.
fn compare(folder: &Path, args: &[&str]) {
    let [one, two, eight] = ["1", "2", "8"].map(|threads| {
        wngd(folder, &[args, &["--threads", threads, "--out", threads, "--quiet"]].concat());
        let found = results(&folder.join(threads));
        std::fs::remove_dir_all(folder.join(threads)).unwrap();
        found
    });
    for (threads, found) in [(2, two), (8, eight)] {
        assert_eq!(found.keys().collect::<Vec<_>>(), one.keys().collect::<Vec<_>>());
        for (name, content) in found {
            assert!(content == one[&name], "{args:?}: {name} differs between 1 and {threads} threads");
        }
    }
}

#[test]
fn built_in_experiments_have_the_same_bits_on_1_2_and_8_threads() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let list = String::from_utf8(wngd(dir, &["list"]).stdout).unwrap();
    let names: Vec<&str> = list
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|l| l.split_whitespace().next().unwrap())
        .collect();
    assert!(names.len() >= 6 && names.contains(&"lorenz"), "{names:?}");
    for name in names {
        wngd(dir, &["init", name, "--out", "e.toml"]);
        let text = std::fs::read_to_string(dir.join("e.toml")).unwrap();
        // Enough iterations for line searches and sketches to have their say; lines that limit others go.
        let lines = text.lines().map(|line| if line.starts_with("iterations = ") { "iterations = 3" } else { line });
        let short = lines.collect::<Vec<_>>().join("\n");
        assert_ne!(short, text);
        std::fs::write(dir.join("e.toml"), short).unwrap();
        compare(dir, &["run", "e.toml", "--no-figures"]);
        std::fs::remove_file(dir.join("e.toml")).unwrap();
    }
}

#[test]
fn maps_and_estimators_have_the_same_bits_on_1_2_and_8_threads() {
    let folder = tempfile::tempdir().unwrap();
    compare(folder.path(), &["basin", "mixture-mu1", "--counts", "3,2"]);
    compare(folder.path(), &["sketch", "mixture-full", "--seeds", "3", "--probes", "4,8"]);
}

#[test]
fn identification_has_the_same_bits_on_1_2_and_8_threads() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = ["simulate", "--system", "van-der-pol", "--theta", "1.3", "--dt", "0.1", "--points", "8000"];
    wngd(folder.path(), &[&simulate[..], &["--out", "v.csv"]].concat());
    let identify = ["identify", "--system", "van-der-pol", "--trajectory", "v.csv", "--start", "1"];
    let density = ["--estimator", "density", "--cells", "24", "--replicates", "3", "--no-figures"];
    compare(folder.path(), &[&identify[..], &density[..]].concat());
    compare(folder.path(), &[&identify[..], &["--no-figures"]].concat());
}
