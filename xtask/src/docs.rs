//! The table of formulas names items of the code; this checks that they exist.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

use crate::root;

/// Checks every `wngd_…::Item` of docs/formulas.md against the public items of its crate.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let table = fs::read_to_string(root().join("docs/formulas.md"))?;
    let mut missing = Vec::new();
    let names: BTreeSet<&str> = table.split('`').skip(1).step_by(2).filter(|name| name.starts_with("wngd_")).collect();
    for name in &names {
        if !exists(name)? {
            missing.push(*name);
        }
    }
    if names.len() < 10 {
        return Err("docs/formulas.md names fewer than 10 items; is it still the table of formulas?".into());
    }
    if missing.is_empty() {
        println!("docs/formulas.md: {} names exist", names.len());
        Ok(())
    } else {
        Err(format!("docs/formulas.md names what does not exist: {}", missing.join(", ")).into())
    }
}

/// Whether the last part of a path is a public item, or a method of the type before it.
fn exists(name: &str) -> Result<bool, Box<dyn Error>> {
    let parts: Vec<&str> = name.split("::").collect();
    let (Some(package), Some(item)) = (parts.first(), parts.last()) else { return Ok(false) };
    let source = sources(&root().join("crates").join(package.replace('_', "-")).join("src"))?;
    let is_type = |part: &str| part.starts_with(char::is_uppercase);
    let owner = parts.iter().rev().nth(1).filter(|part| is_type(part));
    Ok(match owner {
        Some(owner) => declared(&source, owner) && source.contains(&format!("fn {item}(")),
        None => declared(&source, item),
    })
}

fn declared(source: &str, item: &str) -> bool {
    ["struct", "enum", "trait", "fn", "const", "type"].iter().any(|kind| {
        let text = format!("pub {kind} {item}");
        source
            .match_indices(&text)
            .any(|(at, _)| !source[at + text.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// All sources of a crate in one string.
fn sources(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&sources(&path)?);
        } else if path.extension().is_some_and(|e| e == "rs") {
            text.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(text)
}
