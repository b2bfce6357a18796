//! The command line as scripts and people meet it.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{code, stderr, stdout, wngd};
use serde_json::Value;

/// A small experiment that runs in milliseconds.
const SMALL: &str = r#"name = "small"

[grid]
lower = [-4.0, -4.0]
upper = [6.0, 6.0]
cells = [20, 20]

[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.0, 2.5], [2.0, 1.0]]
free = ["means[0]"]

[data]
truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }

[objective]
kind = "l2"

[[method]]
metric = "none"

[[method]]
metric = "l2"
step = { rule = "fixed", length = 1.0 }

[[method]]
metric = "wasserstein"
solver = "information"

[stop]
iterations = 200
relative_objective = 1e-10
"#;

fn small(folder: &Path, edit: impl Fn(String) -> String) -> String {
    std::fs::write(folder.join("small.toml"), edit(SMALL.to_string())).unwrap();
    "small.toml".to_string()
}

#[test]
fn a_run_leaves_the_files_that_scripts_rely_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |s| s);
    let output = wngd(folder.path(), &["run", &file, "--out", "result"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let root = folder.path().join("result");
    let result: Value = serde_json::from_slice(&std::fs::read(root.join("result.json")).unwrap()).unwrap();
    assert_eq!(result["name"], "small");
    assert_eq!(result["names"], serde_json::json!(["means[0][0]", "means[0][1]"]));
    assert_eq!(result["theta0"], serde_json::json!([2.0, 2.5]));
    let methods = result["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 3);
    for method in methods {
        for key in [
            "label",
            "metric",
            "status",
            "iterations",
            "objective0",
            "objective",
            "theta",
            "standard_errors",
            "seconds",
            "trace",
        ] {
            assert!(!method[key].is_null() || key == "standard_errors", "{key}");
        }
        assert_eq!(method["status"], "converged");
        assert!((method["theta"][0].as_f64().unwrap() - 0.5).abs() < 1e-3);
        let trace = std::fs::read_to_string(root.join(method["trace"].as_str().unwrap())).unwrap();
        let mut lines = trace.lines();
        assert_eq!(
            lines.next().unwrap(),
            "iteration,objective,gradient_norm,slope,step,seconds,means[0][0],means[0][1]"
        );
        let rows: Vec<Vec<f64>> = lines.map(|l| l.split(',').map(|v| v.parse().unwrap()).collect()).collect();
        assert_eq!(rows.len() as u64, method["iterations"].as_u64().unwrap() + 1);
        assert_eq!((rows[0][0], rows[0][6], rows[0][7]), (0.0, 2.0, 2.5));
        let label = method["label"].as_str().unwrap();
        let npy = std::fs::read(root.join(format!("density-{label}.npy"))).unwrap();
        assert_eq!(&npy[..6], b"\x93NUMPY");
        assert!(String::from_utf8_lossy(&npy[..128]).contains("(20, 20"));
    }
    for figure in ["landscape", "convergence", "quadratic-models", "density-l2"] {
        for ending in ["svg", "png"] {
            assert!(root.join(format!("{figure}.{ending}")).metadata().unwrap().len() > 1000, "{figure}.{ending}");
        }
    }
    // No temporaries are left.
    assert!(std::fs::read_dir(&root).unwrap().all(|e| !e.unwrap().file_name().to_string_lossy().starts_with('.')));
    // The density can be the data of another run, in quiet mode.
    let again = small(folder.path(), |s| {
        s.replace(
            "truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }",
            "density = \"result/density-l2.npy\"",
        )
    });
    let output = wngd(folder.path(), &["run", &again, "--out", "again", "--quiet", "--no-figures"]);
    assert_eq!((code(&output), stdout(&output), stderr(&output)), (0, String::new(), String::new()));
}

#[test]
fn inspect_prints_all_digits_in_the_agreed_form() {
    let folder = tempfile::tempdir().unwrap();
    let output = wngd(folder.path(), &["inspect", "mixture-mu1", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let value: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(value["names"], serde_json::json!(["means[0][0]", "means[0][1]"]));
    assert!((value["objective"].as_f64().unwrap() - 0.006730785942922761).abs() < 1e-14);
    assert_eq!(value["state"]["cells"], 7225);
    assert_eq!(value["state"]["inactive_cells"], 0);
    // Reference values of the deck's start point.
    let g = &value["metrics"]["wasserstein"]["information"];
    for (found, expected) in
        [(&g[0][0], 0.19089579124205264), (&g[0][1], 0.018718177081597384), (&g[1][1], 0.21066182033710149)]
    {
        assert!((found.as_f64().unwrap() - expected).abs() < 1e-9 * 0.2);
    }
    for metric in ["l2", "wasserstein", "fisher-rao", "h1", "h-1", "homogeneous-h-1"] {
        let entry = &value["metrics"][metric];
        assert_eq!(entry["rank"], 2, "{metric}");
        let (a, b) = (&entry["direction"]["least_squares"], &entry["direction"]["information"]);
        for i in 0..2 {
            let (a, b) = (a[i].as_f64().unwrap(), b[i].as_f64().unwrap());
            assert!((a - b).abs() < 1e-8 * a.abs(), "{metric}");
        }
    }
    assert_eq!(value["metrics"]["wasserstein"]["mass_leak"].as_array().unwrap().len(), 2);
    let moved = wngd(folder.path(), &["inspect", "mixture-mu1", "--json", "--theta", "-1.5,3"]);
    let moved: Value = serde_json::from_str(&stdout(&moved)).unwrap();
    assert_eq!(moved["theta"], serde_json::json!([-1.5, 3.0]));
    assert_eq!(code(&wngd(folder.path(), &["inspect", "mixture-mu1", "--theta", "1"])), 2);
}

#[test]
fn bad_experiments_are_refused_with_place_and_remedy_and_leave_nothing() {
    let cases: Vec<(&str, &str, &[&str])> = vec![
        ("metric = \"l2\"", "metric = \"l3\"", &["there is no metric", "l3", "fisher-rao", "line"]),
        ("iterations = 200", "iteration = 200", &["there is no such key", "iteration", "iterations"]),
        ("cells = [20, 20]", "cells = [20]", &["grid", "line 6", "one per axis"]),
        ("cells = [20, 20]", "cells = [100000, 10000]", &["grid.cells", "1000", "fewer cells"]),
        ("cells = [20, 20]", "cells = [20, -3]", &["cells", "line 6"]),
        ("cells = [20, 20]", "cells = [1, 1]", &["grid.cells", "line 6", "at least 2"]),
        ("upper = [6.0, 6.0]", "upper = [6.0, -6.0]", &["grid", "lower < upper"]),
        ("upper = [6.0, 6.0]", "upper = [6.0, nan]", &["grid", "finite"]),
        ("weights = [0.3, 0.7]\nmeans", "weights = [0.3, 0.8]\nmeans", &["model.weights", "line 10", "must be 1"]),
        ("weights = [0.3, 0.7]\nmeans", "weights = [-0.3, 1.3]\nmeans", &["model.weights[0]", "[0, 1]"]),
        (
            "means = [[2.0, 2.5], [2.0, 1.0]]",
            "means = [[2.0, 2.5], [2.0]]",
            &["model.means[1]", "line 11", "one per grid axis"],
        ),
        ("free = [\"means[0]\"]", "free = [\"mean[0]\"]", &["model.free", "line 12", "means[0][0]"]),
        ("free = [\"means[0]\"]", "free = [\"means\", \"means[0]\"]", &["named twice"]),
        ("free = [\"means[0]\"]", "covariance = { isotropic = -1.0 }", &["model.covariance", "positive"]),
        ("free = [\"means[0]\"]", "covariance = \"round\"", &["identity", "isotropic"]),
        ("step = { rule = \"fixed\", length = 1.0 }", "step = { rule = \"fixed\" }", &["method[1].step", "length"]),
        (
            "step = { rule = \"fixed\", length = 1.0 }",
            "step = { rule = \"fixed\", length = -1.0 }",
            &["method[1].step.length", "> 0"],
        ),
        (
            "step = { rule = \"fixed\", length = 1.0 }",
            "face_mean = \"geometric\"",
            &["method[1].face_mean", "wasserstein"],
        ),
        ("step = { rule = \"fixed\", length = 1.0 }", "damping = -1.0", &["method[1].damping", "0, or between"]),
        (
            "truth = {",
            "samples = \"x.csv\"\ntruth = {",
            &["data", "exactly one of truth, samples, histogram, trajectory, density"],
        ),
        (
            "truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }",
            "samples = \"missing.csv\"",
            &["missing.csv", "cannot read"],
        ),
        ("name = \"small\"", "name = \"../evil\"", &["name", "line 1", "letters"]),
        ("relative_objective = 1e-10", "relative_objective = -1", &["stop.relative_objective", ">= 0"]),
        ("kind = \"l2\"", "kind = ", &["line 18"]),
    ];
    for (from, to, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        assert!(SMALL.contains(from), "{from}");
        let file = small(folder.path(), |s| s.replacen(from, to, 1));
        let output = wngd(folder.path(), &["run", &file, "--out", "result"]);
        let text = stderr(&output);
        assert_eq!(code(&output), 2, "{to}: {text}");
        for word in wanted {
            assert!(text.contains(word), "{to}: \"{word}\" is not in: {text}");
        }
        assert!(text.contains("small.toml") || text.contains("missing.csv"), "{to}: {text}");
        assert!(!folder.path().join("result").exists(), "{to}");
    }
}

#[test]
fn bad_data_files_are_refused_by_row_and_column() {
    let cases: Vec<(&str, Vec<u8>, &[&str])> = vec![
        ("samples.csv", b"".to_vec(), &["empty"]),
        ("samples.csv", b"x,y\n".to_vec(), &["no data rows"]),
        ("samples.csv", b"x,y\n1,2\n3\n".to_vec(), &["samples.csv", "line 3"]),
        ("samples.csv", b"x,y\n1,2\nnan,3\n".to_vec(), &["line 3", "column x"]),
        ("samples.csv", b"x,y\n100,100\n".to_vec(), &["none of the 1 samples lies in"]),
        ("samples.csv", b"x,y,z\n1,2,3\n".to_vec(), &["3 columns for 2 coordinates", "data.columns"]),
        ("samples.csv", vec![0xff, 0xfe, 0x00, 0x41], &["samples.csv"]),
        ("density.npy", b"\x93NUMPY\x01\x00".to_vec(), &["density.npy", "NPY"]),
        ("density.npy", npy(&[4, 5], &[1.0; 20]), &["shape [4, 5]", "[20, 20]"]),
        ("density.npy", npy(&[20, 20], &[1.0; 300]), &["truncated"]),
        ("density.npy", npy(&[1 << 40, 1 << 30], &[1.0; 3]), &["truncated"]),
        ("density.npy", npy(&[20, 20], &[-1.0; 400]), &["negative"]),
        ("density.npy", npy(&[20, 20], &[f64::NAN; 400]), &["finite"]),
        ("density.npy", npy(&[20, 20], &[0.0; 400]), &["vanishes"]),
    ];
    for (name, contents, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), &contents).unwrap();
        let key = name.split('.').next().unwrap();
        let file = small(folder.path(), |s| {
            s.replace(
                "truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }",
                &format!("{key} = \"{name}\""),
            )
        });
        let output = wngd(folder.path(), &["run", &file, "--out", "result"]);
        let text = stderr(&output);
        assert_eq!(code(&output), 2, "{text}");
        for word in wanted {
            assert!(text.contains(word), "\"{word}\" is not in: {text}");
        }
        assert!(!folder.path().join("result").exists());
    }
}

/// An NPY file with a header that may lie about its contents.
fn npy(shape: &[usize], values: &[f64]) -> Vec<u8> {
    let dims: Vec<String> = shape.iter().map(usize::to_string).collect();
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", dims.join(", "));
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[test]
fn samples_outside_the_grid_are_counted_and_standard_errors_reported() {
    let folder = tempfile::tempdir().unwrap();
    let output = wngd(folder.path(), &["init", "faithful"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = std::fs::read_to_string(folder.path().join("faithful.toml")).unwrap();
    let narrowed =
        text.replace("lower = [0.5, 30.5]", "lower = [0.5, 60.5]").replace("cells = [120, 80]", "cells = [60, 50]");
    std::fs::write(folder.path().join("narrow.toml"), narrowed).unwrap();
    let output = wngd(folder.path(), &["run", "narrow.toml", "--out", "n", "--no-figures"]);
    assert!(stdout(&output).contains("samples outside the box are left out"), "{}{}", stdout(&output), stderr(&output));
    // A second init does not overwrite.
    assert_eq!(code(&wngd(folder.path(), &["init", "faithful"])), 2);
}

#[test]
fn old_faithful_ends_at_the_maximum_likelihood_estimate() {
    let folder = tempfile::tempdir().unwrap();
    let output = wngd(folder.path(), &["run", "faithful", "--out", "f", "--no-figures", "--quiet"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let result: Value = serde_json::from_slice(&std::fs::read(folder.path().join("f/result.json")).unwrap()).unwrap();
    let method = result["methods"].as_array().unwrap().iter().find(|m| m["label"] == "fisher-rao").unwrap();
    let theta: Vec<f64> = method["theta"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    // Two full Gaussians by EM on the raw data (mclust, scikit-learn): w = 0.356,
    // means (2.036, 54.48) and (4.290, 79.97). Binning moves them by less than a tenth of a standard error.
    for (found, expected, tolerance) in [
        (theta[0], 0.356, 0.003),
        (theta[1], 2.036, 0.01),
        (theta[2], 54.48, 0.1),
        (theta[3], 4.290, 0.01),
        (theta[4], 79.97, 0.1),
    ] {
        assert!((found - expected).abs() < tolerance, "{theta:?}");
    }
    let errors: Vec<f64> = method["standard_errors"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    // The error of a weight of 272 well separated points is √(w(1−w)/n) = 0.029.
    assert!((errors[0] - 0.029).abs() < 0.002, "{errors:?}");
}

#[test]
fn basins_are_mapped_as_json_and_figure() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |s| s);
    let output =
        wngd(folder.path(), &["basin", &file, "--counts", "4,3", "--lower", "-1,0", "--upper", "3,3", "--out", "b"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let map: Value = serde_json::from_slice(&std::fs::read(folder.path().join("b/basin.json")).unwrap()).unwrap();
    assert_eq!(map["starts"].as_array().unwrap().len(), 12);
    assert!((map["minima"][0]["theta"][0].as_f64().unwrap() - 0.5).abs() < 1e-2);
    for method in map["methods"].as_array().unwrap() {
        let fraction = method["fraction_best"].as_f64().unwrap();
        assert!(fraction > 0.5 && fraction <= 1.0);
        assert_eq!(method["minimum"].as_array().unwrap().len(), 12);
    }
    assert!(folder.path().join("b/basin.png").metadata().unwrap().len() > 1000);
    assert_eq!(code(&wngd(folder.path(), &["basin", &file, "--counts", "0,3"])), 2);
    assert_eq!(code(&wngd(folder.path(), &["basin", &file, "--counts", "3"])), 2);
}

#[test]
fn exit_codes_tell_bad_usage_from_stalling() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(&wngd(folder.path(), &["run", "no-such-thing"])), 2);
    assert_eq!(code(&wngd(folder.path(), &["frobnicate"])), 2);
    assert_eq!(code(&wngd(folder.path(), &["--threads", "0", "list"])), 2);
    assert_eq!(code(&wngd(folder.path(), &["list"])), 0);
    // A step so long that f rises: the iteration limit without improvement.
    let file = small(folder.path(), |s| {
        s.replace("length = 1.0", "length = 1000.0").replace("iterations = 200", "iterations = 1")
    });
    let output = wngd(folder.path(), &["run", &file, "--out", "r", "--no-figures"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(folder.path().join("r/result.json").exists());
}

#[test]
fn more_parameters_than_cells_are_reported_not_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |s| {
        s.replace("cells = [20, 20]", "cells = [2, 2]")
            .replace("free = [\"means[0]\"]", "free = [\"means\", \"weights\"]")
    });
    let output = wngd(folder.path(), &["run", &file, "--out", "r", "--no-figures"]);
    assert!(code(&output) <= 1, "{}", stderr(&output));
    let text = stdout(&output);
    assert!(text.contains("5 free parameters for 4 values") && text.contains("of 5;"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = small(folder.path(), |s| s);
    std::fs::write(folder.path().join("taken"), b"a file").unwrap();
    let output = wngd(folder.path(), &["run", &file, "--out", "taken"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("cannot write taken"), "{}", stderr(&output));
}

#[test]
fn flows_are_inspected_and_fitted_like_mixtures() {
    let folder = tempfile::tempdir().unwrap();
    let flow = r#"name = "lorenz"

[grid]
lower = [-25.0, -30.0, 0.0]
upper = [25.0, 30.0, 50.0]
cells = [6, 7, 8]

[model]
kind = "stationary-density"
system = "lorenz63"
theta = [10.0, 28.0, 2.6666666666666665]
discretisation = { kind = "upwind", diffusion = 4.0, restart = 0.002000002000002 }

[data]
truth = { theta = [10.5, 27.0, 2.5] }

[objective]
kind = "l2"

[[method]]
metric = "wasserstein"
floor = 6.666666666666667e-10

[[method]]
metric = "l2"
"#;
    std::fs::write(folder.path().join("lorenz.toml"), flow).unwrap();
    let output = wngd(folder.path(), &["inspect", "lorenz.toml", "--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let value: Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(value["names"], serde_json::json!(["sigma", "rayleigh", "beta"]));
    // Independent reference values of this case.
    let close = |found: &Value, expected: f64| {
        let found = found.as_f64().unwrap();
        assert!((found - expected).abs() < 1e-8 * expected.abs(), "{found} {expected}");
    };
    close(&value["objective"], 2.76572595703887e-07);
    close(&value["gradient"][2], 1.4705004264548702e-06);
    close(&value["metrics"]["l2"]["direction"]["least_squares"][0], 0.4629798409739828);
    close(&value["metrics"]["wasserstein"]["direction"]["least_squares"][1], -3.6419738370963544e-07);
    close(&value["metrics"]["fisher-rao"]["direction"]["information"][2], -8.689495258234467e-06);
    close(&value["state"]["mean"][2], 25.42902503564214);
    let output = wngd(folder.path(), &["run", "lorenz.toml", "--out", "r"]);
    assert!(code(&output) <= 1, "{}", stderr(&output));
    let result: Value = serde_json::from_slice(&std::fs::read(folder.path().join("r/result.json")).unwrap()).unwrap();
    assert!((result["methods"][1]["theta"][0].as_f64().unwrap() - 10.5).abs() < 1e-3, "{result}");
    for (from, to, wanted) in [
        ("system = \"lorenz63\"", "system = \"lorentz\"", "there is no \"lorentz\""),
        ("cells = [6, 7, 8]", "cells = [6]", "one per axis"),
        ("kind = \"upwind\"", "kind = \"semi-lagrangian\"", "model.discretisation.diffusion"),
        ("diffusion = 4.0", "diffusion = -4.0", "diffusion"),
        ("floor = 6.666666666666667e-10", "face_mean = \"midpoint\"", "face_mean"),
        ("theta = [10.0, 28.0, 2.6666666666666665]", "theta = [10.0]", "3 are needed: sigma, rayleigh, beta"),
        ("discretisation", "weights = [1.0]\ndiscretisation", "model.weights"),
    ] {
        std::fs::write(folder.path().join("bad.toml"), flow.replacen(from, to, 1)).unwrap();
        let output = wngd(folder.path(), &["run", "bad.toml"]);
        assert_eq!(code(&output), 2, "{to}");
        assert!(stderr(&output).contains(wanted), "{to}: {}", stderr(&output));
    }
}
