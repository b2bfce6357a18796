//! The map as a table.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use super::setting::{Score, Setting};

/// Around the table in the page.
const BEGIN: &str = "<!-- map: cargo xtask compare --peer PYTHON --docs -->";
const END: &str = "<!-- end of map -->";
/// Errors below this one all count as equal.
const EQUAL: f64 = 1e-6;
/// Errors beyond, in per cent, are no estimates any more.
const LOST: f64 = 1000.0;

/// Errors in per cent, ours and of every peer; the smallest in bold, those within twice of it too.
pub(super) fn markdown(settings: &[Setting]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in settings.iter().flat_map(|setting| &setting.peers) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut out = String::new();
    let mut system = String::new();
    let mut behind = Vec::new();
    for setting in settings {
        let group = if setting.system == "lorenz63" { "lorenz63" } else { "others" };
        if system != group {
            system = group.into();
            let _ = writeln!(out, "\n| record | wngd | answer | covered | s | {} |", names.join(" | "));
            let _ = writeln!(out, "|---|---|---|---|---|{}", "---|".repeat(names.len()));
        }
        let ours = setting.ours;
        let best = setting.peers.iter().filter_map(|(_, s)| *s).map(|s| s.error).fold(f64::INFINITY, f64::min);
        let least = ours.map_or(best, |o| o.error.min(best)).max(EQUAL);
        let cell = |score: Option<Score>| match score {
            Some(s) if s.error <= 2.0 * least => format!("**{}**", per_cent(s.error)),
            Some(s) => per_cent(s.error),
            None => "–".into(),
        };
        if ours.is_some_and(|o| o.error > 2.0 * best.max(EQUAL)) {
            behind.push(format!("{}: {}", setting.system, setting.words()));
        }
        let (inside, all) = setting.covered;
        let own = if setting.system == "lorenz63" { String::new() } else { format!("{}: ", setting.system) };
        let seconds = ours.map_or("–".into(), |o| format!("{:.2}", o.seconds));
        let _ = write!(
            out,
            "| {own}{} | {} | {} | {inside}/{all} | {seconds} |",
            setting.words(),
            cell(ours),
            setting.by.join(", ")
        );
        for name in &names {
            let _ = write!(out, " {} |", cell(setting.peer(name)));
        }
        out.push('\n');
    }
    if !names.is_empty() {
        let list = if behind.is_empty() { "none".into() } else { behind.join("; ") };
        let _ = writeln!(out, "\nMore than twice the error of the best other way: {list}.");
    }
    out
}

fn per_cent(error: f64) -> String {
    let v = 100.0 * error;
    if v.is_nan() || v >= LOST {
        "lost".into()
    } else if v < 1e-4 {
        "<1e-4".into()
    } else if v < 0.01 {
        format!("{v:.4}")
    } else if v < 10.0 {
        format!("{v:.2}")
    } else {
        format!("{v:.0}")
    }
}

/// Puts the table between its marks in the page.
pub(super) fn into_page(page: &Path, table: &str) -> Result<(), Box<dyn Error>> {
    let text = std::fs::read_to_string(page)?;
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        return Err(format!("{}: the marks of the map are missing", page.display()).into());
    };
    let text = format!("{}\n{table}\n{}", &text[..begin + BEGIN.len()], &text[end..]);
    std::fs::write(page, text)?;
    Ok(())
}
