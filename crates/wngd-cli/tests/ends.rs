//! Fits from public reports whose right values are known: what is said of their ends is right, too.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A fit, what it ends with and what has to be said of it.
struct Case {
    /// Folder and experiment below `tests/ends`.
    file: &'static str,
    exit: i32,
    /// Parameters, right values and how far off they may be.
    right: &'static [(&'static str, f64, f64)],
    /// Parts of remarks, or of the notes on the data.
    says: &'static [&'static str],
    /// Parameters without a standard error.
    without_error: &'static [&'static str],
}

const CASES: &[Case] = &[
    // ROOT 12056, 6694: a narrow peak in wide bins; unbinned 0.257, with bin integrals 0.37.
    Case {
        file: "kl-below-zero-is-converged/peak",
        exit: 0,
        right: &[("covariances[1]", 0.37, 0.08), ("means[1][0]", 124.8, 0.3)],
        says: &[],
        without_error: &[],
    },
    // GaussianMixtures.jl 21: ten of 110 values are equal, so that the weight is known and the width is not.
    Case {
        file: "component-narrower-than-a-cell/cells60",
        exit: 0,
        right: &[("weights[0]", 100.0 / 110.0, 0.005)],
        says: &["component 1 is narrower than a cell"],
        without_error: &["means[1][0]", "covariances[1]"],
    },
    Case {
        file: "component-narrower-than-a-cell/cells150",
        exit: 0,
        right: &[("weights[0]", 100.0 / 110.0, 0.005)],
        says: &["component 1 is narrower than a cell"],
        without_error: &["means[1][0]", "covariances[1]"],
    },
    Case {
        file: "component-narrower-than-a-cell/cells600",
        exit: 0,
        right: &[("weights[0]", 100.0 / 110.0, 0.005)],
        says: &["component 1 is narrower than a cell"],
        without_error: &["means[1][0]", "covariances[1]"],
    },
    // probfit 20: bins up to twice as wide as the standard deviation; maximum likelihood with the integrals over bins.
    Case {
        file: "wide-bins/cells10",
        exit: 0,
        right: &[("covariances[0]", 0.2533, 0.001)],
        says: &[],
        without_error: &[],
    },
    Case {
        file: "wide-bins/cells20",
        exit: 0,
        right: &[("covariances[0]", 0.2541, 0.001)],
        says: &[],
        without_error: &[],
    },
    Case {
        file: "wide-bins/cells200",
        exit: 0,
        right: &[("covariances[0]", 0.2575, 0.001)],
        says: &[],
        without_error: &[],
    },
    // pygmmis 8: one outlier at 50 standard deviations.
    Case {
        file: "one-outlier-stops-kl/outlier",
        exit: 0,
        right: &[("means[0][0]", 0.0304, 0.01), ("covariances[0]", 3.512, 0.02)],
        says: &["the model does not describe the data", "standard errors count the misfit"],
        without_error: &[],
    },
    // iminuit 483: a component that the data do not have.
    Case {
        file: "weight-at-its-bound/bound",
        exit: 0,
        right: &[("weights[0]", 1.0, 0.0), ("means[0][0]", 0.023, 0.002), ("covariances[0]", 1.019, 0.002)],
        says: &["weights[1] is at its bound"],
        without_error: &["weights[0]"],
    },
    // iminuit 604: more components than the data have.
    Case {
        file: "standard-errors-of-1e16/three",
        exit: 0,
        right: &[],
        says: &["no standard errors"],
        without_error: &["means[0][0]", "covariances[0]"],
    },
    // py-dmm 1: components that start equal stay so.
    Case {
        file: "identical-starts/same",
        exit: 1,
        right: &[],
        says: &["components 0 and 1 are equal", "start them apart"],
        without_error: &["means[0][0]", "means[1][0]"],
    },
];

#[test]
fn ends_are_right_and_called_what_they_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ends");
    for case in CASES {
        let out = tempfile::tempdir().unwrap();
        let run = Command::new(env!("CARGO_BIN_EXE_wngd"))
            .arg("run")
            .arg(folder.join(format!("{}.toml", case.file)))
            .args(["--no-figures", "--out"])
            .arg(out.path())
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(case.exit), "{}: {}", case.file, String::from_utf8_lossy(&run.stderr));
        let result: Value = serde_json::from_slice(&std::fs::read(out.path().join("result.json")).unwrap()).unwrap();
        let method = &result["methods"][0];
        let names: Vec<&str> = result["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let place = |name: &str| names.iter().position(|n| *n == name).unwrap();
        for (name, right, tolerance) in case.right {
            let found = method["theta"][place(name)].as_f64().unwrap();
            assert!((found - right).abs() <= *tolerance, "{}: {name} = {found}, right is {right}", case.file);
        }
        let said = format!("{} {}", method["remarks"], result["notes"]);
        let shown = String::from_utf8_lossy(&run.stdout).into_owned();
        for part in case.says {
            assert!(said.contains(part), "{}: \"{part}\" is not in {said}", case.file);
            assert!(shown.contains(part), "{}: \"{part}\" is not shown in {shown}", case.file);
        }
        for (j, name) in names.iter().enumerate() {
            let error = &method["standard_errors"][j];
            if case.without_error.contains(name) {
                assert!(error.is_null(), "{}: {name} has the error {error}", case.file);
            } else if case.exit == 0 && !said.contains("no standard errors") {
                assert!(error.as_f64().unwrap() > 0.0, "{}: {name} has no error", case.file);
            }
        }
    }
}
