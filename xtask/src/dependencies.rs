//! The page of dependencies names what the crates take up, and nothing else.

use std::collections::BTreeSet;
use std::error::Error;
use std::process::Command;

use crate::place::root;

/// Compares docs/dependencies.md with the manifests.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let page = std::fs::read_to_string(root().join("docs/dependencies.md"))?;
    let table = page.split("| Dependency |").nth(1).ok_or("docs/dependencies.md: no table of dependencies")?;
    let named: BTreeSet<&str> = table
        .lines()
        .take_while(|line| line.starts_with('|') || line.trim().is_empty() || !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("| `").and_then(|line| line.split(" | ").next()))
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    let mut taken = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates"))? {
        let text = std::fs::read_to_string(entry?.path().join("Cargo.toml"))?;
        let section = text.split("\n[dependencies]\n").nth(1).unwrap_or("");
        let lines = section.lines().take_while(|line| !line.starts_with('['));
        let names = lines.filter_map(|line| line.split(['.', ' ', '=']).next()).filter(|name| !name.is_empty());
        taken.extend(
            names.filter(|name| !name.starts_with(['#', '}', ']']) && !name.starts_with("wngd")).map(String::from),
        );
    }
    let taken: BTreeSet<&str> = taken.iter().map(String::as_str).collect();
    let (missing, gone): (Vec<_>, Vec<_>) = (taken.difference(&named).collect(), named.difference(&taken).collect());
    if missing.is_empty() && gone.is_empty() {
        println!("docs/dependencies.md names all {} dependencies", taken.len());
        return minimum();
    }
    Err(format!("docs/dependencies.md leaves out {missing:?} and names {gone:?}, which nothing takes up").into())
}

/// No dependency states a newer Rust than the workspace does.
fn minimum() -> Result<(), Box<dyn Error>> {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()?;
    if !metadata.status.success() {
        return Err(String::from_utf8_lossy(&metadata.stderr).into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata: no packages")?;
    let number = |text: &str| {
        let mut parts = text.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
        [(); 3].map(|()| parts.next().unwrap_or(0))
    };
    let ours = number(env!("CARGO_PKG_RUST_VERSION"));
    let stated = packages.iter().filter_map(|p| Some((p["name"].as_str()?, p["rust_version"].as_str()?)));
    let newer: Vec<String> = stated
        .clone()
        .filter(|(_, version)| number(version) > ours)
        .map(|(name, version)| format!("{name} ({version})"))
        .collect();
    if !newer.is_empty() {
        return Err(format!("these need a newer Rust than Cargo.toml states: {}", newer.join(", ")).into());
    }
    println!("none of the {} packages that state a minimum Rust states a newer one", stated.count());
    Ok(())
}
