//! Models behind UM-Bridge, by the commands: what they come to, and what a server's misdeeds come to.
#![allow(clippy::unwrap_used)]

mod common;
#[path = "../../../tests/common/umbridge.rs"]
mod umbridge;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{code, stderr, stdout, wngd};
use umbridge::{Model, Server, decays, reply};

const TRUTH: [f64; 3] = [0.4, 0.9, 0.2];

/// An experiment on values that the model made; `more` goes into `[model]`.
fn experiment(folder: &Path, server: &Server, more: &str) {
    let values = (decays(3, 12).evaluate)(&TRUTH);
    let rows: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
    std::fs::write(folder.join("v.csv"), format!("v\n{}\n", rows.join("\n"))).unwrap();
    let text = format!(
        "name = \"remote\"\n[model]\nkind = \"um-bridge\"\nurl = \"{}\"\nname = \"forward\"\nstart = [1.0, 1.0, 1.0]\n\
         timeout = 5\nretries = 1\n{more}\n[data]\nvalues = \"v.csv\"\n[[method]]\nmetric = \"l2\"\ndamping = 0\n\
         [stop]\niterations = 60\n",
        server.url()
    );
    std::fs::write(folder.join("x.toml"), text).unwrap();
}

fn result(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("o/result.json")).unwrap()).unwrap()
}

fn theta(result: &serde_json::Value) -> Vec<f64> {
    serde_json::from_value(result["methods"][0]["theta"].clone()).unwrap()
}

fn near(found: &[f64], wanted: &[f64], tolerance: f64) {
    assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < tolerance), "{found:?} {wanted:?}");
}

const RUN: [&str; 6] = ["run", "x.toml", "--out", "o", "--quiet", "--no-figures"];

fn refused(folder: &Path, words: &[&str]) {
    let clock = Instant::now();
    let output = wngd(folder, &RUN);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    words.iter().for_each(|word| assert!(stderr(&output).contains(word), "{word}: {}", stderr(&output)));
    assert!(!folder.join("o").exists(), "nothing is written before all is known to fit");
    assert!(clock.elapsed() < Duration::from_secs(30), "{:?}", clock.elapsed());
}

#[test]
fn plain_values_are_fitted_without_a_grid() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::of(decays(3, 12));
    experiment(folder.path(), &server, "names = [\"a\", \"b\", \"c\"]");
    let output = wngd(folder.path(), &["run", "x.toml", "--out", "o"]);
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let found = result(folder.path());
    near(&theta(&found), &TRUTH, 1e-5);
    assert_eq!(found["names"], serde_json::json!(["a", "b", "c"]));
    assert!(found["methods"][0]["solver_note"].is_string(), "matrix-free unless it is said otherwise: {found}");
    assert!(folder.path().join("o/report.html").exists());
}

#[test]
fn derivatives_that_are_missing_are_made_only_when_asked_for_and_said() {
    let server = |gradient: bool, apply: bool| {
        let model = decays(3, 12);
        let (g, a) = (model.gradient.clone().filter(|_| gradient), model.apply.clone().filter(|_| apply));
        Server::of(Model { gradient: g, apply: a, ..model })
    };
    for (gradient, apply, missing, remark) in [
        (true, false, "ApplyJacobian (Jv)", "central differences of the server's Evaluate"),
        (false, false, "Gradient (vᵀJ)", "central differences of the server's Evaluate, two per parameter"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(gradient, apply);
        experiment(folder.path(), &server, "");
        refused(folder.path(), &["model.finite_differences", missing, "finite_differences = true"]);
        experiment(folder.path(), &server, "finite_differences = true");
        let output = wngd(folder.path(), &RUN);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        near(&theta(&result(folder.path())), &TRUTH, 1e-5);
        assert!(result(folder.path())["notes"].to_string().contains(remark), "{}", result(folder.path()));
    }
    let folder = tempfile::tempdir().unwrap();
    let server = server(false, true);
    experiment(folder.path(), &server, "");
    assert_eq!(code(&wngd(folder.path(), &RUN)), 0);
    near(&theta(&result(folder.path())), &TRUTH, 1e-5);
    assert!(result(folder.path())["notes"].to_string().contains("one ApplyJacobian per parameter"));
}

#[test]
fn derivatives_that_do_not_fit_are_told_before_anything_is_done() {
    for (wrong_gradient, name) in [(true, "gradient"), (false, "apply_jacobian")] {
        let mut model = decays(3, 12);
        let (gradient, apply) = (model.gradient.clone().unwrap(), model.apply.clone().unwrap());
        // A hundredth too large.
        if wrong_gradient {
            model.gradient = Some(Arc::new(move |t, s| gradient(t, s).iter().map(|v| 1.01 * v).collect()));
        } else {
            model.apply = Some(Arc::new(move |t, v| apply(t, v).iter().map(|v| 1.01 * v).collect()));
        }
        let folder = tempfile::tempdir().unwrap();
        let server = Server::of(model);
        experiment(folder.path(), &server, "");
        refused(folder.path(), &[&server.url(), "does not fit Evaluate", name, "derivative_test = false"]);
        experiment(folder.path(), &server, "derivative_test = false");
        assert!(code(&wngd(folder.path(), &RUN)) < 2);
    }
}

#[test]
fn densities_move_by_transport() {
    const CELLS: usize = 60;
    let x = |i: usize| -6.0 + 12.0 * (i as f64 + 0.5) / CELLS as f64;
    let density = move |m: f64, i: usize| (-(x(i) - m).powi(2) / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let model = Model {
        inputs: 1,
        outputs: CELLS,
        evaluate: Arc::new(move |t| (0..CELLS).map(|i| density(t[0], i)).collect()),
        gradient: Some(Arc::new(move |t, s| vec![(0..CELLS).map(|i| s[i] * (x(i) - t[0]) * density(t[0], i)).sum()])),
        apply: Some(Arc::new(move |t, v| (0..CELLS).map(|i| v[0] * (x(i) - t[0]) * density(t[0], i)).collect())),
    };
    let server = Server::of(model);
    let folder = tempfile::tempdir().unwrap();
    let text = |cells: usize, model: &str, truth: &str| {
        format!(
            "name = \"moved\"\n[grid]\nlower = [-6]\nupper = [6]\ncells = [{cells}]\n[model]\n{model}\n[data]\ntruth = {truth}\n\
             [[method]]\nmetric = \"wasserstein\"\nsolver = \"krylov\"\ndamping = 0\n[stop]\niterations = 30\n"
        )
    };
    let bridged = format!("kind = \"um-bridge\"\nurl = \"{}\"\nname = \"forward\"\nstart = [2.5]", server.url());
    std::fs::write(folder.path().join("x.toml"), text(50, &bridged, "{ theta = [-1.0] }")).unwrap();
    refused(folder.path(), &["grid.cells", "60 values and the grid 50 cells"]);
    std::fs::write(folder.path().join("x.toml"), text(CELLS, &bridged, "{ theta = [-1.0] }")).unwrap();
    assert_eq!(code(&wngd(folder.path(), &RUN)), 0);
    let remote = result(folder.path());
    near(&theta(&remote), &[-1.0], 1e-5);
    let own = "kind = \"gaussian-mixture\"\nweights = [1.0]\nmeans = [[2.5]]\nfree = [\"means\"]";
    std::fs::write(folder.path().join("x.toml"), text(CELLS, own, "{ weights = [1.0], means = [[-1.0]] }")).unwrap();
    std::fs::remove_dir_all(folder.path().join("o")).unwrap();
    assert_eq!(code(&wngd(folder.path(), &RUN)), 0);
    let own = result(folder.path());
    assert_eq!(remote["methods"][0]["iterations"], own["methods"][0]["iterations"]);
}

#[test]
fn misdeeds_end_in_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let of = |mischief: fn(&str, usize, &mut std::net::TcpStream) -> Option<()>, words: &[&str]| {
        let server = Server::mischievous(decays(3, 12), 0, mischief);
        experiment(folder.path(), &server, "");
        refused(folder.path(), words);
    };
    of(
        |asked, _, s| (asked == "Evaluate").then(|| reply(s, 200, "{\"output\": [[nan, 1.0]]}")),
        &["x.toml", "model", "outputs of 2 values came, and 12 were stated"],
    );
    let nan = format!("{{\"output\": [[{}1.0]]}}", "nan, ".repeat(11));
    let server =
        Server::mischievous(decays(3, 12), 0, move |asked, _, s| (asked == "Evaluate").then(|| reply(s, 200, &nan)));
    experiment(folder.path(), &server, "");
    refused(folder.path(), &["/Evaluate", "\"forward\"", "no finite number", "start"]);
    of(|asked, _, s| (asked == "Evaluate").then(|| reply(s, 500, "oh")), &["/Evaluate", "status 500 (oh)"]);
    of(|asked, _, _| (asked == "Info").then_some(()), &["model.url", "/Info", "connection"]);
    for (more, words) in [
        ("requests = 0", ["model.requests", "between 1 and 1024"]),
        ("retries = 1001", ["model.retries", "at most 1000"]),
        ("names = [\"a\", \"a\", \"b\"]", ["model.names[1]", "used twice"]),
        ("names = [\"a\"]", ["model.names", "1 names for 3"]),
        ("output = 1", ["model.output", "1 outputs"]),
        ("config = { level = inf }", ["model.config", "level"]),
        ("free = [\"a\"]", ["model.free", "remove it"]),
    ] {
        let server = Server::of(decays(3, 12));
        let more = if more.starts_with("retries") { more.to_string() } else { format!("{more} # ") };
        experiment(folder.path(), &server, &more);
        let text = std::fs::read_to_string(folder.path().join("x.toml")).unwrap().replacen("retries = 1\n", "", 1);
        std::fs::write(folder.path().join("x.toml"), text).unwrap();
        refused(folder.path(), &words);
    }
    let server = Server::of(decays(4, 12));
    experiment(folder.path(), &server, "");
    refused(folder.path(), &["model.start", "3 values, and the server's model has 4 parameters"]);
    let gone = server.url();
    drop(server);
    let output = wngd(folder.path(), &RUN);
    assert!(code(&output) == 2 && stderr(&output).contains("nothing listens there"), "{gone}: {}", stderr(&output));
}

/// The trace of a run, without the column of seconds and what costs are counted from.
fn trace(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("o/trace-l2.csv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        cells.iter().enumerate().filter(|(i, _)| *i != 5).map(|(_, cell)| *cell).collect::<Vec<_>>().join(",")
    };
    text.lines().map(row).collect()
}

#[test]
fn a_server_that_dies_in_a_descent_costs_nothing_that_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::of(decays(3, 12));
    experiment(dir, &server, "");
    assert_eq!(code(&wngd(dir, &RUN)), 0);
    let expected = trace(dir);
    assert!(expected.len() > 5, "{expected:?}");
    let port = server.port;
    drop(server);
    for (endpoint, most) in [("Evaluate", 9), ("Gradient", 4), ("ApplyJacobian", 9)] {
        std::fs::remove_dir_all(dir.join("o")).unwrap();
        // For good, in the middle.
        let dying = Server::mischievous(decays(3, 12), port, move |asked, number, _| {
            (asked == endpoint && number > most).then_some(())
        });
        let output = wngd(dir, &RUN);
        assert_eq!(code(&output), 2, "{endpoint}: {}", stderr(&output));
        for part in [&format!("/{endpoint}, model \"forward\""), "2 times", "go on with: wngd resume o"] {
            assert!(stderr(&output).contains(part), "{part}: {}", stderr(&output));
        }
        assert!(dir.join("o/checkpoint.wngd").exists());
        assert!(!dir.join("o/result.json").exists());
        drop(dying);
        let again = wngd(dir, &["resume", "o", "--quiet"]);
        assert!(code(&again) == 2 && dir.join("o/checkpoint.wngd").exists(), "{}", stderr(&again));
        let alive = Server::mischievous(decays(3, 12), port, |_, _, _| None);
        let output = wngd(dir, &["resume", "o", "--quiet"]);
        assert_eq!(code(&output), 0, "{endpoint}: {}", stderr(&output));
        assert_eq!(trace(dir), expected, "{endpoint}");
        assert!(!dir.join("o/checkpoint.wngd").exists());
        drop(alive);
    }
    // A moment without answers is waited out.
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let ailing = Server::mischievous(decays(3, 12), port, |_, number, _| (number % 20 == 19).then_some(()));
    let output = wngd(dir, &RUN);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(trace(dir), expected);
    drop(ailing);
}

#[test]
fn maps_stop_where_the_server_does_and_go_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let server = Server::of(decays(3, 12));
    experiment(dir, &server, "");
    let text = std::fs::read_to_string(dir.join("x.toml")).unwrap();
    std::fs::write(
        dir.join("x.toml"),
        format!("{text}[basin]\nparameters = [\"theta[0]\", \"theta[1]\"]\nlower = [0.5, 0.5]\nupper = [1.5, 1.5]\ncounts = [3, 2]\n"),
    )
    .unwrap();
    let basin = ["basin", "x.toml", "--out", "o", "--quiet", "--threads", "1"];
    let output = wngd(dir, &basin);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let expected = std::fs::read_to_string(dir.join("o/basin.json")).unwrap();
    let (port, most) = (server.port, server.calls("Gradient") / 2);
    drop(server);
    std::fs::remove_dir_all(dir.join("o")).unwrap();
    let dying = Server::mischievous(decays(3, 12), port, move |asked, number, _| {
        (asked == "Gradient" && number > most).then_some(())
    });
    let output = wngd(dir, &basin);
    assert!(code(&output) == 2 && stderr(&output).contains("wngd resume o"), "{}", stderr(&output));
    drop(dying);
    let alive = Server::mischievous(decays(3, 12), port, |_, _, _| None);
    let output = wngd(dir, &["resume", "o", "--quiet"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(std::fs::read_to_string(dir.join("o/basin.json")).unwrap(), expected);
    drop(alive);
}
