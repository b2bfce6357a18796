use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use crate::place::root;

/// Checks the code names in the tables of docs/formulas.md against the sources.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let mut known = BTreeSet::new();
    for entry in std::fs::read_dir(root().join("crates"))? {
        let crate_dir = entry?.path();
        let name = crate_dir.file_name().ok_or("a crate without a name")?.to_string_lossy().replace('-', "_");
        collect(&crate_dir.join("src"), &name, &mut known)?;
    }
    let page = std::fs::read_to_string(root().join("docs/formulas.md"))?;
    let named: BTreeSet<&str> =
        page.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    let missing: Vec<&str> = named.iter().copied().filter(|name| !known.contains(&short(name))).collect();
    if named.is_empty() || !missing.is_empty() {
        return Err(format!("docs/formulas.md names what the sources do not have: {}", missing.join(", ")).into());
    }
    println!("docs/formulas.md: {} names exist", named.len());
    Ok(())
}

/// `crate::module::Item` without its modules: `crate::Item`, or `crate::Type::member`.
fn short(path: &str) -> String {
    let mut parts = path.split("::");
    let first = parts.next().unwrap_or_default();
    let is_module = |part: &&str| part.starts_with(|c: char| c.is_lowercase());
    let rest: Vec<&str> = parts.collect();
    let modules = rest.iter().take(rest.len().saturating_sub(1)).take_while(|part| is_module(part)).count();
    [&[first], &rest[modules..]].concat().join("::")
}

fn collect(dir: &Path, crate_name: &str, known: &mut BTreeSet<String>) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, crate_name, known)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            names(&std::fs::read_to_string(&path)?, crate_name, known);
        }
    }
    Ok(())
}

/// Public items, and the members of types, traits and enums; the sources are formatted,
/// so that indentation tells them apart.
fn names(source: &str, crate_name: &str, known: &mut BTreeSet<String>) {
    let mut owner = None;
    for line in source.lines() {
        if let Some(item) = line.strip_prefix("pub ") {
            let mut words = item.split_whitespace();
            let kind = words.next().unwrap_or_default();
            let name = identifier(words.next().unwrap_or_default());
            if ["fn", "struct", "enum", "trait", "const", "type"].contains(&kind) {
                known.insert(format!("{crate_name}::{name}"));
            }
            owner = ["enum", "trait"].contains(&kind).then(|| name.to_string());
        } else if let Some(header) = line.strip_prefix("impl") {
            let target = header.split(" for ").last().unwrap_or_default();
            let target = if header.contains(" for ") { target } else { after_generics(target) };
            owner = Some(identifier(target.trim_start()).to_string());
        } else if line == "}" {
            owner = None;
        } else if let (Some(owner), Some(member)) = (&owner, line.strip_prefix("    ")) {
            let member = member.strip_prefix("pub ").unwrap_or(member);
            let member = member.strip_prefix("fn ").unwrap_or(member);
            let name = identifier(member);
            if !name.is_empty() {
                known.insert(format!("{crate_name}::{owner}::{name}"));
            }
        }
    }
}

fn identifier(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

/// What follows the balanced `<…>` at the start of `text`, if there is one.
fn after_generics(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if c == '>' { &text[at + 1..] } else { text };
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_and_members_are_found() {
        let source = "pub struct A<T>(T);\nimpl<T: Into<f64>> A<T> {\n    pub fn one(&self) {}\n}\nimpl B for A<u8> {\n    fn two() {}\n}\npub enum E {\n    First,\n}\nfn hidden() {}\n";
        let mut known = BTreeSet::new();
        names(source, "c", &mut known);
        assert_eq!(known.into_iter().collect::<Vec<_>>(), ["c::A", "c::A::one", "c::A::two", "c::E", "c::E::First"]);
    }

    #[test]
    fn modules_are_left_out() {
        assert_eq!(short("c::dense::gram"), "c::gram");
        assert_eq!(short("c::opt::Type::method"), "c::Type::method");
    }
}
