//! What `wngd identify` answers: right values where the model fits, exit code 1 and the reason where it does not.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Exit code, result.json and everything printed.
struct Told {
    code: Option<i32>,
    result: Value,
    text: String,
}

fn wngd(dir: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(dir).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('\n', " "))
}

fn simulate(dir: &Path, args: &[&str]) {
    let (code, text) = wngd(dir, &[&["simulate", "--quiet"], args].concat());
    assert_eq!(code, Some(0), "{text}");
}

fn identify(dir: &Path, system: &str, file: &str, more: &[&str]) -> Told {
    let args = ["identify", "--system", system, "--trajectory", file, "--out", "o", "--no-figures", "--restart"];
    let (code, text) = wngd(dir, &[&args[..], more].concat());
    let result = std::fs::read(dir.join("o/result.json"));
    let result = result.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    Told { code, result, text }
}

impl Told {
    fn theta(&self) -> Vec<f64> {
        self.result["methods"][0]["theta"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    /// Fits, with values that are right within `error`.
    fn right(&self, truth: &[f64], error: f64) {
        assert_eq!((self.code, self.result["verdict"].as_str()), (Some(0), Some("fits")), "{}", self.text);
        for (found, truth) in self.theta().iter().zip(truth) {
            assert!((found - truth).abs() <= error * truth.abs(), "{found} for {truth}: {}", self.text);
        }
    }

    /// Exit code 1 and these words.
    fn rejected(&self, verdict: &[&str], words: &[&str]) {
        let given = self.result["verdict"].as_str().unwrap();
        assert_eq!(self.code, Some(1), "{}", self.text);
        assert!(verdict.contains(&given), "{given}: {}", self.text);
        for word in words {
            assert!(self.text.contains(word), "no \"{word}\" in: {}", self.text);
        }
    }
}

/// Rows of a CSV file with some columns changed.
fn changed(dir: &Path, from: &str, to: &str, change: impl Fn(usize, &mut [f64])) {
    let text = std::fs::read_to_string(dir.join(from)).unwrap();
    let mut lines = text.lines();
    let mut out = lines.next().unwrap().to_string();
    for (i, line) in lines.enumerate() {
        let mut row: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
        change(i, &mut row);
        let row: Vec<String> = row.iter().map(f64::to_string).collect();
        out = out + "\n" + &row.join(",");
    }
    std::fs::write(dir.join(to), out + "\n").unwrap();
}

#[test]
fn a_model_that_does_not_fit_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let simulated = ["--system", "van-der-pol", "--theta", "1", "--points", "15000", "--dt", "0.05"];
    simulate(dir, &[&simulated[..], &["--noise", "0.01,0.01", "--out", "raw.csv"]].concat());
    let text = std::fs::read_to_string(dir.join("raw.csv")).unwrap();
    let rows: Vec<Vec<f64>> =
        text.lines().skip(1).map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    let moments = |k: usize| {
        let mean = rows.iter().map(|row| row[k]).sum::<f64>() / rows.len() as f64;
        let square = rows.iter().map(|row| (row[k] - mean).powi(2)).sum::<f64>() / rows.len() as f64;
        (mean, square.sqrt())
    };
    let (x, y) = (moments(1), moments(2));
    changed(dir, "raw.csv", "standardised.csv", |_, row| {
        (row[1], row[2]) = ((row[1] - x.0) / x.1, (row[2] - y.0) / y.1);
    });
    identify(dir, "van-der-pol", "standardised.csv", &["--start", "1.3"]).rejected(&["misfit"], &["does not fit"]);
    // No start leads astray.
    for start in ["0.05", "1.3"] {
        for noise in [&["--noise", "0.01,0.01"][..], &[]] {
            identify(dir, "van-der-pol", "raw.csv", &[&["--start", start], noise].concat()).right(&[1.0], 0.003);
        }
    }
}

#[test]
fn other_units_marks_and_signs_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let simulated = ["--system", "van-der-pol", "--theta", "1", "--points", "15000", "--dt", "0.05"];
    simulate(dir, &[&simulated[..], &["--out", "raw.csv"]].concat());
    changed(dir, "raw.csv", "ms.csv", |_, row| row[0] *= 1000.0);
    identify(dir, "van-der-pol", "ms.csv", &["--start", "1.3"])
        .rejected(&["misfit"], &["time step, 50", "other units of time"]);
    changed(dir, "raw.csv", "cm.csv", |_, row| row[1..].iter_mut().for_each(|v| *v *= 100.0));
    identify(dir, "van-der-pol", "cm.csv", &["--start", "1.3"])
        .rejected(&["misfit"], &["simulations cover", "other units?"]);
    changed(dir, "raw.csv", "tenth.csv", |_, row| row[1..].iter_mut().for_each(|v| *v /= 10.0));
    identify(dir, "van-der-pol", "tenth.csv", &["--start", "1.3"])
        .rejected(&["misfit"], &["simulations cover", "other units?"]);
    changed(dir, "raw.csv", "sentinel.csv", |i, row| {
        if i == 777 {
            row[1..].fill(-999.0);
        }
    });
    let marked = identify(dir, "van-der-pol", "sentinel.csv", &[]);
    assert_eq!(marked.code, Some(2), "{}", marked.text);
    assert!(marked.text.contains("row 778 (x = -999)"), "{}", marked.text);
    changed(dir, "raw.csv", "swapped.csv", |_, row| row.swap(1, 2));
    identify(dir, "van-der-pol", "swapped.csv", &[]).rejected(&["misfit"], &["swapped columns?"]);
    identify(dir, "van-der-pol", "raw.csv", &["--start", "-1"]).right(&[1.0], 1e-6);
}

#[test]
fn short_records_are_enough_where_they_are_clean() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for seed in ["1", "3"] {
        simulate(dir, &["--system", "lorenz63", "--points", "5000", "--dt", "0.002", "--seed", seed, "--out", "l.csv"]);
        let told = identify(dir, "lorenz63", "l.csv", &["--start", "8,24,2"]);
        told.right(&[10.0, 28.0, 8.0 / 3.0], 1e-6);
        assert!(told.text.contains("turns long"), "{}", told.text);
    }
}

/// Overdamped motion x' = x − x³ + √(2D) noise with D = 0.25, 0.1 apart.
fn double_well(dir: &Path, count: usize) {
    let mut state = 14u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    };
    let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let (h, mut x, mut text) = (0.01f64, 1.0, String::from("t,x\n"));
    for i in 0..count {
        for _ in 0..10 {
            x += h * (x - x * x * x) + (0.5 * h).sqrt() * normal();
        }
        text += &format!("{},{x:.5}\n", 0.1 * i as f64);
    }
    std::fs::write(dir.join("x.csv"), text).unwrap();
}

#[test]
fn motion_in_noise_needs_its_diffusion() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    double_well(dir, 50_000);
    identify(dir, "double-well", "x.csv", &["--start", "1.2,0.8,0.1"])
        .rejected(&["misfit", "undetermined"], &["[diffusion]"]);
    let file = |diffusion: &str| {
        format!(
            "variables = [\"x\"]\n[equations]\nx = \"a*x - b*x^3 - c\"\n[parameters]\na = 1.2\nb = 0.8\nc = 0.1\nD = 1\n[diffusion]\nx = {diffusion}\n"
        )
    };
    // Known, it gives the scale of all the rest.
    std::fs::write(dir.join("well.toml"), file("0.25").replace("D = 1\n", "")).unwrap();
    let told = identify(dir, "well.toml", "x.csv", &[]);
    assert_eq!(told.code, Some(0), "{}", told.text);
    let errors = &told.result["methods"][0]["standard_errors"];
    for (i, truth) in [1.0, 1.0, 0.0].into_iter().enumerate() {
        assert!((told.theta()[i] - truth).abs() < 3.0 * errors[i].as_f64().unwrap(), "{}", told.text);
    }
    assert_eq!(told.result["diffusion"][0], 0.25);
    // Free, only ratios are told by points in no order.
    std::fs::write(dir.join("well.toml"), file("\"D\"")).unwrap();
    let told = identify(dir, "well.toml", "x.csv", &["--unordered"]);
    told.rejected(&["undetermined"], &["one constant"]);
    assert!(told.result["methods"][0]["standard_errors"][0].is_null());
    assert!(!told.result["undetermined"][0]["direction"].as_object().unwrap().is_empty());
    // The same in an experiment, where the scheme has the diffusion.
    let experiment = "name = \"well\"\n[grid]\nlower = [-2.5]\nupper = [2.5]\ncells = [200]\n[model]\nkind = \"stationary-density\"\nsystem = \"double-well\"\ntheta = [1.2, 0.8, 0.1]\ndiscretisation = { kind = \"scharfetter-gummel\", diffusion = 0.25, restart = 1e-6 }\n[data]\ntrajectory = \"x.csv\"\n[identify]\nseed = 2\n";
    std::fs::write(dir.join("e.toml"), experiment).unwrap();
    let (code, text) = wngd(dir, &["run", "e.toml", "--out", "r", "--no-figures"]);
    assert_eq!(code, Some(0), "{text}");
    let result: Value = serde_json::from_slice(&std::fs::read(dir.join("r/result.json")).unwrap()).unwrap();
    assert!((result["methods"][0]["theta"][0].as_f64().unwrap() - 1.0).abs() < 0.1, "{text}");
}

#[test]
fn a_system_of_ones_own_is_identified_by_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let file = "variables = [\"x\", \"y\", \"z\"]\n[equations]\nx = \"s*(y - x)\"\ny = \"x*(r - z) - y\"\nz = \"x*y - b*z\"\n[parameters]\ns = 8\nr = 24\nb = 2\n";
    std::fs::write(dir.join("mine.toml"), file).unwrap();
    simulate(dir, &["--system", "lorenz63", "--points", "20000", "--out", "l.csv"]);
    let truth = [10.0, 28.0, 8.0 / 3.0];
    let told = identify(dir, "mine.toml", "l.csv", &[]);
    told.right(&truth, 1e-6);
    assert_eq!(told.result["names"], serde_json::json!(["s", "r", "b"]));
    assert_eq!(told.result["answer"], "shooting");
    let estimates = told.result["estimates"].as_array().unwrap();
    assert!(estimates.iter().any(|e| e["estimator"] == "weak-stationary" && e["misfit"]["p_value"].is_number()));
    // The covariance of the answer agrees with its standard errors.
    let method = &told.result["methods"][0];
    for j in 0..3 {
        let variance = method["covariance"][j][j].as_f64().unwrap();
        let error = method["standard_errors"][j].as_f64().unwrap();
        assert!((variance.sqrt() / error - 1.0).abs() < 1e-12, "{method}");
    }
    assert_eq!(told.result["noise"]["estimated"], true);
    assert!(told.result["diffusion"].is_null() && told.result["undetermined"].as_array().unwrap().is_empty());
    // Columns by name, whatever their order; starts by name; some of the parameters.
    let text = std::fs::read_to_string(dir.join("l.csv")).unwrap();
    let turned: Vec<String> = text
        .lines()
        .map(|line| {
            let row: Vec<&str> = line.split(',').collect();
            [row[3], row[1], row[0], row[2]].join(",")
        })
        .collect();
    std::fs::write(dir.join("turned.csv"), turned.join("\n")).unwrap();
    let told = identify(dir, "mine.toml", "turned.csv", &["--unordered", "--start", "s=9,r=30"]);
    told.right(&truth, 0.02);
    assert_eq!(told.result["answer"], "weak-stationary");
    identify(dir, "mine.toml", "l.csv", &["--free", "r", "--start", "s=10,b=2.6666666666666665"]).right(&[28.0], 1e-6);
    // What it simulates has the names of its variables.
    let (theta, from) = (["--theta", "10,28,2.6666666666666665"], ["--from", "1,1,20"]);
    simulate(
        dir,
        &[&["--system", "mine.toml", "--points", "3000", "--out", "own.csv"], &theta[..], &from[..]].concat(),
    );
    identify(dir, "mine.toml", "own.csv", &[]).right(&truth, 1e-6);
    for (text, words) in [
        (file.replace("s*(y", "sgm*(y"), "there is no \"sgm\""),
        (file.replace("x*y - b*z", "x(t-1)"), "delay"),
        (file.replace("variables", "variable"), "did you mean variables?"),
    ] {
        std::fs::write(dir.join("wrong.toml"), text).unwrap();
        let told = identify(dir, "wrong.toml", "l.csv", &[]);
        assert!(told.code == Some(2) && told.text.contains(words), "{words}: {}", told.text);
    }
    for (options, words) in [
        (&["--observed", "w"][..], "no variable \"w\""),
        (&["--observed", "x,x"], "named twice"),
        (&["--observed", "x", "--estimator", "shooting"], "the data lack y, z"),
        (&["--observed", "x", "--estimator", "density"], "needs every variable"),
    ] {
        let told = identify(dir, "mine.toml", "l.csv", options);
        assert!(told.code == Some(2) && told.text.contains(words), "{words}: {}", told.text);
    }
}

#[test]
fn one_variable_of_three_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let noise = ["--system", "lorenz63", "--points", "4000", "--dt", "0.02", "--noise", "0.395,0,0", "--out", "l.csv"];
    simulate(dir, &noise);
    let told = identify(dir, "lorenz63", "l.csv", &["--observed", "x"]);
    told.right(&[10.0, 28.0, 8.0 / 3.0], 0.01);
    assert_eq!(told.result["answer"], "smoother");
    assert!(told.text.contains("weak-stationary was not run"), "{}", told.text);
}

#[test]
fn a_chain_of_forty_variables_fits_in_a_few_lines() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let chain = "variables = [\"x[1..40]\"]\n[equations]\n\"x[i] for i in 1..40\" = \"c*(x[i+1] - x[i-2])*x[i-1] - x[i] + F\"\n[parameters]\nF = 8\nc = 1\n";
    std::fs::write(dir.join("chain.toml"), chain).unwrap();
    simulate(dir, &["--system", "chain.toml", "--points", "1500", "--dt", "0.1", "--out", "c.csv"]);
    let told = identify(dir, "chain.toml", "c.csv", &["--unordered", "--start", "F=6,c=0.8"]);
    told.right(&[8.0, 1.0], 0.01);
}

#[test]
fn noise_is_found_and_held_against_a_declaration() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let simulated = ["--system", "lorenz63", "--points", "40000", "--noise", "0.395,0.448,0.433", "--out", "n.csv"];
    simulate(dir, &simulated);
    let told = identify(dir, "lorenz63", "n.csv", &[]);
    told.right(&[10.0, 28.0, 8.0 / 3.0], 0.01);
    for share in told.result["noise"]["share"].as_array().unwrap() {
        assert!((share.as_f64().unwrap() - 0.05).abs() < 0.005, "{}", told.text);
    }
    identify(dir, "lorenz63", "n.csv", &["--noise", "0"]).rejected(&["misfit"], &["noise"]);
    identify(dir, "lorenz63", "n.csv", &["--noise", "0.05"]).right(&[10.0, 28.0, 8.0 / 3.0], 0.01);
}
