//! Simulation and identification as scripts and people meet them.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::Output;

use common::wngd;
use serde_json::Value;

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
    for part in ["lorenz63 (3 axes)", "x' = sigma*(y - x)", "rayleigh = 28", "van-der-pol", "polynomial"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 90), "{text}");
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
    refused(dir, &identify, "at least 20");
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
        "--estimator",
        "density",
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
    good(wngd(dir, &[&identify[..], &["--estimator", "density", "--out", "o", "--no-figures", "--quiet"]].concat()));
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

/// A quasi-periodic path that fills the square, as CSV.
fn path(rows: usize, line: impl Fn(usize, f64, f64) -> String) -> String {
    let mut text = String::from("t,x,y\n");
    for i in 0..rows {
        let (x, y) = ((0.1 * i as f64).sin(), (0.1 * 2f64.sqrt() * i as f64).cos());
        text.push_str(&line(i, x, y));
    }
    text
}

#[test]
fn unusable_trajectories_are_refused_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let plain = |i: usize, x: f64, y: f64| format!("{i},{x},{y}\n");
    for (text, wanted) in [
        (path(2000, |i, x, y| if i == 7 { "7,nan,0\n".into() } else { plain(i, x, y) }), "line 9, column x: \"nan\""),
        (path(999, plain), "999 points"),
        (path(2000, |i, x, _| format!("{i},{x},0.5\n")), "coordinate 1 "),
        (path(2000, |i, x, y| format!("{i},{x},{y}\n")).replace("t,x,y", "a,b,c"), "3 columns for 2 coordinates"),
        (path(2000, |i, x, y| if i == 7 { "7,1\n".into() } else { plain(i, x, y) }), "line 9"),
    ] {
        std::fs::write(dir.join("t.csv"), text).unwrap();
        let identify = ["identify", "--system", "van-der-pol", "--trajectory", "t.csv", "--estimator", "density"];
        refused(dir, &[&identify[..], &["--out", "o"]].concat(), wanted);
        let file = flow("trajectory = \"t.csv\"", "");
        std::fs::write(dir.join("e.toml"), file).unwrap();
        refused(dir, &["run", "e.toml", "--out", "o"], wanted);
        assert!(!dir.join("o").exists(), "{wanted}");
    }
    std::fs::write(dir.join("t.csv"), path(2000, plain)).unwrap();
    let identify =
        ["identify", "--system", "van-der-pol", "--trajectory", "t.csv", "--estimator", "density", "--out", "o"];
    for (more, wanted) in [
        (&["--burn-in", "1500"][..], "500 points are left"),
        (&["--stride", "0"], "--stride"),
        (&["--smoothing=-1"], "--smoothing"),
        (&["--noise", "0.1,0.1,0.1"], "--noise"),
        (&["--dt", "0"], "--dt"),
        (&["--replicates", "1"], "--replicates"),
        (&["--free", "nu"], "there is no \"nu\"; there are mu"),
        (&["--cells", "8,8,8"], "--cells"),
        // The flow blows up within one map.
        (&["--start", "1e9"], "must stay finite"),
    ] {
        refused(dir, &[&identify[..], more].concat(), wanted);
        assert!(!dir.join("o").exists(), "{wanted}");
    }
    for (from, to, wanted) in [
        ("[model]", "[grid]\nlower = [5.0, 5.0]\nupper = [6.0, 6.0]\n[model]", "none of the 2000 points"),
        ("[model]", "[grid]\nlower = [5.0, 5.0]\n[model]", "grid.upper"),
        ("[model]", "[grid]\ncells = [8]\n[model]", "one per axis"),
        ("#scheme", "discretisation = { kind = \"semi-lagrangian\", time = -1.0 }", "time"),
        ("#scheme", "discretisation = { kind = \"semi-lagrangian\", step = 0.0 }", "step"),
        ("#data", "stride = 0", "data.stride"),
        ("#data", "estimate = \"kernel\"", "data.estimate"),
        ("#end", "[identify]\ndt = -1.0", "identify.dt"),
        ("#end", "[identify]\nreplicates = 1", "identify.replicates"),
        ("#end", "[identify]\n[[method]]\nmetric = \"l2\"", "method"),
    ] {
        let file = flow("trajectory = \"t.csv\"", "").replacen(from, to, 1);
        std::fs::write(dir.join("e.toml"), &file).unwrap();
        refused(dir, &["run", "e.toml", "--out", "o"], wanted);
        assert!(!dir.join("o").exists(), "{wanted}");
    }
}

/// An experiment on van der Pol's oscillator.
fn flow(data: &str, end: &str) -> String {
    format!(
        "name = \"vdp\"\n[model]\nkind = \"stationary-density\"\nsystem = \"van-der-pol\"\ntheta = [1.0]\n#scheme\n[data]\n{data}\n#data\n{end}\n#end\n"
    )
}

fn result(dir: &Path, folder: &str) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join(folder).join("result.json")).unwrap()).unwrap()
}

#[test]
fn an_experiment_file_identifies_as_the_command_does() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for (seed, out) in [("1", "a.csv"), ("2", "b.csv")] {
        let simulate = ["simulate", "--system", "van-der-pol", "--theta", "1.3", "--dt", "0.1", "--noise", "0.05,0.1"];
        good(wngd(dir, &[&simulate[..], &["--points", "8000", "--seed", seed, "--out", out]].concat()));
    }
    let command = ["identify", "--system", "van-der-pol", "--trajectory", "a.csv", "--trajectory", "b.csv"];
    let options = [
        "--estimator",
        "density",
        "--start",
        "1",
        "--cells",
        "24",
        "--burn-in",
        "100",
        "--stride",
        "2",
        "--smoothing",
        "0.5",
    ];
    let noise = ["--noise", "0.05,0.1", "--replicates", "2", "--out", "o", "--quiet", "--no-figures"];
    good(wngd(dir, &[&command[..], &options[..], &noise[..]].concat()));
    let data = "trajectory = [\"a.csv\", \"b.csv\"]\nburn_in = 100\nstride = 2\nsmoothing = 0.5";
    let section = "[grid]\ncells = 24\n[identify]\nestimators = [\"density\"]\nreplicates = 2\nnoise = [0.05, 0.1]";
    std::fs::write(dir.join("e.toml"), flow(data, section)).unwrap();
    good(wngd(dir, &["run", "e.toml", "--out", "r", "--quiet"]));
    let (o, r) = (result(dir, "o"), result(dir, "r"));
    assert_eq!(o["methods"][0]["theta"], r["methods"][0]["theta"]);
    assert_eq!(r["name"], "vdp");
    assert!((r["methods"][0]["theta"][0].as_f64().unwrap() / 1.3 - 1.0).abs() < 0.02, "{r}");
    for figure in ["parameters.svg", "identifiability.png", "trajectories.png", "density-homogeneous-h-1.svg"] {
        assert!(dir.join("r").join(figure).exists(), "{figure}");
    }
    // Without the section it is a plain fit, with the noise of a trajectory.
    std::fs::write(dir.join("e.toml"), flow(data, "[grid]\ncells = 24")).unwrap();
    let text = good(wngd(dir, &["run", "e.toml", "--out", "f"]));
    assert!(
        text.contains("7900 points of the trajectory in the box") && text.contains("objective homogeneous-h-1"),
        "{text}"
    );
    let fit = result(dir, "f");
    assert!(fit["methods"][0]["standard_errors"][0].as_f64().unwrap() > 0.0, "{fit}");
    good(wngd(dir, &["inspect", "e.toml", "--json"]));
    // So is a mixture.
    let mixture = "name = \"m\"\n[grid]\ncells = [20, 20]\n[model]\nkind = \"gaussian-mixture\"\nweights = [1.0]\nmeans = [[0.2, 0.1]]\ncovariance = { diagonal = [[2.0, 2.0]] }\n[data]\ntrajectory = \"a.csv\"\nbinning = \"nearest\"\n";
    std::fs::write(dir.join("m.toml"), mixture).unwrap();
    good(wngd(dir, &["run", "m.toml", "--out", "m", "--quiet", "--no-figures"]));
    let error = result(dir, "m")["methods"][0]["standard_errors"][0].as_f64().unwrap();
    assert!(error > 0.0 && error < 0.5, "{error}");
}

#[test]
fn a_density_is_computed_and_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let density = ["density", "--system", "lorenz63", "--theta", "10,28,2.667", "--cells", "12", "--out", "d"];
    assert!(good(wngd(dir, &density)).contains("box from a simulation"));
    let file: Value = serde_json::from_slice(&std::fs::read(dir.join("d/density.json")).unwrap()).unwrap();
    assert!((file["state"]["mass"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    assert!((file["state"]["mean"][2].as_f64().unwrap() - 23.5).abs() < 1.5, "{file}");
    assert!(dir.join("d/density.png").exists() && dir.join("d/density.npy").exists());
    // Pure upwinding on a coarse grid collapses into the fixed points, and says so.
    let sink = ["density", "--system", "lorenz63", "--discretisation", "upwind", "--diffusion", "0"];
    let boxed = ["--lower", "-25,-30,0", "--upper", "25,30,50", "--cells", "9", "--out", "s", "--no-figures"];
    assert!(good(wngd(dir, &[&sink[..], &boxed[..]].concat())).contains("8 cells"));
    let line = ["density", "--system", "double-well", "--discretisation", "scharfetter-gummel", "--diffusion", "0.2"];
    good(wngd(dir, &[&line[..], &["--lower", "-2.5", "--upper", "2.5", "--out", "l"]].concat()));
    refused(dir, &[&density[..], &["--lower", "0,0,0"]].concat(), "both corners");
    refused(dir, &[&density[..], &["--time", "0"]].concat(), "time");
    refused(dir, &["density", "--system", "lorenz63", "--theta", "1,2", "--out", "n"], "rayleigh");
    refused(dir, &["density", "--system", "lorenz63", "--theta", "-10,28,-3", "--out", "n"], "attractor");
    assert!(!dir.join("n").exists());
}

/// Takes minutes: `cargo test --release -p wngd-cli --test identify -- --ignored --nocapture` prints the figures of the book.
/// A run may say that it cannot give standard errors, and must say why: it covers nothing, and there may be few of them.
#[test]
#[ignore = "takes minutes"]
fn standard_errors_cover_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let (mut covered, mut squares, mut given, mut without) = ([0; 3], [0.0; 3], 0_u32, Vec::new());
    for seed in 101..121 {
        let seed = seed.to_string();
        let simulate = ["simulate", "--system", "lorenz63", "--points", "100000", "--out", "l.npy", "--quiet"];
        good(wngd(dir, &[&simulate[..], &["--seed", &seed]].concat()));
        let identify = ["identify", "--system", "lorenz63", "--trajectory", "l.npy", "--start", "9,26,2.4"];
        let options = [
            "--estimator",
            "density",
            "--cells",
            "16",
            "--dt",
            "0.05",
            "--seed",
            &seed,
            "--out",
            "o",
            "--quiet",
            "--no-figures",
        ];
        let code = wngd(dir, &[&identify[..], &options[..]].concat()).status.code();
        let result = result(dir, "o");
        let method = &result["methods"][0];
        let Some(errors) = method["standard_errors"].as_array() else {
            let why = method["standard_errors_note"].as_str().or(method["reason"].as_str()).unwrap();
            assert!(!why.is_empty() && matches!(code, Some(0 | 1)), "{seed}: {code:?}");
            without.push(format!("{seed}: {why}"));
            continue;
        };
        assert_eq!(code, Some(0), "{seed}: standard errors of a run that failed");
        given += 1;
        for (j, truth) in [10.0, 28.0, 8.0 / 3.0].into_iter().enumerate() {
            let normalised = (method["theta"][j].as_f64().unwrap() - truth) / errors[j].as_f64().unwrap();
            covered[j] += usize::from(normalised.abs() < 2.0);
            squares[j] += normalised * normalised;
        }
    }
    let root_mean_squares = squares.map(|s| (s / f64::from(given)).sqrt());
    eprintln!("{covered:?} of {given}, root mean squares {root_mean_squares:.2?}; without: {without:#?}");
    // Of normal errors 1 in 20 misses; more than 5 in 20 would come about once in three thousand times.
    assert!(given >= 16, "{without:#?}");
    assert!(covered.iter().all(|n| n + 5 >= given as usize), "{covered:?} of {given}");
}

#[test]
fn simulations_are_driven_by_diffusion_last_a_time_and_are_refused_where_stiff() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let relaxing = "variables = [\"x\"]\n[equations]\nx = \"-x\"\n[parameters]\nD = 0.25\n[diffusion]\nx = \"D\"\n";
    std::fs::write(dir.join("relaxing.toml"), relaxing).unwrap();
    let simulate = ["simulate", "--system", "relaxing.toml", "--time", "2000", "--dt", "0.5", "--out"];
    let told = good(wngd(dir, &[&simulate[..], &["x.csv"]].concat()));
    assert!(told.contains("4001 points") && told.contains("[diffusion]"), "{told}");
    let text = std::fs::read_to_string(dir.join("x.csv")).unwrap();
    let x: Vec<f64> = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse().unwrap()).collect();
    let variance = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
    // Stationary variance D.
    assert!(x.len() == 4001 && (variance / 0.25 - 1.0).abs() < 0.15, "{variance}");
    // The same numbers by the same seed, others by another one.
    good(wngd(dir, &[&simulate[..], &["again.csv"]].concat()));
    assert_eq!(text, std::fs::read_to_string(dir.join("again.csv")).unwrap());
    good(wngd(dir, &[&simulate[..], &["other.csv", "--seed", "2"]].concat()));
    assert_ne!(text, std::fs::read_to_string(dir.join("other.csv")).unwrap());
    let stiff =
        "variables = [\"x\", \"y\"]\n[equations]\nx = \"y\"\ny = \"m*(1 - x^2)*y - x\"\n[parameters]\nm = 1000\n";
    std::fs::write(dir.join("stiff.toml"), stiff).unwrap();
    refused(
        dir,
        &["simulate", "--system", "stiff.toml", "--points", "3000", "--dt", "1", "--out", "s.csv"],
        "is stiff",
    );
    assert!(!dir.join("s.csv").exists());
    refused(dir, &["simulate", "--system", "stiff.toml", "--time", "-1", "--out", "s.csv"], "--time");
    let both = ["simulate", "--system", "lorenz63", "--time", "1", "--points", "3", "--out", "s.csv"];
    refused(dir, &both, "cannot be used with");
}

/// `cargo test --release -p wngd-cli --test identify -- --ignored --nocapture parts` identifies from a file of 480 MB, and prints the
/// most memory that the command had and its seconds beside those that the file takes to read.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "writes half a gigabyte"]
fn large_files_are_read_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    good(wngd(folder.path(), &["simulate", "--system", "lorenz63", "--points", "20000000", "--out", "a.npy"]));
    let mut reading = std::time::Instant::now();
    for _ in 0..2 {
        // The second time it is in memory, as it is for the command.
        reading = std::time::Instant::now();
        let mut file = std::fs::File::open(folder.path().join("a.npy")).unwrap();
        std::io::copy(&mut file, &mut std::io::sink()).unwrap();
    }
    let (reading, clock) = (reading.elapsed().as_secs_f64(), std::time::Instant::now());
    let args =
        ["identify", "--system", "lorenz63", "--trajectory", "a.npy", "--dt", "0.05", "--out", "found", "--quiet"];
    let mut child =
        std::process::Command::new(env!("CARGO_BIN_EXE_wngd")).args(args).current_dir(folder.path()).spawn().unwrap();
    let (mut most, status) = (0u64, format!("/proc/{}/status", child.id()));
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).and_then(|v| v.split_whitespace().next());
        most = most.max(peak.map_or(0, |kb| kb.parse::<u64>().unwrap() >> 10));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    println!("{most} MB, {:.2} s beside {reading:.2} s for reading alone", clock.elapsed().as_secs_f64());
    assert!(child.wait().unwrap().success() && most > 0 && most < 120, "{most} MB");
    let result: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path().join("found/result.json")).unwrap()).unwrap();
    assert_eq!((&result["answer"], &result["verdict"]), (&"weak-stationary".into(), &"fits".into()));
    assert!(result["notes"].to_string().contains("20000000 points are read in parts"), "{}", result["notes"]);
    // Asked for by name, another estimator has the points held.
    let args = ["identify", "--system", "lorenz63", "--trajectory", "a.npy", "--dt", "0.05", "--stride", "20000"];
    let text = good(wngd(folder.path(), &[&args[..], &["--estimator", "shooting", "--out", "held"]].concat()));
    assert!(!text.contains("in parts"), "{text}");
}
