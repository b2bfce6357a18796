//! Work that is shared by several processes makes the same bits as that of one.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{code, stderr, wngd};

const BASIN: [&str; 6] = ["basin", "mixture-mu1", "--counts", "4,3", "--out", "o"];
const SKETCH: [&str; 8] = ["sketch", "mixture-mu1", "--seeds", "2", "--probes", "8,16", "--out", "o"];
const TOYS: [&str; 6] = ["toys", "peak", "--count", "40", "--out", "o"];
const PROFILE: [&str; 4] = ["profile", "waiting.toml", "--out", "o"];
const IDENTIFY: [&str; 13] = [
    "identify",
    "--system",
    "lorenz63",
    "--trajectory",
    "points.csv",
    "--start",
    "9.5,27,2.6",
    "--estimator",
    "weak-stationary,weak-in-time,smoother,simulated-moments",
    "--noise",
    "0.2,0.2,0.2",
    "--out",
    "o",
];
/// What makes its points.
const POINTS: [&str; 9] =
    ["simulate", "--system", "lorenz63", "--points", "1200", "--noise", "0.2,0.2,0.2", "--out", "points.csv"];

/// Its points, and waiting times of Old Faithful in bins of 2 minutes for the profile.
fn data(folder: &Path) {
    let counts = [0, 1, 3, 9, 8, 11, 12, 15, 7, 11, 6, 7, 7, 3, 3, 9, 8, 14, 21, 25, 21, 26, 16, 8, 9, 7, 3, 1, 1, 0];
    let rows = counts.iter().enumerate().map(|(i, n)| format!("{},{},{n}\n", 40 + 2 * i, 42 + 2 * i));
    std::fs::write(folder.join("h.csv"), format!("left,right,n\n{}", rows.collect::<String>())).unwrap();
    let text = "name = \"waiting\"\n[model]\nkind = \"gaussian-mixture\"\nweights = [0.4, 0.6]\n\
                means = [[54.0], [80.0]]\ncovariance = { isotropic = [30.0, 30.0] }\n\
                free = [\"weights\", \"means[0]\"]\n[data]\nhistogram = \"h.csv\"\n";
    std::fs::write(folder.join("waiting.toml"), text).unwrap();
    assert_eq!(code(&wngd(folder, &POINTS)), 0);
}

/// The result of a command, without what tells of time.
fn result(folder: &Path, name: &str) -> serde_json::Value {
    fn timeless(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(fields) => {
                fields.remove("seconds");
                fields.values_mut().for_each(timeless);
            }
            serde_json::Value::Array(values) => values.iter_mut().for_each(timeless),
            _ => {}
        }
    }
    let text = std::fs::read_to_string(folder.join("o").join(name)).unwrap();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    timeless(&mut value);
    value
}

/// Exit codes: an identification whose model does not fit ends with 1.
fn ended(output: &std::process::Output) {
    assert!(code(output) < 2, "{}", stderr(output));
}

fn shard(folder: &Path, command: &[&str], of: &str) {
    let output = wngd(folder, &[command, &["--quiet", "--shard", of]].concat());
    assert_eq!(code(&output), 0, "{of}: {}", stderr(&output));
}

fn refused(folder: &Path, args: &[&str], words: &[&str]) {
    let output = wngd(folder, args);
    assert_eq!(code(&output), 2, "{args:?}: {}", stderr(&output));
    words.iter().for_each(|word| assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output)));
}

#[test]
fn any_number_of_shards_in_any_order_makes_the_same_bits() {
    let commands = [
        (&BASIN[..], "basin.json"),
        (&TOYS, "toys.json"),
        (&SKETCH, "sketch.json"),
        (&PROFILE, "profile.json"),
        (&IDENTIFY, "result.json"),
    ];
    for (command, file) in commands {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        data(dir);
        ended(&wngd(dir, &[command, &["--quiet"]].concat()));
        let expected = result(dir, file);
        let eight = ["4/8", "0/8", "7/8", "2/8", "3/8", "1/8", "6/8", "5/8"];
        for order in [&["0/1"][..], &["1/2", "0/2"], &eight] {
            std::fs::remove_dir_all(dir.join("o")).unwrap();
            for of in order {
                shard(dir, command, of);
            }
            ended(&wngd(dir, &["merge", "o", "--quiet"]));
            assert_eq!(result(dir, file), expected, "{order:?}");
            refused(dir, &["merge", "o"], &["no shards to merge"]);
            let mut left: Vec<String> = std::fs::read_dir(dir.join("o"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .filter(|name| name.ends_with(".wngd") || name.starts_with('.'))
                .collect();
            left.sort();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

#[test]
fn what_is_lost_unfinished_foreign_or_stale_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    refused(dir, &["merge", "o"], &["o"]);
    shard(dir, &BASIN, "0/3");
    shard(dir, &BASIN, "2/3");
    refused(dir, &["merge", "o"], &["lost: shard 1/3"]);
    // Other starts, in the same folder.
    let other = ["basin", "mixture-mu1", "--counts", "4,4", "--out", "o", "--quiet", "--shard", "1/3"];
    assert_eq!(code(&wngd(dir, &other)), 0);
    refused(dir, &["merge", "o"], &["shard-1-of-3.wngd", "another command"]);
    refused(dir, &[&BASIN[..], &["--shard", "1/3"]].concat(), &["another command", "--restart"]);
    let again = [&BASIN[..], &["--quiet", "--shard", "1/3", "--restart"]].concat();
    assert_eq!(code(&wngd(dir, &again)), 0);
    // A part whose end is torn, and one that is damaged.
    let path = dir.join("o/shard-2-of-3.wngd");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 60]).unwrap();
    refused(dir, &["merge", "o"], &["shard-2-of-3.wngd", "unfinished", "run shard 2/3 again"]);
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    refused(dir, &["merge", "o"], &["shard-2-of-3.wngd", "run shard 2/3 again"]);
    shard(dir, &BASIN, "2/3");
    std::fs::write(dir.join("o/shard-0-of-2.wngd"), &whole).unwrap();
    refused(dir, &["merge", "o"], &["side by side"]);
    std::fs::remove_file(dir.join("o/shard-0-of-2.wngd")).unwrap();
    assert_eq!(code(&wngd(dir, &["merge", "o", "--quiet"])), 0);
    for wrong in ["3/3", "1", "-1/2", "1/0"] {
        refused(dir, &[&BASIN[..], &[&format!("--shard={wrong}")]].concat(), &["--shard"]);
    }
}

#[test]
fn estimates_and_profiles_of_shards_are_named_alike() {
    for command in [&PROFILE[..], &IDENTIFY] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        data(dir);
        shard(dir, command, "0/3");
        shard(dir, command, "2/3");
        refused(dir, &["merge", "o"], &["lost: shard 1/3"]);
        // Of other data or another level, in the same folder; and of data that have changed since.
        let other: Vec<&str> = match command[0] {
            "profile" => [command, &["--level", "4"]].concat(),
            _ => [command, &["--burn-in", "10"]].concat(),
        };
        shard(dir, &other, "1/3");
        refused(dir, &["merge", "o"], &["shard-1-of-3.wngd", "another command"]);
        refused(dir, &[command, &["--shard", "1/3"]].concat(), &["another command", "--restart"]);
        assert_eq!(code(&wngd(dir, &[command, &["--quiet", "--shard", "1/3", "--restart"]].concat())), 0);
        if command[0] == "identify" {
            let text = std::fs::read_to_string(dir.join("points.csv")).unwrap();
            let (at, _) = text.match_indices('\n').nth(500).unwrap();
            std::fs::write(dir.join("points.csv"), &text[..=at]).unwrap();
            refused(dir, &["merge", "o"], &["the data have changed"]);
            std::fs::write(dir.join("points.csv"), &text).unwrap();
        }
        ended(&wngd(dir, &["merge", "o", "--quiet"]));
        refused(dir, &["merge", "o"], &["no shards to merge"]);
    }
}

#[test]
fn what_has_nothing_to_share_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    data(dir);
    let shared = |estimators: &str, more: &[&str], words: &[&str]| {
        let command = [&IDENTIFY[..8], &[estimators, "--out", "o", "--shard", "0/2"], more].concat();
        refused(dir, &command, words);
        assert!(!dir.join("o").exists());
    };
    shared("smoother", &[], &["--shard", "smoother alone"]);
    shared("weak-stationary,shooting", &[], &["--shard", "none of the estimators"]);
    shared("smoother,simulated-moments,density", &[], &["--shard", "density"]);
    shared("smoother,simulated-moments", &["--observed", "x,y", "--columns", "x,y"], &["--shard", "none of the"]);
}

#[test]
fn killed_shards_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let long = ["basin", "mixture-weight", "--counts", "3,2", "--out", "o", "--quiet"];
    assert_eq!(code(&wngd(dir, &long)), 0);
    let expected = result(dir, "basin.json");
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let mut workers: Vec<_> = ["0/2", "1/2"]
        .iter()
        .map(|of| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_wngd"));
            command.current_dir(dir).args(long).args(["--shard", of]).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    let part = dir.join("o/shard-1-of-2.wngd");
    let clock = Instant::now();
    while std::fs::read_to_string(&part).map_or(0, |text| text.lines().count()) < 4 {
        assert!(clock.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    // While shards work nobody takes the whole folder.
    let output = wngd(dir, &["run", "mixture-mu1", "--out", "o", "--quiet"]);
    assert!(code(&output) == 2 || workers.iter_mut().all(|w| w.try_wait().unwrap().is_some()), "{}", stderr(&output));
    workers[1].kill().unwrap();
    for worker in &mut workers {
        worker.wait().unwrap();
    }
    let kept = std::fs::read_to_string(&part).unwrap().lines().count();
    if !std::fs::read_to_string(&part).unwrap().contains("end-of-shard") {
        refused(dir, &["merge", "o"], &["shard 1/2 again"]);
    }
    shard(dir, &long[..6], "1/2");
    assert!(std::fs::read_to_string(&part).unwrap().lines().count() >= kept);
    assert_eq!(code(&wngd(dir, &["merge", "o", "--quiet"])), 0);
    assert_eq!(result(dir, "basin.json"), expected);
}
