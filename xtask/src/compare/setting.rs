//! What all ways came to at one setting: root mean squares over its records. The map is a file of these, so that some settings
//! can be gone through again without all of them.

use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};

use super::found::{Found, Row};

/// Errors and seconds of one way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    /// Largest relative error of a parameter; an infinite one is null in the file.
    #[serde(deserialize_with = "finite_or_lost")]
    pub(super) error: f64,
    pub(super) seconds: f64,
}

fn finite_or_lost<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or(f64::INFINITY))
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Setting {
    pub(super) system: String,
    pub(super) ordered: bool,
    pub(super) dt: f64,
    pub(super) noise: f64,
    pub(super) count: usize,
    /// None where one record has no answer.
    pub(super) ours: Option<Score>,
    /// The estimators that answered, or why there is no answer.
    pub(super) by: Vec<String>,
    /// Parameters within 1.96 standard errors, of all.
    pub(super) covered: (usize, usize),
    /// By name, where a way applies; none where it failed on a record.
    pub(super) peers: Vec<(String, Option<Score>)>,
}

impl Setting {
    /// That of some records.
    fn of(rows: &[&Row]) -> Self {
        let record = &rows[0].record;
        let score = |of: &dyn Fn(&Row) -> Option<Found>| {
            let n = rows.len() as f64;
            let mut score = Score { error: 0.0, seconds: 0.0 };
            for row in rows {
                let found = of(row)?;
                score.error += row.record.error(&found.theta).powi(2) / n;
                score.seconds += found.seconds / n;
            }
            score.error = score.error.sqrt();
            Some(score)
        };
        let each = rows.iter().filter_map(|row| {
            let found = row.ours.as_ref()?;
            Some(row.record.covered(&found.theta, found.errors.as_ref()?))
        });
        let mut by: Vec<String> = Vec::new();
        for row in rows {
            let word = row.ours.as_ref().map_or(row.refused.as_deref().unwrap_or("–"), |f| f.by.as_str());
            if !by.iter().any(|b| b == word) {
                by.push(word.into());
            }
        }
        let peer =
            |name: &str| score(&|row| row.peers.iter().find(|(n, _)| n == name).and_then(|(_, found)| found.clone()));
        Self {
            system: record.system.clone(),
            ordered: record.ordered,
            // What is shown of it.
            dt: (1000.0 * record.dt).round() / 1000.0,
            noise: record.noise,
            count: record.count,
            ours: score(&|row| row.ours.clone()),
            by,
            covered: each.fold((0, 0), |sum, (a, b)| (sum.0 + a, sum.1 + b)),
            peers: rows[0].peers.iter().map(|(name, _)| (name.clone(), peer(name))).collect(),
        }
    }

    pub(super) fn peer(&self, name: &str) -> Option<Score> {
        self.peers.iter().find(|(n, _)| n == name).and_then(|(_, score)| *score)
    }

    /// Order, noise, time step and count.
    pub(super) fn words(&self) -> String {
        let order = if self.ordered { "in order" } else { "shuffled" };
        let noise = if self.noise > 0.0 { format!("{:.0} %", 100.0 * self.noise) } else { "clean".into() };
        format!("{order}, {noise}, Δt {:.3}, n {}", self.dt, self.count)
    }

    fn is_that_of(&self, other: &Self) -> bool {
        (&self.system, self.words()) == (&other.system, other.words())
    }
}

/// Settings of records that follow each other.
pub(super) fn settings(rows: &[Row]) -> Vec<Setting> {
    let mut all: Vec<Vec<&Row>> = Vec::new();
    for row in rows {
        match all.last_mut().filter(|some| some[0].record.setting() == row.record.setting()) {
            Some(some) => some.push(row),
            None => all.push(vec![row]),
        }
    }
    all.iter().map(|some| Setting::of(some)).collect()
}

/// Those of the file with some of them gone through again; written back. What others found on the same records stands where
/// they were not asked again.
pub(super) fn merged(path: &Path, again: &[Setting]) -> Result<Vec<Setting>, Box<dyn Error>> {
    let mut all: Vec<Setting> = match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    for setting in again {
        match all.iter_mut().find(|old| old.is_that_of(setting)) {
            Some(old) if setting.peers.is_empty() => {
                *old = Setting { peers: std::mem::take(&mut old.peers), ..setting.clone() };
            }
            Some(old) => old.clone_from(setting),
            None => all.push(setting.clone()),
        }
    }
    let lines = all.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n")))?;
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::Score;

    #[test]
    fn what_is_lost_is_read_back() -> Result<(), serde_json::Error> {
        for error in [0.25, f64::INFINITY] {
            let score = Score { error, seconds: 1.0 };
            assert_eq!(serde_json::from_str::<Score>(&serde_json::to_string(&score)?)?, score);
        }
        Ok(())
    }
}
