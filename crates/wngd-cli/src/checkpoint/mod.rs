//! `checkpoint.json`: how far a run has come, written while it runs.
//!
//! The file is written to a temporary name and renamed, and its checksum is over the text of its content,
//! so that it is either whole or refused. It holds no results, only iterates: what a descent found and how
//! it ended comes from them again.

mod rows;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wngd::opt::Progress;

use crate::error::CliError;
use crate::experiment::Experiment;
use crate::output::files;
use crate::record::Record;
use rows::Descent;

/// Name of the file.
pub const FILE: &str = "checkpoint.json";
/// Format that this version writes and reads.
const FORMAT: u32 = 1;
/// Most that is read.
const MAX_BYTES: u64 = 1 << 30;
/// Writing takes at most this share of the time.
const SHARE: u32 = 20;

/// What the file holds.
#[derive(Serialize, Deserialize)]
struct Envelope {
    format: u32,
    /// CRC-32 of the text of `content`.
    checksum: String,
    content: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    record: Record,
    folder: Option<PathBuf>,
    data: String,
    descents: Vec<Descent>,
}

/// A run as far as it has come.
pub struct Checkpoint {
    /// What was asked.
    pub record: Record,
    /// Folder that relative paths of the experiment refer to.
    pub folder: Option<PathBuf>,
    /// Checksum of data, grid and start.
    pub data: String,
    /// One entry per descent begun, in the order of the methods; the last may not have ended.
    pub descents: Vec<Progress>,
}

impl Checkpoint {
    /// Reads the checkpoint of a folder.
    ///
    /// # Errors
    /// No checkpoint there; one that is damaged, or of another format.
    pub fn read(folder: &Path) -> Result<Self, CliError> {
        let path = folder.join(FILE);
        if !path.is_file() {
            let problem = format!(
                "\"{}\" has no {FILE}; only `wngd run` writes one, so run the experiment again",
                folder.display()
            );
            return Err(CliError::usage("folder", problem));
        }
        Self::parse(&path, &files::read_text(&path, MAX_BYTES)?)
    }

    /// The checkpoint that a text holds; `path` is shown in messages.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn parse(path: &Path, text: &str) -> Result<Self, CliError> {
        let envelope: Envelope = files::parse_json(path, text)?;
        if envelope.format != FORMAT {
            let problem =
                format!("format {} is not known to this version, which reads format {FORMAT}", envelope.format);
            return Err(damaged(path, &problem));
        }
        if envelope.checksum != checksum(envelope.content.get().as_bytes()) {
            return Err(damaged(path, "the checksum does not match: the file is damaged"));
        }
        Self::parse_content(path, envelope.content.get())
    }

    /// What is under the checksum.
    pub fn parse_content(path: &Path, text: &str) -> Result<Self, CliError> {
        let content: Content =
            serde_json::from_str(text).map_err(|e| damaged(path, &format!("not a checkpoint ({e})")))?;
        let descents = content.descents.into_iter().map(Descent::progress).collect::<Result<_, _>>();
        Ok(Self {
            record: content.record,
            folder: content.folder,
            data: content.data,
            descents: descents.map_err(|problem| damaged(path, &problem))?,
        })
    }

    /// The text of the file.
    pub fn text(&self) -> Result<String, CliError> {
        let content = Content {
            record: self.record.clone(),
            folder: self.folder.clone(),
            data: self.data.clone(),
            descents: self.descents.iter().map(Descent::of).collect(),
        };
        let internal = |e: serde_json::Error| CliError::Internal(e.to_string());
        let content = serde_json::value::to_raw_value(&content).map_err(internal)?;
        let envelope = Envelope { format: FORMAT, checksum: checksum(content.get().as_bytes()), content };
        serde_json::to_string(&envelope).map_err(internal)
    }

    fn write(&self, folder: &Path) -> Result<(), CliError> {
        let text = self.text()?;
        files::write_file(&folder.join(FILE), |w| writeln!(w, "{text}"))
    }
}

fn damaged(path: &Path, problem: &str) -> CliError {
    CliError::Data { path: path.to_path_buf(), problem: format!("{problem}; run the experiment again from its start") }
}

/// Checksum of what a descent is about, to tell changed data files.
pub fn fingerprint(experiment: &Experiment) -> String {
    let grid = &experiment.grid;
    let mut hash = crc32fast::Hasher::new();
    let numbers = [grid.lower(), grid.upper(), &experiment.theta0, &experiment.data.density.values];
    numbers.iter().flat_map(|part| part.iter()).for_each(|v| hash.update(&v.to_bits().to_le_bytes()));
    format!("{:08x}", hash.finalize())
}

fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

/// Writes checkpoints into a folder, at most once an interval.
pub struct Keeper {
    /// The run as far as it has come.
    pub checkpoint: Checkpoint,
    folder: PathBuf,
    interval: Duration,
    written: Instant,
    pause: Duration,
}

impl Keeper {
    /// A keeper, which writes a first checkpoint at once.
    pub fn new(checkpoint: Checkpoint, folder: &Path, interval: Duration) -> Result<Self, CliError> {
        let written = Instant::now();
        let mut keeper = Self { checkpoint, folder: folder.to_path_buf(), interval, written, pause: interval };
        keeper.write()?;
        Ok(keeper)
    }

    /// Writes a checkpoint now.
    pub fn write(&mut self) -> Result<(), CliError> {
        let clock = Instant::now();
        self.checkpoint.write(&self.folder)?;
        self.written = Instant::now();
        // Long traces of many parameters take long to write. An interval of 0 asks for every iteration.
        self.pause = if self.interval.is_zero() { self.interval } else { self.interval.max(SHARE * clock.elapsed()) };
        Ok(())
    }

    /// Writes a checkpoint if the last one is old enough.
    pub fn write_if_due(&mut self) -> Result<(), CliError> {
        if self.written.elapsed() >= self.pause { self.write() } else { Ok(()) }
    }
}
