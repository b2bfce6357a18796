//! Input that asks for too much or holds what no file should: a clear error with exit code 2 before anything
//! is allocated, computed or written.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::wngd;

/// An experiment that runs in milliseconds.
const MIXTURE: &str = r#"name = "hostile"
[grid]
lower = [-4.0, -4.0]
upper = [6.0, 6.0]
cells = [12, 12]
[model]
kind = "gaussian-mixture"
weights = [0.3, 0.7]
means = [[2.0, 2.5], [2.0, 1.0]]
[data]
truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }
"#;

const FLOW: &str = r#"name = "hostile"
[grid]
lower = [-4.0, -4.0]
upper = [4.0, 4.0]
cells = 12
[model]
kind = "stationary-density"
system = "van-der-pol"
discretisation = { kind = "upwind", diffusion = 1.0 }
[data]
truth = { theta = [1.5] }
"#;

/// Asserts that a command is refused with the given words and leaves no result.
fn refused(folder: &Path, args: &[&str], words: &[&str]) {
    let output = wngd(folder, args);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
    for word in words {
        assert!(text.contains(word), "{args:?}: \"{word}\" is not in: {text}");
    }
    // A message, not a dump of the input.
    assert!(text.len() < 4000, "{args:?}: {} characters", text.len());
    assert!(!folder.join("result").exists(), "{args:?}");
}

#[test]
fn experiments_that_ask_for_too_much_name_field_and_remedy() {
    let hats = "discretisation = { kind = \"upwind\", diffusion = 1.0 }\nperturbation = { nodes = ";
    let cases: Vec<(&str, &str, String, &[&str])> = vec![
        (MIXTURE, "[12, 12]", "[1000000000, 1000000000]".into(), &["grid.cells", "line 5", "fewer cells"]),
        (MIXTURE, "[12, 12]", "[9223372036854775807, 3]".into(), &["grid.cells", "fewer cells"]),
        (MIXTURE, "[12, 12]", "9223372036854775807".into(), &["grid.cells", "fewer cells"]),
        (
            MIXTURE,
            "[12, 12]",
            "[7000, 7000]\n[[method]]\nmetric = \"wasserstein\"".into(),
            &["grid.cells", "fewer cells"],
        ),
        (MIXTURE, "upper = [6.0, 6.0]", "upper = [1e308, 6.0]".into(), &["grid", "change the units"]),
        (MIXTURE, "lower = [-4.0, -4.0]", "lower = []".into(), &["grid.lower", "1, 2 or 3"]),
        (MIXTURE, "name = \"hostile\"", "name = \"..\"".into(), &["name", "not first"]),
        (
            MIXTURE,
            "[data]",
            "covariance = { full = [[[1.0, 0.2], []], [[1.0, 0.0], [0.0, 1.0]]] }\n[data]".into(),
            &["model.covariance", "d x d matrix"],
        ),
        (MIXTURE, "[data]", "covariance = { isotropic = [1e-320, 1.0] }\n[data]".into(), &["model"]),
        (
            MIXTURE,
            "[data]",
            "[[method]]\nmetric = \"l2\"\nsolver = \"nystrom\"\nprobes = 9223372036854775807\n[data]".into(),
            &["method[0].probes", "100000"],
        ),
        (
            FLOW,
            "discretisation = { kind = \"upwind\", diffusion = 1.0 }",
            format!("{hats}4294967296 }}"),
            &["model.perturbation", "million"],
        ),
        (
            FLOW,
            "discretisation = { kind = \"upwind\", diffusion = 1.0 }",
            format!("{hats}9223372036854775807 }}"),
            &["model.perturbation", "million"],
        ),
        (
            FLOW,
            "kind = \"upwind\", diffusion = 1.0",
            "kind = \"semi-lagrangian\", time = 1e300, step = 1e-300".into(),
            &["discretisation.step", "million"],
        ),
        (
            FLOW,
            "kind = \"upwind\", diffusion = 1.0",
            "kind = \"semi-lagrangian\", points = 9223372036854775807".into(),
            &["points", "1 to 16"],
        ),
        (
            FLOW,
            "system = \"van-der-pol\"",
            "system = \"polynomial\"\ndimension = 3\ndegree = 9223372036854775807".into(),
            &["model.degree", "16"],
        ),
    ];
    for (text, from, to, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(folder.path().join("hostile.toml"), text.replacen(from, &to, 1)).unwrap();
        refused(folder.path(), &["run", "hostile.toml", "--out", "result"], words);
    }
}

#[test]
fn data_that_ask_for_too_much_are_refused_before_they_are_read() {
    let header = |shape: &str| {
        let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.as_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    let wide = ["x"; 100_000].join(",") + "\n1\n";
    let endless = "x,y\n".to_string() + &"1,".repeat(1 << 20);
    let open_quote = "x,y\n1,\"2\n".to_string() + &"3,4\n".repeat(1 << 19);
    let cases: Vec<(&str, &str, Vec<u8>, &[&str])> = vec![
        ("density", "npy", header("(4294967296, 4294967296, 16)"), &["does not fit", "truncated"]),
        ("density", "npy", header("(6148914691236517206, 3)"), &["does not fit"]),
        ("samples", "npy", header("(500000000000, 2)"), &["does not fit"]),
        ("trajectory", "npy", header("(500000000000, 2)"), &["does not fit"]),
        ("trajectory", "npy", header("(18446744073709551615, 18446744073709551615, 0)"), &["no entries"]),
        ("samples", "npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(), &["header of 4294967295 bytes"]),
        (
            "density",
            "npy",
            b"\x93NUMPY\x01\x00\x40\x1f".iter().copied().chain([b'('; 8000]).collect(),
            &["plain array"],
        ),
        ("density", "npy", Vec::new(), &["ends early"]),
        ("samples", "csv", wide.clone().into_bytes(), &["100000 columns for 2", "and 99988 more"]),
        ("trajectory", "csv", wide.into_bytes(), &["100000 columns for 2", "and 99988 more"]),
        ("samples", "csv", endless.clone().into_bytes(), &["a row of more than"]),
        ("trajectory", "csv", endless.into_bytes(), &["a row of more than"]),
        ("trajectory", "csv", open_quote.into_bytes(), &["open quote"]),
        ("trajectory", "csv", b"x,y\n1,inf\n".to_vec(), &["line 2, column y", "not a finite number"]),
        ("trajectory", "csv", b"x,y\n1,1e999\n".to_vec(), &["line 2, column y", "not a finite number"]),
        ("trajectory", "csv", b"".to_vec(), &["the file is empty"]),
        ("trajectory", "csv", b"x,y\n1,2\n".to_vec(), &["1 points", "1000"]),
    ];
    for (key, ending, bytes, words) in cases {
        let folder = tempfile::tempdir().unwrap();
        let name = format!("data.{ending}");
        std::fs::write(folder.path().join(&name), bytes).unwrap();
        let truth = "truth = { weights = [0.3, 0.7], means = [[0.5, 2.0], [2.0, 1.0]] }";
        let text = MIXTURE.replacen(truth, &format!("{key} = \"{name}\""), 1);
        std::fs::write(folder.path().join("hostile.toml"), text).unwrap();
        refused(folder.path(), &["run", "hostile.toml", "--out", "result"], words);
    }
}

#[test]
fn options_that_ask_for_too_much_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let simulate = ["simulate", "--system", "lorenz63", "--out", "result"];
    let with = |more: &[&'static str]| simulate.iter().copied().chain(more.iter().copied()).collect::<Vec<_>>();
    std::fs::write(folder.join("data.csv"), "x,y,z\n1,2,3\n").unwrap();
    let identify = ["identify", "--system", "lorenz63", "--trajectory", "data.csv", "--out", "result"];
    let refused = |args: &[&str], words: &[&str]| refused(folder, args, words);
    refused(&with(&["--points", "1000000000000000000"]), &["--points", "1000000000"]);
    refused(&with(&["--points", "10", "--burn-in", "1e300"]), &["--burn-in", "shorten"]);
    refused(&with(&["--points", "10", "--dt", "1e-300"]), &["--burn-in", "shorten"]);
    refused(&with(&["--points", "10", "--dt", "nan"]), &["--dt", "positive"]);
    refused(&["basin", "mixture-mu1", "--counts", "4294967296,4294967296", "--out", "result"], &["--counts", "100000"]);
    refused(&["sketch", "lorenz", "--probes", "18446744073709551615", "--out", "result"], &["--probes", "100000"]);
    refused(&["sketch", "lorenz", "--seeds", "18446744073709551615", "--out", "result"], &["--seeds", "10000"]);
    refused(&[&identify[..], &["--cells", "18446744073709551615"]].concat(), &["--cells", "4096"]);
    refused(&[&identify[..], &["--replicates", "18446744073709551615"]].concat(), &["--replicates"]);
    refused(&[&identify[..], &["--burn-in", "18446744073709551615"]].concat(), &["--burn-in", "too large"]);
    refused(&[&identify[..], &["--stride", "18446744073709551615"]].concat(), &["--stride", "too large"]);
    refused(&["density", "--system", "lorenz63", "--cells", "4294967296", "--out", "result"], &["--cells", "fewer"]);
    refused(&["run", ".", "--out", "result"], &["is a folder"]);
    std::fs::create_dir(folder.join("folder.csv")).unwrap();
    let identify = ["identify", "--system", "lorenz63", "--trajectory", "folder.csv", "--out", "result"];
    refused(&identify, &["folder.csv", "a folder"]);
}

/// A process that may take a third of what it needs says so and writes nothing.
#[test]
#[cfg(target_os = "linux")]
fn sizes_that_memory_cannot_hold_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let experiment = "name = \"large\"\n[grid]\nlower = [-4.0, -4.0]\nupper = [7.0, 7.0]\ncells = [1024, 1024]\n\
                      [model]\nkind = \"gaussian-mixture\"\nweights = [0.3, 0.7]\nmeans = [[2.2, 2.6], [3.0, 2.0]]\nfree = [\"means\"]\n\
                      [data]\ntruth = { weights = [0.4, 0.6], means = [[1.0, 3.0], [3.0, 2.0]] }\n\
                      [[method]]\nmetric = \"wasserstein\"\n";
    std::fs::write(dir.join("large.toml"), experiment).unwrap();
    let limited = |arguments: &str| {
        let shell = format!("ulimit -v 300000; exec '{}' {arguments}", env!("CARGO_BIN_EXE_wngd"));
        let output = std::process::Command::new("sh").args(["-c", &shell]).current_dir(dir).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        text
    };
    let text = limited("run large.toml --out o --no-figures --threads 1");
    assert!(text.contains("grid.cells") && text.contains("MB") && text.contains("use fewer cells"), "{text}");
    assert!(!dir.join("o/result.json").exists());
    // A table of 320 MB, most of which the disk does not hold.
    let mut table =
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (20000000, 2), }".to_vec();
    table.resize(127, b' ');
    table.push(b'\n');
    std::fs::write(dir.join("t.npy"), &table).unwrap();
    std::fs::File::options().append(true).open(dir.join("t.npy")).unwrap().set_len(128 + 320_000_000).unwrap();
    let text = limited("fit t.npy --components 1 --out f --no-figures --threads 1");
    assert!(text.contains("t.npy") && text.contains("MB"), "{text}");
}
