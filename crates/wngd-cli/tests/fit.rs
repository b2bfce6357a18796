//! `wngd fit` and `wngd init --from`, as someone with a table meets them.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn wngd(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(folder).output().unwrap()
}

fn well(folder: &Path, args: &[&str]) -> String {
    let output = wngd(folder, args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn result(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join(name).join("result.json")).unwrap()).unwrap()
}

/// The value and error of a parameter.
fn parameter(result: &Value, name: &str) -> (f64, Option<f64>) {
    let names = result["names"].as_array().unwrap();
    let j = names.iter().position(|n| n == name).unwrap_or_else(|| panic!("{name} is not in {names:?}"));
    let method = &result["methods"][0];
    (method["theta"][j].as_f64().unwrap(), method["standard_errors"][j].as_f64())
}

#[test]
fn old_faithful_is_fitted_without_being_asked_anything() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    well(folder, &["init", "faithful"]);
    let shown = well(folder, &["fit", "faithful.csv", "--out", "fit"]);
    assert!(shown.contains("±") && shown.contains("BIC"), "{shown}");
    let found = result(folder, "fit");
    assert_eq!(found["components"], 2);
    assert_eq!(found["best"], found["methods"][0]["label"]);
    let method = &found["methods"][0];
    // Maximum of the likelihood, as scikit-learn and mclust have it.
    assert!((method["log_likelihood"].as_f64().unwrap() + 1130.264).abs() < 1e-3, "{}", method["log_likelihood"]);
    assert_eq!(method["status"], "converged");
    assert!(method["goodness_of_fit"]["p_value"].as_f64().unwrap() > 1e-3);
    let scores = found["scores"].as_array().unwrap();
    assert!(scores.len() >= 3);
    let bic = |k: u64| scores.iter().find(|s| s["components"] == k).unwrap()["bic"].as_f64().unwrap();
    assert!(bic(2) < bic(1) && bic(2) < bic(3));
    // Sorted by weight: the long eruptions first.
    let (weight, error) = parameter(&found, "weights[0]");
    assert!((weight - 0.644).abs() < 1e-3 && (0.02..0.04).contains(&error.unwrap()), "{weight} {error:?}");
    let (mean, _) = parameter(&found, "means[0][1]");
    assert!((mean - 79.968).abs() < 0.01, "{mean}");
    let covariance = method["covariance"].as_array().unwrap();
    assert_eq!(covariance.len(), 11);

    // The file that repeats it on a grid ends at the same place.
    well(folder, &["run", "fit/experiment.toml", "--no-figures", "--quiet", "--out", "again"]);
    let again = result(folder, "again");
    let (mean_again, error) = parameter(&again, "means[0][1]");
    assert!((mean_again - mean).abs() < error.unwrap(), "{mean_again} {mean}");
}

#[test]
fn one_outlier_does_not_stop_a_fit_and_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut text = String::from("x\n");
    for i in 0..400 {
        // A lattice of quantiles of a logistic distribution.
        let u = (f64::from(i) + 0.5) / 400.0;
        text.push_str(&format!("{}\n", (u / (1.0 - u)).ln()));
    }
    text.push_str("400\n");
    std::fs::write(folder.join("x.csv"), text).unwrap();
    let output = wngd(folder, &["fit", "x.csv", "--components", "1", "--quiet", "--out", "one"]);
    assert!(output.status.code().unwrap() <= 1, "{}", String::from_utf8_lossy(&output.stderr));
    let found = result(folder, "one");
    let (mean, _) = parameter(&found, "means[0][0]");
    assert!((mean - 400.0 / 401.0).abs() < 1e-6, "{mean}");
}

#[test]
fn a_histogram_is_fitted_by_the_integrals_over_its_bins() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Bins twice as wide as the deviation of N(0.2, 0.25), 4000 entries.
    let phi = |x: f64| {
        // Abramowitz and Stegun 7.1.26 is exact to 1.5e-7.
        let z = (x - 0.2) / 0.5 / std::f64::consts::SQRT_2;
        let t = 1.0 / (1.0 + 0.327_591_1 * z.abs());
        let tail =
            t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
        let erf = 1.0 - tail * (-z * z).exp();
        0.5 * (1.0 + if z < 0.0 { -erf } else { erf })
    };
    let mut text = String::from("left,right,n\n");
    for i in -3..4 {
        let (a, b) = (f64::from(i), f64::from(i + 1));
        text.push_str(&format!("{a},{b},{}\n", (4000.0 * (phi(b) - phi(a))).round()));
    }
    std::fs::write(folder.join("h.csv"), text).unwrap();
    well(
        folder,
        &["fit", "h.csv", "--edges", "left,right", "--counts", "n", "--components", "1", "--quiet", "--out", "h"],
    );
    let found = result(folder, "h");
    let (variance, error) = found["names"]
        .as_array()
        .unwrap()
        .iter()
        .find(|n| n.as_str().unwrap().starts_with("covariances"))
        .map(|n| parameter(&found, n.as_str().unwrap()))
        .unwrap();
    assert!((variance - 0.25).abs() < 2e-3 && error.unwrap() > 0.0, "{variance}");
}

#[test]
fn an_experiment_file_is_written_from_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    well(folder, &["init", "faithful"]);
    well(folder, &["init", "--from", "faithful.csv", "--out", "mine.toml"]);
    well(folder, &["check", "mine.toml"]);
    well(folder, &["run", "mine.toml", "--no-figures", "--quiet", "--out", "mine"]);
    assert_eq!(result(folder, "mine")["methods"][0]["status"], "converged");
}

#[test]
fn what_cannot_be_fitted_is_named_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("x.csv"), "a,b\n1,2\n2,nan\n3,4\n5,1\n").unwrap();
    std::fs::write(folder.join("y.csv"), "a,b\n1,2\n2,7\n3,4\n5,1\n").unwrap();
    for (args, part) in [
        (&["fit", "x.csv", "--out", "o"][..], "line 3, column b"),
        (&["fit", "y.csv", "--columns", "c", "--out", "o"], "there is no column \"c\""),
        (&["fit", "y.csv", "--components", "0", "--out", "o"], "components"),
        (&["fit", "y.csv", "--covariance", "round", "--out", "o"], "covariance"),
        (&["fit", "y.csv", "--edges", "a,b", "--out", "o"], "counts"),
        (&["fit", "nothing.csv", "--out", "o"], "nothing.csv"),
    ] {
        let output = wngd(folder, args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
        assert!(!folder.join("o").exists(), "{args:?} left a folder");
    }
}
