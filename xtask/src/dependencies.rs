//! The page of dependencies names what the crates take up, and nothing else.

use std::collections::BTreeSet;
use std::error::Error;

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
        return Ok(());
    }
    Err(format!("docs/dependencies.md leaves out {missing:?} and names {gone:?}, which nothing takes up").into())
}
