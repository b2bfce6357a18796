//! Data as people have them: the files of `formats/` give these samples, values and complaints.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use wngd_experiment::{Experiment, Source};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(name)
}

fn built(name: &str, set: &[&str]) -> Result<Experiment, String> {
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    let source = Source::load(&file(name).display().to_string(), &set).map_err(|e| e.to_string())?;
    Experiment::build(&source).map_err(|e| e.to_string())
}

/// The parameters at the end of the first method, by name.
fn fitted(experiment: &Experiment) -> Vec<(String, f64)> {
    let outcome = experiment.descent(0, 0).run(&experiment.theta0).unwrap();
    experiment.names().into_iter().zip(outcome.last().theta.clone()).collect()
}

/// A fit has these values, up to exchange of two components of one axis.
fn assert_fit(name: &str, set: &[&str], right: [f64; 5], within: f64) -> Experiment {
    let experiment = built(name, set).unwrap();
    let theta = fitted(&experiment);
    let get = |wanted: &str| theta.iter().find(|(name, _)| name == wanted).unwrap().1;
    let (a, b) = (["means[0][0]", "covariances[0]"], ["means[1][0]", "covariances[1]"]);
    let weight = get("weights[0]");
    let forth = [weight, get(a[0]), get(b[0]), get(a[1]), get(b[1])];
    let back = [1.0 - weight, get(b[0]), get(a[0]), get(b[1]), get(a[1])];
    let off = |found: &[f64; 5]| found.iter().zip(&right).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let off = off(&forth).min(off(&back));
    assert!(off < within, "{name}: {theta:?} off by {off}");
    experiment
}

fn notes(experiment: &Experiment) -> String {
    experiment.data.notes.join("\n")
}

#[test]
fn tables_of_every_hand_are_read_and_told() {
    for (name, samples, told) in [
        ("semicolon.toml", 6, "columns are separated by ';'"),
        ("decimal-comma.toml", 6, "decimals are written with a comma"),
        ("tab.toml", 6, "columns are separated by tabs"),
        ("blank.toml", 6, "columns are separated by blanks"),
        ("fortran.toml", 6, ""),
        ("gz.toml", 6, ""),
        ("npz.toml", 6, ""),
        ("headerless.toml", 6, "no header line"),
        ("savetxt.toml", 6, ""),
    ] {
        let experiment = built(name, &[]).unwrap();
        let notes = notes(&experiment);
        assert!(notes.contains(&format!("{samples} samples in the box")), "{name}: {notes}");
        assert!(notes.contains(told), "{name}: {notes}");
    }
}

#[test]
fn names_behind_a_comment_choose_columns() {
    let experiment = built("savetxt.toml", &["data.columns=[\"x\", \"y\"]"]).unwrap();
    assert_eq!(experiment.axes(), ["x", "y"]);
    let error = built("savetxt.toml", &["data.columns=[\"x\", \"z\"]"]).err().unwrap();
    assert!(error.contains("there is no column \"z\""), "{error}");
}

#[test]
fn missing_values_are_an_error_unless_they_are_to_be_skipped() {
    let error = built("missing.toml", &[]).err().unwrap();
    assert!(error.contains("line 5, column x") && error.contains("missing = \"skip\""), "{error}");
    let experiment = built("missing.toml", &["data.missing=skip"]).unwrap();
    assert!(notes(&experiment).contains("1 rows with missing values are left out"));
    assert!(notes(&experiment).contains("4 samples in the box"));
}

#[test]
fn keys_of_files_are_checked() {
    for (set, told) in [
        ("data.separator=x", "data.separator: \"x\" is none"),
        ("data.decimal=5", "data.decimal"),
        ("data.missing=drop", "take \"error\" or \"skip\""),
    ] {
        let error = built("semicolon.toml", &[set]).err().unwrap();
        assert!(error.contains(told), "{error}");
    }
    built("semicolon.toml", &["data.separator=;", "data.decimal=."]).unwrap();
    let error = built("semicolon.toml", &["data.separator=,"]).err().unwrap();
    assert!(error.contains("1 column for 2 coordinates"), "{error}");
}

#[test]
fn files_of_other_kinds_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(file("semicolon.toml")).unwrap();
    for (name, start, told) in [
        ("x.parquet", &b"PAR1\x15\x04\x15"[..], "Parquet"),
        ("x.h5", b"\x89HDF\r\n\x1a\n\0\0", "HDF5"),
        ("x.csv", b"\x89PNG\r\n\x1a\n\0", "PNG"),
        ("x.csv", b"x\0,\0y\0", "binary"),
        ("x.csv.gz", b"\x1f\x8bbroken", "packed with gzip and cannot be unpacked"),
    ] {
        std::fs::write(folder.path().join(name), start).unwrap();
        let path = folder.path().join("x.toml");
        std::fs::write(&path, text.replace("semicolon.csv", name)).unwrap();
        let source = Source::load(&path.display().to_string(), &[]).unwrap();
        let error = Experiment::build(&source).err().unwrap().to_string();
        assert!(error.contains(told), "{name}: {error}");
    }
}

/// An experiment on a table that a test writes.
fn on_table(table: &str, grid: &str, data: &str) -> Result<Experiment, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.csv"), table).unwrap();
    let text = format!(
        "name = \"t\"\n{grid}\n[model]\nkind = \"gaussian-mixture\"\nweights = [1.0]\nmeans = [[0.3]]\n\
         covariance = {{ isotropic = 1.5 }}\nfree = [\"means\", \"covariances\"]\n[data]\n{data}\n"
    );
    let path = folder.path().join("t.toml");
    std::fs::write(&path, text).unwrap();
    let source = Source::load(&path.display().to_string(), &[]).map_err(|e| e.to_string())?;
    Experiment::build(&source).map_err(|e| e.to_string())
}

const BOX: &str = "[grid]\nlower = [-5.0]\nupper = [5.0]\ncells = [100]";

/// Counts of a Gaussian of mean 0.5 and variance 1 in bins of 0.25 from −5 to 6.
fn gaussian_bins() -> Vec<(f64, f64, f64)> {
    let bin = |i: usize| {
        let left = -5.0 + 0.25 * i as f64;
        let density = |x: f64| (-(x - 0.5) * (x - 0.5) / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        // Simpson over the bin.
        let mass = (density(left) + 4.0 * density(left + 0.125) + density(left + 0.25)) * 0.25 / 6.0;
        (left, left + 0.25, mass)
    };
    (0..44).map(bin).collect()
}

#[test]
fn samples_count_with_their_weights() {
    let samples: Vec<f64> = (0..400).map(|i| -3.0 + 6.0 * (i as f64 + 0.5) / 400.0).collect();
    // Uniform samples with the weights of a Gaussian are samples of it.
    let rows: String = samples.iter().map(|x| format!("{x},{}\n", (-x * x / 2.0).exp())).collect();
    let experiment = on_table(&format!("x,w\n{rows}"), BOX, "samples = \"t.csv\"\nweights = \"w\"").unwrap();
    assert!(
        notes(&experiment).contains("samples count with column w: their scatter is that of 235.1"),
        "{}",
        notes(&experiment)
    );
    let theta = fitted(&experiment);
    assert!(theta[0].1.abs() < 0.01, "{theta:?}");
    let error = on_table("x,w\n0.1,1\n0.2,-1\n", BOX, "samples = \"t.csv\"\nweights = \"w\"").err().unwrap();
    assert!(error.contains("data.weights") && error.contains("sample 1 is -1"), "{error}");
    let error = on_table("x,w\n0.1,1\n", BOX, "samples = \"t.csv\"\nweights = \"u\"").err().unwrap();
    assert!(error.contains("there is no column \"u\""), "{error}");
}

#[test]
fn a_histogram_makes_its_grid() {
    let rows: String = gaussian_bins().iter().map(|(l, r, p)| format!("{l};{r};{}\n", (p * 1e6).round())).collect();
    let data = "histogram = \"t.csv\"\nedges = [\"left\", \"right\"]\ncounts = \"n\"";
    let experiment = on_table(&format!("left;right;n\n{rows}"), "", data).unwrap();
    assert_eq!(experiment.objective.name(), "kl");
    let grid = experiment.ground.maybe_grid().unwrap();
    assert_eq!((grid.lower(), grid.upper(), grid.cells()), (&[-5.0][..], &[6.0][..], &[44][..]));
    let theta = fitted(&experiment);
    assert!((theta[0].1 - 0.5).abs() < 0.01 && (theta[1].1 - 1.0).abs() < 0.02, "{theta:?}");
    let error = on_table(&format!("left;right;n\n{rows}"), BOX, data).err().unwrap();
    assert!(error.contains("grid.lower: the edges of the histogram make the grid"), "{error}");
}

#[test]
fn a_histogram_with_a_background_subtracted_is_fitted_in_l2() {
    let rows: String = gaussian_bins()
        .iter()
        .enumerate()
        .map(|(i, (l, r, p))| format!("{l},{r},{}\n", p * 1e3 + [1.5, -1.5][i % 2]))
        .collect();
    let table = format!("left,right,n\n{rows}");
    let data = "histogram = \"t.csv\"\nedges = [\"left\", \"right\"]\ncounts = \"n\"";
    let experiment = on_table(&table, "", data).unwrap();
    assert_eq!(experiment.objective.name(), "l2");
    assert!(notes(&experiment).contains("counts are negative: no standard errors"), "{}", notes(&experiment));
    let theta = fitted(&experiment);
    assert!((theta[0].1 - 0.5).abs() < 0.02 && (theta[1].1 - 1.0).abs() < 0.03, "{theta:?}");
    let error = on_table(&table, "[objective]\nkind = \"kl\"", data).err().unwrap();
    assert!(error.contains("take objective \"l2\" or \"homogeneous-h-1\""), "{error}");
}

#[test]
fn bins_that_make_no_grid_are_named() {
    let data = "histogram = \"t.csv\"\nedges = [\"left\", \"right\"]\ncounts = \"n\"";
    for (rows, told) in [
        ("0,1,3\n2,3,4\n", "there is no bin between 1 and 2"),
        ("0,1,3\n0.5,1.5,4\n", "overlap"),
        ("0,1,3\n1,3,4\n", "widths from 1 to 2"),
        ("1,0,3\n1,2,4\n", "has no width"),
        ("0,1,3\n1,2,4\n0,1,3\n", "is there twice"),
        ("0,1,0\n1,2,0\n", "their sum is 0"),
    ] {
        let error = on_table(&format!("left,right,n\n{rows}"), "", data).err().unwrap();
        assert!(error.contains(told), "{error}");
    }
    let error =
        on_table("left,right,n\n0,1,3\n1,2,4\n", "", "histogram = \"t.csv\"\nedges = [\"left\"]\ncounts = \"n\"");
    assert!(error.err().unwrap().contains("data.edges: 1 columns for 1 axes"));
}

#[test]
fn densities_of_another_mass_give_their_shape() {
    let shape = [0.602, -1.00, 1.993, 0.258, 0.627];
    // 0.0009 times the counts of `counts.toml`, so that the shape is theirs.
    let of_counts = [0.5976, -0.9979, 1.9960, 0.2505, 0.6649];
    let experiment = assert_fit("efficiency90.toml", &[], of_counts, 1e-4);
    assert!(notes(&experiment).contains("the data's mass is 0.900000"), "{}", notes(&experiment));
    assert_fit("half.toml", &[], shape, 0.01);
    assert_fit("probabilities.toml", &[], shape, 0.01);
    let least_squares = [0.597, -1.003, 1.995, 0.248, 0.665];
    assert_fit("efficiency90.toml", &["objective.kind=l2"], least_squares, 0.01);
    let experiment = built("kl-negative-mass-0.9.toml", &[]).unwrap();
    let by_fisher_rao = experiment.methods.iter().position(|method| method.metric == "fisher-rao").unwrap();
    let outcome = experiment.descent(by_fisher_rao, 0).run(&experiment.theta0).unwrap();
    assert!((outcome.last().theta[1] - 1.0).abs() < 0.01, "{:?}", outcome.last().theta);
}

#[test]
fn counts_are_no_density_unless_they_are_made_one() {
    let error = built("counts.toml", &[]).err().unwrap();
    assert!(error.contains("are counts, no density") && error.contains("normalise = true"), "{error}");
    assert_fit("counts.toml", &["data.normalise=true"], [0.598, -0.998, 1.996, 0.250, 0.664], 0.02);
    let error = built("probabilities.toml", &["objective.kind=l2"]).err().unwrap();
    assert!(error.contains("the mass is 0.1") && error.contains("normalise = true"), "{error}");
}

#[test]
fn subtracting_a_background_leaves_negative_entries() {
    let experiment = assert_fit("background-subtracted.toml", &[], [0.597, -1.001, 2.018, 0.245, 0.574], 0.005);
    assert!(notes(&experiment).contains("entries are negative"));
    built("background-subtracted.toml", &["objective.kind=homogeneous-h-1"]).unwrap();
    let error = built("background-subtracted.toml", &["objective.kind=kl"]).err().unwrap();
    assert!(error.contains("kl compares masses >= 0; take objective \"l2\""), "{error}");
}

#[test]
fn angles_go_round() {
    let open = built("angles.toml", &[]).unwrap();
    assert!(notes(&open).contains("dense at both ends of deg"), "{}", notes(&open));
    let experiment = built("angles.toml", &["grid.periodic=[true]"]).unwrap();
    let theta = fitted(&experiment);
    let right = [
        ("weights[0]", 0.600, 0.01),
        ("covariances[0]", 214.5, 4.0),
        ("means[1][0]", 181.1, 0.5),
        ("covariances[1]", 413.8, 8.0),
    ];
    for (name, value, within) in right {
        let found = theta.iter().find(|(n, _)| n == name).unwrap().1;
        assert!((found - value).abs() < within, "{theta:?}");
    }
    let mean = theta.iter().find(|(n, _)| n == "means[0][0]").unwrap().1.rem_euclid(360.0);
    assert!((mean - 359.5).abs() < 0.3, "{theta:?}");
    let error = built("angles.toml", &["grid.periodic=[true, false]"]).err().unwrap();
    assert!(error.contains("grid.periodic: 2 values for 1 axes"), "{error}");
}

#[test]
fn angles_beyond_the_box_are_brought_into_it() {
    let rows: String = (0..200).map(|i| format!("{}\n", (i as f64 * 0.7).sin() * 20.0)).collect();
    let grid = "[grid]\nlower = [0.0]\nupper = [360.0]\ncells = [180]\nperiodic = [true]";
    let experiment = on_table(&format!("deg\n{rows}"), grid, "samples = \"t.csv\"").unwrap();
    assert!(notes(&experiment).contains("200 samples in the box"), "{}", notes(&experiment));
}

#[test]
fn a_row_of_sentinels_in_a_trajectory_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let t = i as f64 * 0.05;
        if i == 777 { format!("{t},-999,-999\n") } else { format!("{t},{},{}\n", 2.0 * t.sin(), 2.0 * t.cos()) }
    };
    let table = format!("t,x,y\n{}", (0..2000).map(row).collect::<String>());
    std::fs::write(folder.path().join("raw.csv"), &table).unwrap();
    std::fs::write(folder.path().join("na.csv"), table.replace("-999", "NA")).unwrap();
    let text = "name = \"t\"\n[model]\nkind = \"stationary-density\"\nsystem = \"van-der-pol\"\n[data]\ntrajectory = \"raw.csv\"\n";
    let build = |text: String| {
        let path = folder.path().join("t.toml");
        std::fs::write(&path, text).unwrap();
        let source = Source::load(&path.display().to_string(), &[]).unwrap();
        Experiment::build(&source).map_err(|e| e.to_string())
    };
    let error = build(text.to_string()).err().unwrap();
    assert!(error.contains("row 778 (x = -999) is") && error.contains("standard deviations"), "{error}");
    let error = build(text.replace("raw", "na")).err().unwrap();
    assert!(error.contains("line 779, column x: \"NA\" is a missing value"), "{error}");
    let skipped = build(format!("{}missing = \"skip\"\n", text.replace("raw", "na"))).unwrap();
    assert!(notes(&skipped).contains("1 rows with missing values are left out"), "{}", notes(&skipped));
}
