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
    refused(&with(&["--points", "10", "--dt", "1e-90"]), &["--burn-in", "shorten"]);
    refused(&with(&["--points", "10", "--dt", "1e-300"]), &["--dt", "change the units"]);
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

#[test]
fn numbers_out_of_reach_and_options_without_effect_are_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = |args: &[&str], words: &[&str]| refused(folder, &[args, &["--out", "result"]].concat(), words);
    // Negative numbers are values, not unknown options.
    refused(&["run", "mixture-mu1", "--threads", "-1"], &["--threads"]);
    refused(&["run", "mixture-mu1", "--threads", "9223372036854775808"], &["--threads", "1024"]);
    refused(&["run", "mixture-mu1", "--set", "method[0].damping=1e308"], &["method[0].damping", "1e15"]);
    for damping in ["nan", "-1", "1e308", "5e-324"] {
        refused(&["sketch", "mixture-mu1", "--damping", damping], &["--damping", "1e15"]);
    }
    for level in ["nan", "-1", "1e308", "5e-324"] {
        refused(&["profile", "faithful", "--level", level], &["--level", "standard errors"]);
    }
    refused(&["toys", "mixture-mu1", "--number", "1e308"], &["--number", "1e308 counts"]);
    for side in ["lower", "upper"] {
        let range = format!("basin.{side}=[nan,1.0]");
        for command in ["run", "basin", "profile"] {
            refused(&[command, "mixture-weight", "--set", &range], &[&format!("basin.{side}"), "finite"]);
        }
    }
    let density = |more: &[&'static str]| [&["density", "--system", "van-der-pol", "--cells", "16"], more].concat();
    for value in ["1", "nan"] {
        refused(&density(&["--diffusion", value]), &["--diffusion", "does not use it"]);
    }
    refused(&density(&["--discretisation", "upwind", "--time", "1"]), &["--time", "does not use it"]);
    for (option, bad) in [("--time", "5e-324"), ("--time", "-1"), ("--step", "nan"), ("--restart", "-1")] {
        refused(&density(&[option, bad]), &[&format!("wngd: {option}")]);
    }
    refused(&density(&["--discretisation", "upwind", "--diffusion", "-1"]), &["wngd: --diffusion"]);
    let simulate = ["simulate", "--system", "van-der-pol", "--points", "2000", "--out"];
    for dt in ["5e-324", "1e308", "-1"] {
        let output = wngd(folder, &[&simulate[..], &["t.csv", "--dt", dt]].concat());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && text.contains("--dt") && text.contains("change the units"),
            "{text}"
        );
    }
    assert!(wngd(folder, &[&simulate[..], &["t.csv"]].concat()).status.success());
    let identify =
        |more: &[&'static str]| [&["identify", "--system", "van-der-pol", "--trajectory", "t.csv"], more].concat();
    for (option, value) in [
        ("--cells", "16"),
        ("--binning", "nearest"),
        ("--smoothing", "1"),
        ("--replicates", "3"),
        ("--corrections", "3"),
    ] {
        refused(&identify(&[option, value]), &[option, "only the estimator density"]);
    }
    refused(&identify(&["--dt", "0.1"]), &["--dt", "column of times"]);
}

#[test]
fn a_report_reads_no_more_than_reports_hold() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = ["run", "mixture-mu1", "--out", "o", "--quiet", "--set", "stop.iterations=2"];
    assert!(wngd(dir, &run).status.code().is_some_and(|code| code < 2));
    let enlarge = |name: &str| {
        let path = dir.join("o").join(name);
        let before = std::fs::read(&path).unwrap();
        // Most of it is not on the disk.
        std::fs::File::options().write(true).open(&path).unwrap().set_len(3 << 30).unwrap();
        let output = wngd(dir, &["report", "o"]);
        std::fs::write(&path, before).unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for name in ["run.json", "result.json", "trace-l2.csv"] {
        let (code, text) = enlarge(name);
        assert!(code == Some(2) && text.contains(name) && text.contains("3221225472 bytes"), "{name}: {code:?} {text}");
    }
    // A drawing that is too large for a page is shown as its bitmap, of which no more is read than that may have.
    let (code, text) = enlarge("landscape.svg");
    assert_eq!(code, Some(0), "{text}");
    std::fs::File::options().write(true).open(dir.join("o/landscape.png")).unwrap().set_len(3 << 30).unwrap();
    let (code, text) = enlarge("landscape.svg");
    assert!(code == Some(2) && text.contains("landscape.png"), "{code:?} {text}");
    // A row without an end.
    std::fs::write(dir.join("o/trace-l2.csv"), vec![b'1'; 17 << 20]).unwrap();
    let output = wngd(dir, &["report", "o"]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && text.contains("trace-l2.csv") && text.contains("a row of"), "{text}");
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
    let within = |limit: usize, arguments: &str| {
        let shell = format!("ulimit -v {limit}; exec '{}' {arguments}", env!("CARGO_BIN_EXE_wngd"));
        let output = std::process::Command::new("sh").args(["-c", &shell]).current_dir(dir).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let limited = |arguments: &str| {
        let (code, text) = within(300_000, arguments);
        assert_eq!(code, Some(2), "{text}");
        text
    };
    let text = limited("run large.toml --out o --no-figures --threads 1");
    assert!(text.contains("grid.cells") && text.contains("MB") && text.contains("use fewer cells"), "{text}");
    assert!(!dir.join("o/result.json").exists());
    // Nine tenths of what is needed are too little, and twice of it is enough.
    std::fs::write(dir.join("small.toml"), experiment.replace("[1024, 1024]", "[300, 300]")).unwrap();
    let options = "--out o --threads 1 --quiet";
    for command in [
        format!("run small.toml --no-figures --set stop.iterations=1 {options}"),
        "inspect small.toml --threads 1".into(),
        format!("basin small.toml --counts 1,1 --set stop.iterations=1 {options}"),
        format!("sketch small.toml --seeds 1 --probes 8 {options}"),
        format!("density --system van-der-pol --cells 300 --no-figures {options}"),
        format!("density --system van-der-pol --discretisation upwind --cells 450 --no-figures {options}"),
    ] {
        let (code, text) = within(105_000, &command);
        assert!(code == Some(2) && text.contains("cells") && text.contains("MB"), "{command}: {code:?} {text}");
        assert!(!dir.join("o").exists(), "{command}");
        // About as much as is needed: done or refused, never stopped in the middle.
        for limit in [116_000, 128_000, 140_000, 155_000, 175_000] {
            let (code, text) = within(limit, &command);
            assert!(code == Some(0) || code == Some(2), "{command} in {limit}: {code:?} {text}");
            let _ = std::fs::remove_dir_all(dir.join("o"));
        }
    }
    let (code, text) = within(300_000, &format!("density --system van-der-pol --cells 300 --no-figures {options}"));
    assert_eq!(code, Some(0), "{text}");
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
