//! `wngd profile` and `wngd toys`: values of iminuit's MINOS, pulls, threads, interruption, refusals.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{code, stderr, stdout, wngd};
use serde_json::Value;

/// Waiting times of Old Faithful in bins of 2 minutes from 40 to 100: all 272, and every fourth row from the first.
const ALL: [u32; 30] =
    [0, 1, 3, 9, 8, 11, 12, 15, 7, 11, 6, 7, 7, 3, 3, 9, 8, 14, 21, 25, 21, 26, 16, 8, 9, 7, 3, 1, 1, 0];
const FOURTH: [u32; 30] = [0, 1, 1, 1, 4, 7, 3, 4, 1, 1, 3, 2, 2, 3, 0, 3, 4, 3, 3, 7, 4, 2, 3, 3, 2, 0, 0, 0, 1, 0];

/// The data of iminuit's tutorial on cost functions: `rng = numpy.random.default_rng(1)`, 1000 of `rng.normal(1, 0.1)` and
/// 1000 of `rng.exponential()`, in 50 bins from 0 to 2.
const TUTORIAL: [u32; 50] = [
    42, 41, 40, 35, 29, 29, 25, 24, 28, 30, 30, 24, 24, 22, 15, 22, 20, 25, 32, 35, 53, 73, 125, 145, 165, 187, 140,
    118, 58, 51, 24, 17, 16, 12, 8, 11, 12, 13, 7, 5, 11, 8, 6, 8, 11, 4, 4, 6, 7, 7,
];

/// Two Gaussians on a histogram, with more of an experiment file behind.
fn experiment(folder: &Path, counts: &[u32], more: &str) {
    let mut text = "left,right,n\n".to_string();
    for (i, n) in counts.iter().enumerate() {
        text.push_str(&format!("{},{},{n}\n", 40 + 2 * i, 42 + 2 * i));
    }
    std::fs::write(folder.join("h.csv"), text).unwrap();
    let text = format!(
        "name = \"waiting\"\n[model]\nkind = \"gaussian-mixture\"\nweights = [0.4, 0.6]\nmeans = [[54.0], [80.0]]\n\
         covariance = {{ isotropic = [30.0, 30.0] }}\nfree = [\"weights\", \"means\", \"covariances\"]\n\
         [data]\nhistogram = \"h.csv\"\n{more}"
    );
    std::fs::write(folder.join("e.toml"), text).unwrap();
}

/// A Gaussian peak over an exponential background, with yields.
fn peak(folder: &Path, counts: &[u32], more: &str) {
    let mut text = "left,right,n\n".to_string();
    for (i, n) in counts.iter().enumerate() {
        text.push_str(&format!("{:.2},{:.2},{n}\n", 0.04 * i as f64, 0.04 * (i + 1) as f64));
    }
    std::fs::write(folder.join("h.csv"), text).unwrap();
    let text = format!(
        "name = \"tutorial\"\n[model]\nkind = \"components\"\ncomponents = [\n\
         {{ kind = \"gaussian\", name = \"peak\", mean = 1.0, sigma = 0.1, yield = 900.0 }},\n\
         {{ kind = \"exponential\", name = \"background\", tau = 1.0, yield = 800.0 }},\n]\n\
         [data]\nhistogram = \"h.csv\"\n{more}"
    );
    std::fs::write(folder.join("e.toml"), text).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// iminuit 2.33.0: `Minuit(BinnedNLL(counts, edges, cdf))` with the sum of two normal distribution functions of scipy,
/// divided by what of it is between 40 and 100, strategy 2, tolerance 1e-4: `values`, `merrors`. The third is the peak of
/// iminuit's tutorial on cost functions, `ExtendedBinnedNLL` with 50 bins.
struct Reference {
    counts: &'static [u32],
    /// Writes the experiment.
    experiment: fn(&Path, &[u32], &str),
    /// The pair of the contours.
    contour: &'static str,
    values: [f64; 5],
    minos: [[f64; 2]; 5],
    /// Extents of `mncontour(cl = 0.683 and 0.95, size = 60)` of the pair: from, to of each. One is not
    /// taken: for every fourth row at 95 % it gives 0.690 as the largest weight, where Migrad with the weight held finds a
    /// rise of 6.84; by Migrad the rise is 5.968 at 0.605 and 5.99 at 0.606.
    contours: [[f64; 4]; 2],
}

const REFERENCES: [Reference; 3] = [
    Reference {
        counts: &ALL,
        experiment,
        contour: "weights[0],means[0][0]",
        values: [0.3627420148, 55.0342367238, 80.6059778045, 37.4497002728, 35.4832850065],
        minos: [
            [-0.0316177795, 0.0323931600],
            [-0.7389094594, 0.7706744462],
            [-0.5377072200, 0.5157816613],
            [-6.9598807618, 9.5938176284],
            [-4.6252315446, 5.7083074479],
        ],
        contours: [
            [0.3151245721, 0.4121506013, 53.9169942562, 56.2282408146],
            [0.2867568099, 0.4434915303, 53.2209260640, 57.0741148788],
        ],
    },
    Reference {
        counts: &FOURTH,
        experiment,
        contour: "weights[0],means[0][0]",
        values: [0.3148733565, 51.2123812525, 75.7483203947, 12.7484538240, 88.5812235910],
        minos: [
            [-0.0689223838, 0.0874364567],
            [-0.9672455845, 1.7592759152],
            [-1.9280252036, 2.0185988900],
            [-4.7890289721, 15.4646944930],
            [-28.4134739982, 40.0527680336],
        ],
        contours: [
            [0.2065591857, 0.4771495881, 49.7628355356, 54.6732845752],
            [0.0764572482, 0.606, 48.7966667420, 57.9071700312],
        ],
    },
    Reference {
        counts: &TUTORIAL,
        experiment: peak,
        contour: "peak_yield,peak_sigma",
        values: [1013.5569764569, 0.9971463023, 0.1010278107, 870.4437584681, 1.0498493007],
        minos: [
            [-36.6389733041, 37.3120244811],
            [-0.0039244744, 0.0039122988],
            [-0.0035054739, 0.0036378996],
            [-34.5614135716, 35.4120321203],
            [-0.0706437488, 0.0802776839],
        ],
        contours: [
            [958.333627, 1070.43575, 0.0957620105, 0.106596741],
            [925.057526, 1106.09235, 0.0926622741, 0.110184737],
        ],
    },
];

#[test]
fn intervals_and_contours_are_those_of_minos_to_a_hundredth_of_an_error() {
    for reference in REFERENCES {
        let folder = tempfile::tempdir().unwrap();
        (reference.experiment)(folder.path(), reference.counts, "");
        let output =
            wngd(folder.path(), &["profile", "e.toml", "--contour", reference.contour, "--out", "p", "--quiet"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let found = json(&folder.path().join("p/profile.json"));
        assert_eq!(found["of"], "likelihood");
        for (j, entry) in found["profiles"].as_array().unwrap().iter().enumerate() {
            let [lower, upper] = reference.minos[j];
            let size = 0.5 * (upper - lower);
            let close = |found: &Value, expected: f64| {
                let gap = (number(found) - expected).abs();
                assert!(gap <= 0.01 * size, "{}: {found} against {expected}", entry["parameter"]);
            };
            close(&entry["estimate"], reference.values[j]);
            close(&entry["lower_error"], -lower);
            close(&entry["upper_error"], upper);
            let rises: Vec<f64> = entry["rises"].as_array().unwrap().iter().map(number).collect();
            assert!(rises.len() > 20 && rises[0] > 3.0 && *rises.last().unwrap() > 3.0, "{rises:?}");
            assert!(folder.path().join(format!("p/{}.svg", entry["figure"].as_str().unwrap())).is_file());
        }
        let variance = number(&found["covariance"][0][0]);
        assert!((variance.sqrt() / number(&found["standard_errors"][0]) - 1.0).abs() < 1e-12, "{variance}");
        if reference.contour.starts_with("peak") {
            // Yields of Poisson counts are nearly independent; with the total held they would be as one.
            let c = |i: usize, j: usize| number(&found["covariance"][i][j]);
            let r = c(0, 3) / (c(0, 0) * c(3, 3)).sqrt();
            assert!((-0.4..-0.2).contains(&r), "{r}");
        }
        let corner = std::fs::read_to_string(folder.path().join("p/covariance.svg")).unwrap();
        assert!(corner.contains("dashed: likelihood profiles"));
        let contour = &found["contours"][0];
        for (level, extent) in contour["levels"].as_array().unwrap().iter().zip(reference.contours) {
            assert_eq!(level["closed"], true);
            let points = level["points"].as_array().unwrap();
            for axis in 0..2 {
                let values: Vec<f64> = points.iter().map(|p| number(&p[axis])).collect();
                let (from, to) = (extent[2 * axis], extent[2 * axis + 1]);
                let least = values.iter().copied().fold(f64::INFINITY, f64::min);
                let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                // 64 directions here and 60 points there leave up to a hundredth of a diameter out.
                let room = 0.01 * (to - from);
                assert!((least - from).abs() <= room && (most - to).abs() <= room, "{least} {most} {extent:?}");
            }
        }
    }
}

#[test]
fn a_bound_ends_a_profile_and_says_so_and_a_prior_makes_it_the_posteriors() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[parameters]\n\"weights[0]\" = { lower = 0.34 }\n\"means[0]\" = { prior = { normal = [54.0, 0.5] } }\n";
    experiment(folder.path(), &ALL, more);
    let output = wngd(folder.path(), &["profile", "e.toml", "--out", "p", "--no-figures"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let found = json(&folder.path().join("p/profile.json"));
    assert_eq!(found["of"], "posterior");
    let weight = &found["profiles"][0];
    assert!(weight["lower"].is_null() && weight["upper"].is_number(), "{weight}");
    assert!(stdout(&output).contains("no end of the interval below") && stdout(&output).contains("MAP"));
    // 1/(1/0.755² + 1/0.5²)^½ = 0.417.
    let error = number(&found["profiles"][1]["upper_error"]);
    assert!((0.38..0.45).contains(&error), "{error}");
    let report = std::fs::read_to_string(folder.path().join("p/report.html")).unwrap();
    assert!(report.contains("posterior") && report.contains("no end of the interval below"));
}

#[test]
fn pulls_are_normal_the_same_on_any_number_of_threads_and_an_interrupted_command_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), &ALL, "");
    let toys = |threads: &str, out: &str| {
        let args =
            ["toys", "e.toml", "--count", "150", "--seed", "3", "--threads", threads, "--out", out, "--no-figures"];
        let output = wngd(folder.path(), &args);
        assert!(code(&output) < 2, "{}", stderr(&output));
        let mut found = json(&folder.path().join(out).join("toys.json"));
        found["seconds"] = Value::Null;
        found
    };
    let one = toys("1", "one");
    assert!(one == toys("3", "three"), "bits differ between 1 and 3 threads");
    assert_eq!(one["toys"].as_array().unwrap().len(), 150);
    let converged = one["statuses"][0]["count"].as_u64().unwrap();
    assert!(one["statuses"][0]["status"] == "converged" && converged > 145, "{}", one["statuses"]);
    for entry in one["parameters"].as_array().unwrap() {
        let (mean, width) = (number(&entry["pull_mean"]), number(&entry["pull_width"]));
        // Four standard errors of 150 pulls, and what small samples do to variances.
        assert!(mean.abs() < 0.45 && (width - 1.0).abs() < 0.3, "{entry}");
        assert!((number(&entry["coverage_1"]) - 0.683).abs() < 0.16, "{entry}");
    }
    // A toy is its seed and its index: the first of fewer are the same.
    let few = ["toys", "e.toml", "--count", "5", "--seed", "3", "--out", "few", "--quiet"];
    wngd(folder.path(), &few);
    let few = json(&folder.path().join("few/toys.json"));
    assert_eq!(few["toys"].as_array().unwrap()[..], one["toys"].as_array().unwrap()[..5]);
    assert!(folder.path().join("few/pulls.png").is_file() && folder.path().join("few/report.html").is_file());
}

#[cfg(unix)]
#[test]
fn interrupted_toys_go_on_to_the_same_result() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), &ALL, "");
    let args = ["toys", "e.toml", "--count", "3000", "--seed", "5", "--no-figures", "--quiet"];
    let mut child = Command::new(env!("CARGO_BIN_EXE_wngd"))
        .args(args)
        .args(["--out", "stopped"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = folder.path().join("stopped/checkpoint.wngd");
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(30)
        && !std::fs::read_to_string(&checkpoint).is_ok_and(|text| text.lines().count() > 20)
        && child.try_wait().unwrap().is_none()
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    if checkpoint.is_file() {
        assert_eq!(status.code(), Some(1));
        assert!(!folder.path().join("stopped/toys.json").exists());
        let output = wngd(folder.path(), &["resume", "stopped", "--quiet"]);
        assert!(code(&output) < 2, "{}", stderr(&output));
    }
    wngd(folder.path(), &[&args[..], &["--out", "whole"]].concat());
    let [stopped, whole] = ["stopped", "whole"].map(|name| {
        let mut found = json(&folder.path().join(name).join("toys.json"));
        found["seconds"] = Value::Null;
        found
    });
    assert!(stopped == whole, "an interrupted command ends elsewhere");
}

#[test]
fn what_has_no_likelihood_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    experiment(folder.path(), &ALL, "[objective]\nkind = \"l2\"\n");
    let refused = |args: &[&str], parts: &[&str]| {
        let output = wngd(folder.path(), args);
        assert_eq!(code(&output), 2, "{args:?}");
        let text = stderr(&output);
        assert!(parts.iter().all(|part| text.contains(part)), "{args:?}: {text}");
    };
    refused(&["profile", "e.toml"], &["no likelihood", "objective.kind = \"kl\""]);
    let kl = ["--set", "objective.kind=kl"];
    refused(
        &[&["profile", "e.toml", "--parameters", "means"], &kl[..]].concat(),
        &["--parameters", "free are weights[0]"],
    );
    refused(&[&["profile", "e.toml", "--contour", "a"], &kl[..]].concat(), &["--contour", "two names"]);
    refused(&[&["profile", "e.toml", "--level", "0"], &kl[..]].concat(), &["--level", "0.0 given", "between 1e-6"]);
    refused(&["profile", "mixture-mu1", "--set", "objective.kind=kl"], &["not counted", "histogram"]);
    refused(&["toys", "mixture-mu1"], &["--number", "how many counts"]);
    refused(&["toys", "e.toml", "--count", "0"], &["--count", "between 1"]);
    refused(&["toys", "e.toml", "--number", "-3"], &["--number", "between 1"]);
    assert!(!folder.path().join("runs").exists());
    // A truth needs no counts of its own.
    let args = ["toys", "mixture-mu1", "--number", "2000", "--count", "3", "--out", "t", "--quiet", "--no-figures"];
    let output = wngd(folder.path(), &args);
    assert!(code(&output) < 2, "{}", stderr(&output));
    let found = json(&folder.path().join("t/toys.json"));
    assert_eq!((&found["from"], found["number"].as_f64()), (&Value::from("truth"), Some(2000.0)));
}

#[test]
fn a_normal_prior_gives_the_closed_form() {
    // n counts of Poisson's law with mean y and a normal prior of y: the maximum of n ln y − y − (y − m)²/2s² is the
    // positive root of y² + (s² − m) y − n s² = 0.
    let (n, m, s) = (200.0f64, 150.0f64, 8.0f64);
    let folder = tempfile::tempdir().unwrap();
    let bins: String = (0..4).map(|i| format!("{i},{},50\n", i + 1)).collect();
    std::fs::write(folder.path().join("h.csv"), format!("left,right,n\n{bins}")).unwrap();
    let text = format!(
        "name = \"counts\"\n[model]\nkind = \"components\"\ncomponents = [{{ kind = \"uniform\", yield = 180.0 }}]\n\
         [data]\nhistogram = \"h.csv\"\n[parameters]\nuniform_yield = {{ prior = {{ normal = [{m}, {s}] }} }}\n"
    );
    std::fs::write(folder.path().join("e.toml"), text).unwrap();
    let output = wngd(folder.path(), &["profile", "e.toml", "--out", "p", "--quiet", "--no-figures"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let entry = &json(&folder.path().join("p/profile.json"))["profiles"][0];
    let half = 0.5 * (m - s * s);
    let expected = half + (half * half + n * s * s).sqrt();
    let found = number(&entry["estimate"]);
    assert!((found / expected - 1.0).abs() < 1e-6, "{found} instead of {expected}");
    // Its curvature, 1/y of the model's information or n/y² of the counts seen, and 1/s².
    let error = number(&entry["standard_error"]);
    let by = |information: f64| (information + 1.0 / (s * s)).sqrt().recip();
    let near = [1.0 / expected, n / (expected * expected)].iter().any(|i| (error / by(*i) - 1.0).abs() < 1e-4);
    assert!(near, "{error}");
}
