//! The map as a table.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use super::found::{Found, Row};

/// Around the table in the page.
const BEGIN: &str = "<!-- map: cargo xtask compare --peer PYTHON --docs -->";
const END: &str = "<!-- end of map -->";
/// Errors below this one all count as equal.
const EQUAL: f64 = 1e-6;
/// Errors beyond, in per cent, are no estimates any more.
const LOST: f64 = 1000.0;

/// All records of one setting.
pub(super) struct Setting<'a> {
    pub(super) rows: Vec<&'a Row>,
}

/// Root mean square over the records of a setting, seconds on average; none where one record has no answer.
#[derive(Clone, Copy)]
pub(super) struct Score {
    pub(super) error: f64,
    pub(super) seconds: f64,
}

impl Setting<'_> {
    fn score(&self, of: impl Fn(&Row) -> Option<Found>) -> Option<Score> {
        let n = self.rows.len() as f64;
        let mut score = Score { error: 0.0, seconds: 0.0 };
        for row in &self.rows {
            let found = of(row)?;
            score.error += row.record.error(&found.theta).powi(2) / n;
            score.seconds += found.seconds / n;
        }
        score.error = score.error.sqrt();
        Some(score)
    }

    pub(super) fn ours(&self) -> Option<Score> {
        self.score(|row| row.ours.clone())
    }

    pub(super) fn peer(&self, name: &str) -> Option<Score> {
        self.score(|row| row.peers.iter().find(|(n, _)| n == name).and_then(|(_, found)| found.clone()))
    }

    pub(super) fn peers(&self) -> Vec<(String, Score)> {
        let names = self.rows[0].peers.iter().map(|(name, _)| name);
        names.filter_map(|name| Some((name.clone(), self.peer(name)?))).collect()
    }

    /// Parameters within 1.96 standard errors, of all.
    fn covered(&self) -> (usize, usize) {
        let each = self.rows.iter().filter_map(|row| {
            let found = row.ours.as_ref()?;
            Some(row.record.covered(&found.theta, found.errors.as_ref()?))
        });
        each.fold((0, 0), |sum, (a, b)| (sum.0 + a, sum.1 + b))
    }

    /// Order, noise, time step and count.
    pub(super) fn words(&self) -> String {
        let record = &self.rows[0].record;
        let order = if record.ordered { "in order" } else { "shuffled" };
        let noise = if record.noise > 0.0 { format!("{:.0} %", 100.0 * record.noise) } else { "clean".into() };
        format!("{order}, {noise}, Δt {:.3}, n {}", record.dt, record.count)
    }
}

pub(super) fn settings(rows: &[Row]) -> Vec<Setting<'_>> {
    let mut all: Vec<Setting<'_>> = Vec::new();
    for row in rows {
        match all.last_mut().filter(|s| s.rows[0].record.setting() == row.record.setting()) {
            Some(setting) => setting.rows.push(row),
            None => all.push(Setting { rows: vec![row] }),
        }
    }
    all
}

/// Errors in per cent, ours and of every peer; the smallest in bold, those within twice of it too.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.peers) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let mut out = String::new();
    let mut system = String::new();
    let mut behind = Vec::new();
    for setting in settings(rows) {
        let record = &setting.rows[0].record;
        let group = if record.system == "lorenz63" { "lorenz63" } else { "others" };
        if system != group {
            system = group.into();
            let _ = writeln!(out, "\n| record | wngd | answer | covered | s | {} |", names.join(" | "));
            let _ = writeln!(out, "|---|---|---|---|---|{}", "---|".repeat(names.len()));
        }
        let (ours, peers) = (setting.ours(), setting.peers());
        let best = peers.iter().map(|(_, s)| s.error).fold(f64::INFINITY, f64::min);
        let least = ours.map_or(best, |o| o.error.min(best)).max(EQUAL);
        let cell = |score: Option<Score>| match score {
            Some(s) if s.error <= 2.0 * least => format!("**{}**", per_cent(s.error)),
            Some(s) => per_cent(s.error),
            None => "–".into(),
        };
        if ours.is_some_and(|o| o.error > 2.0 * best.max(EQUAL)) {
            behind.push(format!("{}: {}", record.system, setting.words()));
        }
        let mut by: Vec<&str> = Vec::new();
        for row in &setting.rows {
            let word = row.ours.as_ref().map_or(row.refused.as_deref().unwrap_or("–"), |f| f.by.as_str());
            if !by.contains(&word) {
                by.push(word);
            }
        }
        let (inside, all) = setting.covered();
        let own = if record.system == "lorenz63" { String::new() } else { format!("{}: ", record.system) };
        let seconds = ours.map_or("–".into(), |o| format!("{:.2}", o.seconds));
        let _ = write!(
            out,
            "| {own}{} | {} | {} | {inside}/{all} | {seconds} |",
            setting.words(),
            cell(ours),
            by.join(", ")
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
