//! Simulation and identification as scripts and people meet them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn wngd(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(folder).output().unwrap()
}

fn good(output: Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refused(folder: &Path, args: &[&str], text: &str) {
    let output = wngd(folder, args);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(errors.contains(text), "{errors}");
}

#[test]
fn systems_are_listed_with_their_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let text = good(wngd(folder.path(), &["systems"]));
    assert!(text.contains("lorenz63") && text.contains("rayleigh = 28") && text.contains("van-der-pol"), "{text}");
}

#[test]
fn trajectories_are_written_in_both_formats_alike() {
    let folder = tempfile::tempdir().unwrap();
    let simulate = |out: &str, seed: &str| {
        let args = ["simulate", "--system", "lorenz63", "--points", "2000", "--seed", seed, "--out", out];
        good(wngd(folder.path(), &args))
    };
    simulate("a.csv", "3");
    simulate("b.csv", "3");
    simulate("c.csv", "4");
    simulate("a.npy", "3");
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
    assert_ne!(read("a.csv"), read("c.csv"));
    let text = String::from_utf8(read("a.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("t,x,y,z"));
    assert_eq!(lines.count(), 2000);
    let last: Vec<f64> = text.lines().last().unwrap().split(',').map(|v| v.parse().unwrap()).collect();
    let bytes = read("a.npy");
    let tail: Vec<f64> =
        bytes[bytes.len() - 24..].chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(tail, last[1..]);
    assert!((last[0] - 100.0).abs() < 1e-9);
}

#[test]
fn bad_input_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    refused(dir, &["simulate", "--system", "lorenz", "--out", "a.csv"], "lorenz63");
    refused(dir, &["simulate", "--system", "lorenz63", "--out", "a.txt"], ".csv or .npy");
    refused(dir, &["simulate", "--system", "lorenz63", "--theta", "1,2", "--out", "a.csv"], "rayleigh");
    refused(dir, &["simulate", "--system", "lorenz63", "--theta", "-10,28,-3", "--out", "a.csv"], "attractor");
    assert!(!dir.join("a.csv").exists());
    std::fs::write(dir.join("short.csv"), "x,y,z\n1,2,3\n2,3,4\n").unwrap();
    let identify = ["identify", "--system", "lorenz63", "--trajectory", "short.csv", "--out", "o"];
    refused(dir, &identify, "at least 1000");
    refused(dir, &[&identify[..], &["--start", "1,2"]].concat(), "sigma, rayleigh, beta");
    refused(dir, &[&identify[..], &["--columns", "x,y,w"]].concat(), "no column \"w\"");
}

#[test]
fn van_der_pol_is_identified_from_its_trajectory() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let simulate =
        ["simulate", "--system", "van-der-pol", "--theta", "1.3", "--points", "30000", "--dt", "0.1", "--out", "v.csv"];
    good(wngd(dir, &simulate));
    let identify = [
        "identify",
        "--system",
        "van-der-pol",
        "--trajectory",
        "v.csv",
        "--start",
        "1.0",
        "--cells",
        "32",
        "--replicates",
        "2",
        "--out",
        "o",
        "--quiet",
    ];
    assert_eq!(good(wngd(dir, &identify)), "");
    let result: Value = serde_json::from_slice(&std::fs::read(dir.join("o/result.json")).unwrap()).unwrap();
    let method = &result["methods"][0];
    let mu = method["theta"][0].as_f64().unwrap();
    assert!((mu / 1.3 - 1.0).abs() < 0.01, "mu = {mu}");
    assert_eq!(method["status"], "converged");
    let identification = &result["identification"];
    assert!((identification["dt"].as_f64().unwrap() - 0.1).abs() < 1e-9);
    assert!(!identification["corrections"].as_array().unwrap().is_empty());
    assert!(identification["identifiability"]["eigenvalues"][0].as_f64().unwrap() > 0.0);
    for file in [method["trace"].as_str().unwrap(), method["density"].as_str().unwrap(), "convergence.svg"] {
        assert!(dir.join("o").join(file).exists(), "{file}");
    }
    // The same bits on one thread.
    let single = [&["--threads", "1"][..], &identify[..], &["--no-figures"]].concat();
    let single: Vec<&str> = single.into_iter().map(|a| if a == "o" { "single" } else { a }).collect();
    good(wngd(dir, &single));
    let again: Value = serde_json::from_slice(&std::fs::read(dir.join("single/result.json")).unwrap()).unwrap();
    assert_eq!(again["methods"][0]["theta"], method["theta"]);
}

#[test]
fn lorenz_is_identified_within_its_standard_errors() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    good(wngd(dir, &["simulate", "--system", "lorenz63", "--seed", "5", "--out", "l.csv", "--quiet"]));
    let identify =
        ["identify", "--system", "lorenz63", "--trajectory", "l.csv", "--start", "9,26,2.4", "--cells", "14"];
    good(wngd(dir, &[&identify[..], &["--out", "o", "--no-figures", "--quiet"]].concat()));
    let result: Value = serde_json::from_slice(&std::fs::read(dir.join("o/result.json")).unwrap()).unwrap();
    let method = &result["methods"][0];
    for (j, truth) in [10.0, 28.0, 8.0 / 3.0].into_iter().enumerate() {
        let (found, error) = (method["theta"][j].as_f64().unwrap(), method["standard_errors"][j].as_f64().unwrap());
        assert!((found / truth - 1.0).abs() < 0.02, "{found} for {truth}");
        assert!((found - truth).abs() < 4.0 * error, "{found} ± {error} for {truth}");
        // The grid's bias was there, and is gone.
        let raw = result["identification"]["raw"][j].as_f64().unwrap();
        assert!((found - truth).abs() < (raw - truth).abs(), "{raw} became {found}");
    }
}
