//! `checkpoint.wngd`: how far a command has come, written while it is carried out.
//!
//! It holds what was asked and the units of work that are finished, which are the expensive ones: iterates,
//! descents, simulations, estimators. Everything else is made from them again, to the same bits.

mod bits;
mod crew;
mod descents;
mod each;
mod estimates;
mod format;
mod journal;
mod numbers;
mod shard;
mod unit;
mod work;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::files;
use crate::record::Record;
use crate::source::Source;
use format::{Entry, Found};

pub use bits::Bits;
pub use crew::Crew;
pub use each::Came;
pub use estimates::Estimated;
pub use journal::{Journal, Keeping};
pub use shard::{Shard, merged, remove_merged, unfinished};
pub use unit::Unit;
pub use work::Work;

/// Name of the file.
pub const FILE: &str = "checkpoint.wngd";
/// Most that is read.
const MAX_BYTES: u64 = 1 << 30;

/// What was asked.
#[derive(Serialize, Deserialize)]
pub struct Header {
    /// The command with its arguments.
    pub record: Record,
    /// Folder that relative paths refer to; none if there are none. A name that is no text is none of ours.
    folder: Option<String>,
    /// Checksum of the data.
    data: String,
}

impl Unit for Header {
    const KIND: &'static str = "asked";
}

impl Header {
    /// A command on data of a [`checksum`], with paths relative to a folder.
    pub fn new(record: Record, folder: Option<&Path>, data: String) -> Self {
        // The folder of a bare file name is empty, which is no path of its own; and the command may be resumed
        // from another working directory.
        let absolute = |path: &Path| std::path::absolute(Path::new(".").join(path)).unwrap_or_else(|_| path.into());
        Self { record, folder: folder.map(|path| absolute(path).to_string_lossy().into_owned()), data }
    }

    /// A command on an experiment.
    pub fn of(record: Record, source: &Source, experiment: &Experiment) -> Self {
        let (lower, upper) = experiment.ground.maybe_grid().map_or((&[][..], &[][..]), |g| (g.lower(), g.upper()));
        let data = checksum(&[lower, upper, &experiment.theta0, &experiment.data.values.values]);
        Self::new(record, source.folder.as_deref(), data)
    }
}

/// Checksum that tells changed data.
pub fn checksum(parts: &[&[f64]]) -> String {
    let mut hash = crc32fast::Hasher::new();
    parts.iter().flat_map(|part| part.iter()).for_each(|v| hash.update(&v.to_bits().to_le_bytes()));
    format!("{:08x}", hash.finalize())
}

/// A command as far as it has come.
pub struct Checkpoint {
    header: Header,
    /// The header first.
    entries: Vec<Entry>,
    /// Whether it is not what stands in the folder: less than that, or made of shards.
    given: bool,
}

impl Checkpoint {
    fn of(header: Header) -> Result<Self, ExperimentError> {
        let content = serde_json::to_string(&header).map_err(|error| ExperimentError::Internal(error.to_string()))?;
        Ok(Self { header, entries: vec![Entry { kind: Header::KIND.into(), content }], given: false })
    }

    /// Reads the checkpoint of a folder.
    ///
    /// # Errors
    /// No checkpoint there; one that is damaged, or of another format.
    pub fn read(folder: &Path) -> Result<Self, ExperimentError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(ExperimentError::NothingToResume { folder: folder.to_path_buf(), file: FILE });
        }
        let bytes = files::read_bytes(&path, MAX_BYTES)?;
        let fail = |problem: String| ExperimentError::Data { path: path.clone(), problem };
        let anew = |problem: String| fail(format!("{problem}; start anew with --restart"));
        let Found { entries, damage } = format::find(&bytes).map_err(anew)?;
        match damage {
            Some(damage) if entries.len() > 1 => Err(fail(format!(
                "{damage}; {} before it {}: go on with what is whole by --salvage, or start anew with --restart",
                entries.len() - 1,
                if entries.len() == 2 { "is whole" } else { "are whole" }
            ))),
            Some(damage) => Err(anew(damage)),
            None => Self::from_entries(entries).map_err(anew),
        }
    }

    /// Reads the checkpoint of a folder up to its first damage, and keeps a copy of the whole beside it.
    ///
    /// # Errors
    /// As [`read`](Self::read), but for damage behind a whole entry.
    pub fn salvage(folder: &Path) -> Result<Self, ExperimentError> {
        let path = folder.join(FILE);
        let bytes = match files::read_bytes(&path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(_) => return Self::read(folder),
        };
        match format::find(&bytes) {
            Ok(Found { entries, damage: Some(_) }) if entries.len() > 1 => {
                files::write_file(&folder.join(format!("{FILE}.damaged")), |w| w.write_all(&bytes))?;
                let found = Self::from_entries(entries);
                let found = found.map_err(|problem| ExperimentError::Data { path, problem })?;
                Ok(Self { given: true, ..found })
            }
            _ => Self::read(folder),
        }
    }

    /// The same as it is in the folder by now: another command may have gone on with it since it was read.
    fn again(self, folder: &Path) -> Result<Self, ExperimentError> {
        if self.given { Ok(self) } else { Self::read(folder) }
    }

    /// Reads the bytes of a checkpoint; the text of an error says what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let Found { entries, damage } = format::find(bytes)?;
        damage.map_or(Ok(()), Err)?;
        Self::from_entries(entries)
    }

    fn from_entries(entries: Vec<Entry>) -> Result<Self, String> {
        let first =
            entries.first().filter(|entry| entry.kind == Header::KIND).ok_or("it does not say what was asked")?;
        let header = serde_json::from_str(&first.content).map_err(|error| format!("it is damaged: {error}"))?;
        Ok(Self { header, entries, given: false })
    }

    /// The arguments of the command.
    pub fn arguments(&self) -> &[String] {
        &self.header.record.arguments
    }

    /// A path of the command, from wherever it is resumed.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.header.folder.as_ref().map_or_else(|| path.into(), |folder| Path::new(folder).join(path))
    }
}

#[cfg(any(test, fuzzing))]
impl Checkpoint {
    /// Lines `kind content` as a file with the right checksums.
    pub fn whole(lines: &str) -> String {
        let entries = lines.lines().filter_map(|line| line.split_once(' '));
        let entries = entries.map(|(kind, content)| Entry { kind: kind.into(), content: content.into() });
        format::whole(&entries.collect::<Vec<_>>())
    }

    /// What was asked.
    pub fn record(&self) -> &Record {
        &self.header.record
    }
}

/// The experiment of a command: as it was where that is resumed, else as it is now, with some keys overridden.
///
/// # Errors
/// As [`Source::load`].
pub fn source(resumed: Option<&Checkpoint>, experiment: &str, overrides: &[String]) -> Result<Source, ExperimentError> {
    let Some(Checkpoint { header, .. }) = resumed else { return Source::load(experiment, overrides) };
    let (shown, text) = (header.record.experiment.clone(), header.record.text.clone());
    Source::parse(shown.unwrap_or_default(), header.folder.as_ref().map(PathBuf::from), text.unwrap_or_default())
}
