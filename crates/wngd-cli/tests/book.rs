//! The pages of docs/ and the README: their commands exist, blocks marked `run` do what the page shows, experiment
//! files are valid.
//!
//! Marks of a fenced block, after the language and a comma:
//! - `sh,run`: every `wngd` line is run, page by page in one folder that begins with the files of `docs/data`, in order;
//!   `sh,run=1`: and ends with exit code 1; `sh` without a mark: the subcommand and the options must exist;
//! - `toml,file=NAME`: written to NAME and inspected, where it is no system; `toml,edit=NAME`: its sections replace those of NAME;
//!   `toml,add=NAME`: appended to NAME;
//! - `text,output`: every line is part of a line of what was printed since the last such block's commands began, `…`
//!   standing for anything.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// A fenced block.
struct Block {
    language: String,
    mark: String,
    line: usize,
    text: Vec<String>,
}

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root.join("docs")).unwrap().map(|e| e.unwrap().path()).collect();
    pages.retain(|p| p.extension().is_some_and(|e| e == "md"));
    pages.push(root.join("README.md"));
    pages.sort();
    pages
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (index, line) in page.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                inside = true;
                let (language, mark) = info.split_once(',').unwrap_or((info, ""));
                let (language, mark) = (language.to_string(), mark.to_string());
                blocks.push(Block { language, mark, line: index + 1, text: Vec::new() });
            }
            None if inside => blocks.last_mut().unwrap().text.push(line.to_string()),
            None => {}
        }
    }
    assert!(!inside, "a fence is not closed");
    blocks
}

/// The exit code that commands of a block are run for; `None` where they are not run.
fn asked_code(mark: &str, place: &str) -> Option<i32> {
    match mark.strip_prefix("run") {
        None => None,
        Some("") => Some(0),
        Some(code) => {
            let code = code.strip_prefix('=').and_then(|code| code.parse().ok());
            Some(code.unwrap_or_else(|| panic!("{place}: {mark} is no mark")))
        }
    }
}

/// The arguments of a line that calls the tool, without its comment.
fn arguments(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("cargo run --release -- ").map_or(line.to_string(), |rest| format!("wngd {rest}"));
    let words = shlex::split(&line).unwrap_or_default();
    (words.first().map(String::as_str) == Some("wngd")).then(|| words[1..].to_vec())
}

fn wngd(folder: &Path, arguments: &[String]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_wngd")).args(arguments).current_dir(folder).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Subcommand and options are parsed before help is printed.
fn exists(folder: &Path, arguments: &[String], place: &str) {
    let asked: Vec<String> = arguments.iter().cloned().chain(["--help".to_string()]).collect();
    let (code, text) = wngd(folder, &asked);
    assert_eq!(code, Some(0), "{place}: wngd {}\n{text}", arguments.join(" "));
}

/// Whether some line of `output` has the pieces of `line` between its `…`, in order.
fn printed(output: &str, line: &str) -> bool {
    output.lines().any(|candidate| {
        let mut rest = candidate.trim();
        line.trim().split('…').all(|piece| match rest.find(piece.trim()) {
            Some(at) => {
                rest = &rest[at + piece.trim().len()..];
                true
            }
            None => false,
        })
    })
}

/// The sections of a TOML text: header line, lines.
fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections = vec![(String::new(), String::new())];
    for line in text.lines() {
        if line.starts_with('[') {
            sections.push((line.split(']').next().unwrap().to_string(), String::new()));
        }
        let last = sections.last_mut().unwrap();
        last.1 += line;
        last.1.push('\n');
    }
    sections
}

/// `base` with the sections of `edit` in place of its own of the same names.
fn edited(base: &str, edit: &str) -> String {
    let new = sections(edit);
    let kept = sections(base).into_iter().filter(|(name, _)| !new.iter().any(|(n, _)| n == name && !n.is_empty()));
    kept.chain(new.iter().cloned()).map(|(_, text)| text).collect()
}

fn experiment(folder: &Path, block: &Block, place: &str) {
    let text = block.text.join("\n") + "\n";
    let (how, name) = match block.mark.split_once('=') {
        Some(parts) => parts,
        None => {
            assert!(block.mark.is_empty(), "{place}: {} is no mark", block.mark);
            assert!(text.parse::<toml::Table>().is_ok(), "{place}: this is not TOML");
            return;
        }
    };
    let path = folder.join(name);
    let old = || std::fs::read_to_string(&path).unwrap();
    let text = match how {
        "file" => text,
        "edit" => edited(&old(), &text),
        "add" => old() + &text,
        other => panic!("{place}: {other} is no mark"),
    };
    // Systems are read by the commands that name them.
    let identifies = text.contains("[identify]") || text.contains("[equations]");
    std::fs::write(&path, text).unwrap();
    if !identifies {
        let (code, text) = wngd(folder, &["inspect".to_string(), name.to_string()]);
        assert_eq!(code, Some(0), "{place}: {text}");
    }
}

#[test]
fn the_book_says_what_the_tool_does() {
    let (mut ran, mut shown, mut known) = (0, 0, 0);
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data")).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        let (mut output, mut fresh) = (String::new(), false);
        for block in blocks(&page) {
            let place = format!("{name}:{}", block.line);
            match (block.language.as_str(), block.mark.as_str()) {
                ("sh", mark) if mark.is_empty() || mark.starts_with("run") => {
                    let asked = asked_code(mark, &place);
                    for line in &block.text {
                        let Some(arguments) = arguments(line) else { continue };
                        exists(folder.path(), &arguments, &place);
                        known += 1;
                        if asked.is_some() {
                            if fresh {
                                (output, fresh) = (String::new(), false);
                            }
                            let (code, text) = wngd(folder.path(), &arguments);
                            assert_eq!(code, asked, "{place}: {line}\n{text}");
                            output += &text;
                            ran += 1;
                        }
                    }
                }
                ("toml", _) => experiment(folder.path(), &block, &place),
                ("text", "output") => {
                    fresh = true;
                    for line in &block.text {
                        assert!(printed(&output, line), "{place}: not printed: {line}\n{output}");
                        shown += 1;
                    }
                }
                (_, "") => {}
                (_, mark) => panic!("{place}: {mark} is no mark"),
            }
        }
        // Commands within the text, where they are whole.
        for line in page.lines().filter(|line| !line.starts_with("```")) {
            for code in line.split('`').skip(1).step_by(2).filter(|code| !code.contains('…')) {
                let Some(arguments) = arguments(code).filter(|a| !a.is_empty()) else { continue };
                exists(folder.path(), &arguments, &format!("{name}: `{code}`"));
                known += 1;
            }
        }
    }
    println!("{known} commands exist, {ran} were run, {shown} lines of output are as shown");
}

#[test]
fn lines_of_output_are_compared_piece_by_piece() {
    let output = "│ l2 ┆ converged ┆     9 ┆ 1.0e-3 │\nnext";
    assert!(printed(output, "│ l2 ┆ converged ┆     9 ┆ …") && printed(output, "│ l2 … 1.0e-3 │"));
    assert!(!printed(output, "│ l2 ┆ … ┆     8 ┆ …") && !printed(output, "next line"));
    assert_eq!(
        edited("a = 1\n[b]\nc = 2\n[[d]]\ne = 3\n[[d]]\n", "[[d]]\ne = 4\n"),
        "a = 1\n[b]\nc = 2\n[[d]]\ne = 4\n"
    );
}
