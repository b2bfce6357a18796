//! `wngd sketch` and matrix-free solvers from experiment files.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{stderr, wngd};
use serde_json::Value;

/// The Lorenz flow with 81 free hats on a coarse grid.
const HATS: &str = r#"name = "hats"
[grid]
lower = [-25.0, -30.0, 0.0]
upper = [25.0, 30.0, 50.0]
cells = [8, 8, 8]
[model]
kind = "stationary-density"
system = "lorenz63"
perturbation = { nodes = 3, scale = 10.0 }
discretisation = { kind = "scharfetter-gummel", diffusion = 10.0, restart = 0.002 }
[data]
truth = { theta = [11.0, 27.0, 2.9] }
[[method]]
metric = "l2"
solver = "auto"
damping = 1e-3
step = { rule = "armijo", initial = 1.0 }
[[method]]
metric = "wasserstein"
solver = "krylov"
step = { rule = "armijo" }
[stop]
iterations = 3
"#;

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("hats.toml");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn many_parameters_descend_without_a_jacobian_and_say_how() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), HATS);
    let output = wngd(folder.path(), &["run", &file, "--out", "r", "--no-figures"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let result: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("r/result.json")).unwrap()).unwrap();
    assert_eq!(result["names"].as_array().unwrap().len(), 81);
    for method in result["methods"].as_array().unwrap() {
        assert!(method["objective"].as_f64().unwrap() < 0.5 * method["objective0"].as_f64().unwrap(), "{method}");
        assert!(method["solver_note"].as_str().unwrap().contains("solves"), "{method}");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("more parameters in result.json"), "{text}");
}

#[test]
fn estimators_are_compared_in_table_json_and_figure() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), HATS);
    let arguments = ["sketch", &file, "--seeds", "3", "--probes", "8,32", "--out", "s"];
    let output = wngd(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let read = || std::fs::read_to_string(folder.path().join("s/sketch.json")).unwrap();
    let first = read();
    let study: Value = serde_json::from_str(&first).unwrap();
    for metric in study["metrics"].as_array().unwrap() {
        let entries = metric["entries"].as_array().unwrap();
        let of = |name: &str| -> Vec<&Value> { entries.iter().filter(|e| e["estimator"] == name).collect() };
        let last = |name: &str, key: &str| of(name).last().unwrap()[key]["median"].as_f64().unwrap();
        assert_eq!(of("hutchinson").len(), 2);
        assert!(last("krylov", "error") < 1e-5 && last("nystrom", "error") < 1e-4);
        assert!((last("krylov", "decrease") - 1.0).abs() < 1e-3);
        // As published: of the length little is left.
        assert!(last("hutchinson", "length") < 0.3, "{}", last("hutchinson", "length"));
        assert!(metric["auto"].as_str().unwrap().contains("p = 81"));
    }
    for picture in ["sketch.svg", "sketch.png"] {
        assert!(folder.path().join("s").join(picture).exists());
    }
    // The same numbers again, whatever the threads.
    let output = wngd(folder.path(), &[&["--threads", "1"], &arguments[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(first, read());
}

#[test]
fn unusable_sketch_settings_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to, named) in [
        ("solver = \"auto\"", "solver = \"qr\"\ntolerance = 0.1", "method[0].tolerance"),
        ("solver = \"auto\"", "solver = \"auto\"\ntolerance = 2.0", "method[0].tolerance"),
        ("solver = \"auto\"", "solver = \"auto\"\nprobes = 0", "method[0].probes"),
        ("solver = \"auto\"", "solver = \"lanczos\"", "krylov"),
        ("nodes = 3", "nodes = 1", "model.perturbation"),
        ("system = \"lorenz63\"", "system = \"lorenz63\"\nfree = [\"sigma\"]", "model.free"),
    ] {
        let file = write(folder.path(), &HATS.replace(from, to));
        let output = wngd(folder.path(), &["run", &file, "--out", "bad"]);
        assert_eq!(output.status.code(), Some(2), "{to}");
        assert!(stderr(&output).contains(named), "{to}: {}", stderr(&output));
        assert!(!folder.path().join("bad").exists());
    }
    let file = write(folder.path(), HATS);
    for (option, value) in [("--seeds", "0"), ("--probes", "0"), ("--damping", "-1"), ("--damping", "NaN")] {
        let output = wngd(folder.path(), &["sketch", &file, &format!("{option}={value}"), "--out", "bad"]);
        assert_eq!(output.status.code(), Some(2), "{option} {value}");
        assert!(stderr(&output).contains(option), "{}", stderr(&output));
        assert!(!folder.path().join("bad").exists());
    }
}
