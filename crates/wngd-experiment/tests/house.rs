//! What it takes to add a thing that a user can name: where the names of members stand, counted.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Rust sources below the crates; tests, examples and fuzz targets left out unless asked for.
fn sources(tests: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let left_out = ["tests", "examples", "benches", "fuzz"].contains(&name.as_str()) && !tests;
                if !left_out && name != "target" {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Files whose code, tests left out, holds a text.
fn holding(text: &str) -> Vec<String> {
    let holds = |path: &PathBuf| {
        let source = std::fs::read_to_string(path).unwrap();
        source.split("#[cfg(test)]").next().unwrap_or_default().contains(text)
    };
    let shown = |path: PathBuf| path.strip_prefix(root()).unwrap().display().to_string();
    sources(false).into_iter().filter(holds).map(shown).collect()
}

/// Those outside the crates of the mathematics.
fn of_tool(found: Vec<String>) -> Vec<String> {
    found.into_iter().filter(|f| f.contains("wngd-experiment") || f.contains("wngd-cli")).collect()
}

#[test]
fn a_metric_is_one_file_and_one_word() {
    assert_eq!(of_tool(holding("\"h1\"")), ["crates/wngd-experiment/src/metrics/h1.rs"]);
    assert_eq!(of_tool(holding(" h1,")), ["crates/wngd-experiment/src/metrics/mod.rs"]);
}

#[test]
fn a_model_is_one_file_and_one_word() {
    assert_eq!(holding("struct Conductivity"), ["crates/wngd-experiment/src/models/diffusion.rs"]);
    assert_eq!(of_tool(holding("models::Diffusion")), ["crates/wngd-experiment/src/models/diffusion.rs"]);
    assert_eq!(holding("stationary_density, diffusion"), ["crates/wngd-experiment/src/models/mod.rs"]);
}

#[test]
fn a_system_is_one_file_and_its_line() {
    assert_eq!(holding("\"chen\""), ["crates/wngd-models/src/flow/systems/chen.rs"]);
    assert_eq!(holding("chen::"), ["crates/wngd-models/src/flow/systems/mod.rs"]);
    // By its equations alone.
    assert_eq!(holding("\"hastings-powell\""), ["crates/wngd-models/src/flow/systems/written/hastings_powell.rs"]);
    assert_eq!(holding(" hastings_powell"), ["crates/wngd-models/src/flow/systems/written/mod.rs"]);
}

#[test]
fn a_plain_command_is_one_file_and_its_lines() {
    assert_eq!(holding("struct CheckArgs"), ["crates/wngd-cli/src/commands/check.rs"]);
    assert_eq!(holding("wngd check my.toml"), ["crates/wngd-cli/src/commands/check.rs"]);
    assert_eq!(holding("check::CheckArgs"), ["crates/wngd-cli/src/commands/mod.rs"]);
    assert_eq!(holding("check::check("), ["crates/wngd-cli/src/commands/mod.rs"]);
}

#[test]
fn a_figure_is_one_file_and_its_line() {
    assert_eq!(holding("struct Convergence"), ["crates/wngd-figures/src/draw/convergence.rs"]);
    assert_eq!(holding("mod convergence;"), ["crates/wngd-figures/src/draw/mod.rs"]);
    // Its words too, which reports take from it.
    assert_eq!(holding("The objective against iterations"), ["crates/wngd-figures/src/draw/convergence.rs"]);
}

#[test]
fn no_source_has_more_than_700_lines_and_the_tool_is_thin() {
    let mut tool = 0;
    for path in sources(true) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 700, "{}: {lines} lines", path.display());
        if path.starts_with(root().join("crates/wngd-cli/src")) {
            tool += lines;
        }
    }
    assert!(tool <= 5000, "{tool} lines");
}
