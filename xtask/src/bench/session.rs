//! What a session measured, kept in a file and held against another session's.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// Ratios within the scatter of both sides, or within this, are no difference.
const NOTHING: f64 = 1.05;

/// Rows by name, as `w2/256/100/information`.
#[derive(Default, Deserialize, Serialize)]
pub(super) struct Session {
    /// Version of the compiler and number of threads.
    pub(super) machine: String,
    pub(super) rows: BTreeMap<String, Row>,
}

/// One row.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Row {
    /// Wall seconds of every repetition.
    pub(super) seconds: Vec<f64>,
    /// Best seconds of the peer, where one was measured.
    pub(super) peer: Option<f64>,
    /// Peak memory of the process, MB; 0 where it was not looked at.
    pub(super) peak_mb: f64,
}

impl Row {
    pub(super) fn best(&self) -> f64 {
        self.seconds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// Slowest over fastest.
    fn scatter(&self) -> f64 {
        self.seconds.iter().copied().fold(0.0, f64::max) / self.best()
    }
}

impl Session {
    pub(super) fn note(&mut self, name: String, seconds: Vec<f64>, peer: Option<f64>, peak_mb: f64) {
        self.rows.insert(name, Row { seconds, peer, peak_mb });
    }

    pub(super) fn save(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        Ok(std::fs::write(path, serde_json::to_string_pretty(self)? + "\n")?)
    }

    pub(super) fn load(path: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
    }

    /// One line per row that both have: best seconds before and now, their ratio, and whether it is more than scatter.
    pub(super) fn against(&self, before: &Self) -> String {
        let mut out = format!(
            "before: {}\nnow:    {}\n{:>34} {:>10} {:>10} {:>7} {:>9}  \n",
            before.machine, self.machine, "", "before s", "now s", "ratio", "scatter"
        );
        for (name, now) in &self.rows {
            let Some(old) = before.rows.get(name) else { continue };
            let ratio = now.best() / old.best();
            let scatter = now.scatter().max(old.scatter());
            let word = match () {
                () if ratio > scatter.max(NOTHING) => "slower",
                () if 1.0 / ratio > scatter.max(NOTHING) => "faster",
                () => "",
            };
            out +=
                &format!("{name:>34} {:>10.4} {:>10.4} {ratio:>7.2} {scatter:>9.2}  {word}\n", old.best(), now.best());
        }
        let lost: Vec<&str> = before.rows.keys().filter(|n| !self.rows.contains_key(*n)).map(String::as_str).collect();
        if !lost.is_empty() {
            out += &format!("not measured now: {}\n", lost.join(", "));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(seconds: &[f64]) -> Session {
        let mut session = Session::default();
        session.note("a".into(), seconds.to_vec(), None, 0.0);
        session
    }

    #[test]
    fn what_is_within_the_scatter_is_no_difference() {
        let before = session(&[1.0, 1.3]);
        for (now, word) in [([1.2, 1.25], false), ([1.5, 1.6], true), ([0.6, 0.7], true)] {
            let text = session(&now).against(&before);
            assert_eq!(text.contains("slower") || text.contains("faster"), word, "{text}");
        }
    }
}
