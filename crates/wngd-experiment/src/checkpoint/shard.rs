//! Parts of a command that is carried out in several processes, on one machine or many.
//!
//! A unit of work is keyed by its number alone, so that neither the number of shards nor their order nor the machine
//! changes a bit of the result. A shard keeps its units in a file of its own, which is a checkpoint with an end.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::format::{self, Entry, Found};
use super::unit::Unit;
use super::{Checkpoint, FILE, Header, MAX_BYTES};
use crate::error::ExperimentError;
use crate::files;

/// More shards than this are a slip of the finger.
const MOST: usize = 100_000;

/// Options that say how and where a command is carried out, not what it does; with whether a value follows.
const HOW: [(&str, bool); 7] = [
    ("--shard", true),
    ("--threads", true),
    ("--out", true),
    ("--checkpoint", true),
    ("--quiet", false),
    ("--restart", false),
    ("--no-figures", false),
];

/// One of several processes that share the units of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: usize,
    count: usize,
}

/// What ends the file of a shard that has done all of its units.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    units: usize,
}

impl Unit for Done {
    const KIND: &'static str = "end-of-shard";
}

impl Done {
    pub(super) fn of(units: usize) -> Self {
        Self { units }
    }
}

impl Shard {
    /// Whether a unit is this shard's.
    pub fn takes(self, unit: usize) -> bool {
        unit % self.count == self.index
    }

    /// How many of so many units are this shard's.
    pub fn share(self, units: usize) -> usize {
        (units + self.count - 1 - self.index) / self.count
    }

    /// Name of its file.
    pub(super) fn file(self) -> String {
        format!("shard-{}-of-{}.wngd", self.index, self.count)
    }

    fn of_file(name: &str) -> Option<Self> {
        let (index, count) = name.strip_prefix("shard-")?.strip_suffix(".wngd")?.split_once("-of-")?;
        format!("{index}/{count}").parse().ok()
    }
}

impl FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((index, count)) if index < count && count <= MOST => Ok(Self { index, count }),
            Some((_, count)) if count > MOST => Err(format!("at most {MOST} shards are possible")),
            Some(_) => Err("shards are counted from 0: i/n with 0 <= i < n".into()),
            None => Err("give i/n, as 0/4 for the first of four shards".into()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// The arguments that say what a command does.
fn what(arguments: &[String]) -> Vec<&str> {
    let mut words = Vec::new();
    let mut given = arguments.iter().map(String::as_str);
    while let Some(word) = given.next() {
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        match HOW.iter().find(|(how, _)| *how == name) {
            Some((_, true)) if name == word => drop(given.next()),
            Some(_) => {}
            None => words.push(word),
        }
    }
    words
}

/// Whether two commands do the same to the same data.
pub(super) fn same(a: &Header, b: &Header) -> bool {
    let record = |h: &Header| (h.record.version.clone(), h.record.command.clone(), h.record.text.clone());
    a.data == b.data && record(a) == record(b) && what(&a.record.arguments) == what(&b.record.arguments)
}

/// The shards whose files are in a folder.
fn shards(folder: &Path) -> Result<Vec<Shard>, ExperimentError> {
    let fail = |source| ExperimentError::Read { path: folder.to_path_buf(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        found.extend(entry.map_err(fail)?.file_name().to_str().and_then(Shard::of_file));
    }
    found.sort_unstable();
    Ok(found)
}

/// The numbers of those of `count` shards that are not done in a folder, which need not be there.
///
/// # Errors
/// A folder that cannot be read; shards of another number.
pub fn unfinished(folder: &Path, count: usize) -> Result<Vec<usize>, ExperimentError> {
    if count == 0 || count > MOST {
        let problem = format!("{count}; between 1 and {MOST} are possible");
        return Err(ExperimentError::Option { option: "--shards".into(), problem });
    }
    let found = if folder.exists() { shards(folder)? } else { Vec::new() };
    if let Some(other) = found.iter().find(|shard| shard.count != count) {
        let problem = format!("a shard of {} lies there; give --shards {}, or remove it", other.count, other.count);
        return Err(ExperimentError::Data { path: folder.join(other.file()), problem });
    }
    let done = |index: &usize| {
        let bytes = files::read_bytes(&folder.join(Shard { index: *index, count }.file()), MAX_BYTES);
        let whole = bytes.ok().and_then(|bytes| format::find(&bytes).ok()).filter(|found| found.damage.is_none());
        whole.is_some_and(|found| found.entries.last().is_some_and(|entry| entry.kind == Done::KIND))
    };
    Ok((0..count).filter(|index| !done(index)).collect())
}

/// The checkpoint that all shards of a folder make together, with every unit of the command.
///
/// # Errors
/// No shards; one that is missing, unfinished, damaged or of another command, named.
pub fn merged(folder: &Path) -> Result<Checkpoint, ExperimentError> {
    let found = shards(folder)?;
    let about = |path: PathBuf, problem: String| ExperimentError::Data { path, problem };
    let Some(&Shard { count, .. }) = found.first() else {
        let problem = "there are no shards to merge; `--shard i/n` makes them, and a merge takes them away";
        return Err(about(folder.to_path_buf(), problem.into()));
    };
    if let Some(other) = found.iter().find(|shard| shard.count != count) {
        let problem = format!("shards of {count} and of {} lie side by side; remove those of one kind", other.count);
        return Err(about(folder.join(other.file()), problem));
    }
    let lost: Vec<String> =
        (0..count).map(|index| Shard { index, count }).filter(|s| !found.contains(s)).map(|s| s.to_string()).collect();
    if !lost.is_empty() {
        let problem = format!("lost: shard {}; run the command with --shard for each again", lost.join(", "));
        return Err(about(folder.to_path_buf(), problem));
    }
    let mut whole: Option<Checkpoint> = None;
    for shard in found {
        let path = folder.join(shard.file());
        let again = |problem: String| about(path.clone(), format!("{problem}; run shard {shard} again"));
        let bytes = files::read_bytes(&path, MAX_BYTES)?;
        let Found { mut entries, damage } = format::find(&bytes).map_err(again)?;
        damage.map_or(Ok(()), |damage| Err(again(damage)))?;
        let done = entries.pop().filter(|entry| entry.kind == Done::KIND);
        let done: Option<Done> = done.and_then(|entry| serde_json::from_str(&entry.content).ok());
        if done.is_none_or(|done| done.units + 1 != entries.len()) {
            return Err(again("it is unfinished".into()));
        }
        let part = Checkpoint::from_entries(entries).map_err(again)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) if same(&whole.header, &part.header) => whole.entries.extend(part.entries.into_iter().skip(1)),
            Some(_) => {
                return Err(again(format!("it is of another command than {}", Shard { index: 0, count }.file())));
            }
        }
    }
    let mut whole = whole.ok_or_else(|| ExperimentError::Internal("shards without a first one".into()))?;
    whole.header.record.arguments = without_shard(&whole.header.record.arguments);
    let content = serde_json::to_string(&whole.header).map_err(|error| ExperimentError::Internal(error.to_string()))?;
    whole.entries[0] = Entry { kind: Header::KIND.into(), content };
    whole.given = true;
    Ok(whole)
}

fn without_shard(arguments: &[String]) -> Vec<String> {
    let mut given = arguments.iter();
    let mut words = Vec::new();
    while let Some(word) = given.next() {
        match word.as_str() {
            "--shard" => drop(given.next()),
            word if word.starts_with("--shard=") => {}
            _ => words.push(word.clone()),
        }
    }
    words
}

/// Takes the files of shards away once their merge has been finished: one that was interrupted needs them no more, but
/// leaves a checkpoint.
pub fn remove_merged(folder: &Path) -> Result<(), ExperimentError> {
    if folder.join(FILE).exists() {
        return Ok(());
    }
    for shard in shards(folder)? {
        let path = folder.join(shard.file());
        std::fs::remove_file(&path).map_err(|source| ExperimentError::Write { path, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_of_one_shard() {
        for count in [1, 2, 7] {
            let all: Vec<Shard> = (0..count).map(|i| format!("{i}/{count}").parse().unwrap()).collect();
            for unit in 0..50 {
                assert_eq!(all.iter().filter(|shard| shard.takes(unit)).count(), 1);
            }
            for units in [0, 1, 6, 50] {
                assert_eq!(all.iter().map(|shard| shard.share(units)).sum::<usize>(), units);
                assert!(all.iter().all(|s| s.share(units) == (0..units).filter(|u| s.takes(*u)).count()));
            }
            assert!(all.iter().all(|shard| Shard::of_file(&shard.file()) == Some(*shard)));
        }
        for wrong in ["4/4", "1", "-1/3", "0/0", "1/2/3", "a/b", "0/1000000"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_command_does_is_told_from_how() {
        let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
        let given = words("basin a.toml --shard 1/4 --counts 3,3 --threads=2 --out x --quiet");
        assert_eq!(what(&given), ["basin", "a.toml", "--counts", "3,3"]);
        assert_eq!(without_shard(&given).join(" "), "basin a.toml --counts 3,3 --threads=2 --out x --quiet");
    }
}
