//! Checks of the pages: links lead somewhere, the summary is complete, commands of cargo exist. What `wngd` commands do is
//! checked where the tool is, in crates/wngd-cli/tests/book.rs.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::{Component, Path, PathBuf};

use crate::place::root;

/// Checks all pages; `whole` is the command line of this program.
pub(crate) fn run(whole: &clap::Command) -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    let (mut links, mut commands) = (0, 0);
    let pages = pages()?;
    for page in &pages {
        let text = std::fs::read_to_string(root().join(page))?;
        for link in targets(&text) {
            links += 1;
            if let Err(reason) = follow(page, &text, link) {
                wrong.push(format!("{}: link {link}: {reason}", page.display()));
            }
        }
        for command in cargo_commands(&text) {
            commands += 1;
            if let Err(reason) = exists(&command, whole)? {
                wrong.push(format!("{}: {command}: {reason}", page.display()));
            }
        }
    }
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md"))?;
    let listed: BTreeSet<&str> = targets(&summary).into_iter().collect();
    for page in pages.iter().filter(|p| p.starts_with("docs")) {
        let name = page.file_name().unwrap_or_default().to_string_lossy();
        if name != "SUMMARY.md" && !listed.contains(name.as_ref()) {
            wrong.push(format!("docs/SUMMARY.md leaves out {name}"));
        }
    }
    if links == 0 || !wrong.is_empty() {
        return Err(wrong.join("\n").into());
    }
    println!("{} pages: {links} links lead somewhere, {commands} cargo commands exist", pages.len());
    Ok(())
}

/// Pages by their paths from the root.
fn pages() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut pages = vec![PathBuf::from("README.md"), PathBuf::from("CHANGELOG.md")];
    for entry in std::fs::read_dir(root().join("docs"))? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|e| e == "md") {
            pages.push(Path::new("docs").join(name));
        }
    }
    for entry in std::fs::read_dir(root().join("crates"))? {
        pages.push(Path::new("crates").join(entry?.file_name()).join("README.md"));
    }
    pages.sort();
    Ok(pages)
}

/// Lines of prose: no fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// Targets of links and images.
fn targets(text: &str) -> Vec<&str> {
    // Code spans may hold brackets.
    let outside_code = |line| str::split(line, '`').step_by(2);
    let ends = |piece| str::split(piece, "](").skip(1).filter_map(|rest: &str| rest.split_once(')'));
    // A link whose text ends in code begins its target in the piece after it.
    prose(text).flat_map(outside_code).flat_map(ends).map(|(target, _)| target).collect()
}

fn follow(page: &Path, text: &str, link: &str) -> Result<(), String> {
    if link.starts_with("https://") {
        return Ok(());
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let mut target = page.parent().unwrap_or(Path::new("")).to_path_buf();
    for part in Path::new(file).components() {
        match part {
            Component::ParentDir => drop(target.pop()),
            other => target.push(other),
        }
    }
    let inside = page.starts_with("docs");
    if inside && !file.is_empty() && !target.starts_with("docs") {
        return Err("leaves the book".into());
    }
    let read;
    let there = if file.is_empty() {
        text
    } else if !root().join(&target).exists() {
        return Err("no such file".into());
    } else if anchor.is_empty() {
        return Ok(());
    } else {
        read = std::fs::read_to_string(root().join(&target)).map_err(|e| e.to_string())?;
        &read
    };
    let mut headings = prose(there).filter(|l| l.starts_with('#')).map(slug);
    if headings.any(|heading| heading == anchor) { Ok(()) } else { Err("no such heading".into()) }
}

/// The anchor of a heading.
fn slug(heading: &str) -> String {
    let kept = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' || c == '-' => Some(c.to_lowercase().next().unwrap_or(c)),
        c if c.is_whitespace() => Some('-'),
        _ => None,
    };
    heading.trim_start_matches('#').trim().chars().filter_map(kept).collect()
}

/// Commands of cargo, in blocks and within the text; `--test …` alone continues one.
fn cargo_commands(text: &str) -> Vec<String> {
    let fenced = text.lines().filter(|l| l.starts_with("cargo "));
    let inline = prose(text).flat_map(|line| line.split('`').skip(1).step_by(2));
    let wanted = |c: &&str| c.starts_with("cargo ") || c.starts_with("--test ");
    let bare = |c: &str| c.split(" #").next().unwrap_or(c).trim().to_string();
    fenced.chain(inline.filter(wanted)).filter(|c| !c.contains('…')).map(bare).collect()
}

fn exists(command: &str, whole: &clap::Command) -> Result<Result<(), String>, Box<dyn Error>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    if words[..2] == ["cargo", "xtask"] {
        let words = std::iter::once("cargo xtask").chain(words[2..].iter().copied());
        let parsed = whole.clone().try_get_matches_from(words);
        return Ok(parsed.map(drop).map_err(|error| error.to_string()));
    }
    let before: Vec<&str> = words.iter().copied().take_while(|w| *w != "--").collect();
    let mut sources = String::new();
    for pair in before.windows(2) {
        let folder = match pair[0] {
            "--test" => "tests",
            "--example" => "examples",
            _ => continue,
        };
        let mut found = None;
        for entry in std::fs::read_dir(root().join("crates"))? {
            let path = entry?.path().join(folder).join(format!("{}.rs", pair[1]));
            found = std::fs::read_to_string(path).ok().or(found);
        }
        match found {
            Some(source) => sources += &source,
            None => return Ok(Err(format!("there is no {} in any crate's {folder}", pair[1]))),
        }
    }
    // A filter: the last word, where it is no option's value.
    if let [.., option, filter] = before[..]
        && !sources.is_empty()
        && !option.starts_with('-')
        && !filter.starts_with('-')
        && !sources.lines().any(|l| l.trim_start().starts_with("fn ") && l.contains(filter))
    {
        return Ok(Err(format!("no test is called {filter}")));
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_and_anchors_formed() {
        let text = "a [b](c.md#d) ![e](f.png) and [`g`](h.md)\n```toml\n[x](y)\n```\n`z[0](1)`";
        assert_eq!(targets(text), ["c.md#d", "f.png", "h.md"]);
        assert_eq!(slug("## Metric: the objective's own"), "metric-the-objectives-own");
        assert_eq!(cargo_commands("`cargo xtask ci` and\n```sh\ncargo test   # all\n```").len(), 2);
    }
}
