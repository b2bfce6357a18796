//! Keeps every finished unit of work while a command is carried out.
//!
//! A unit is appended with one write as soon as it is finished, so that a kill at any moment costs no more than
//! the units under way: what was written is the system's. Against a loss of power the file is synced once an
//! interval. It begins as a file that is renamed into place, and does so again when the command is resumed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::crew::Crew;
use super::format::{self, Entry};
use super::shard::{Done, Shard, same};
use super::unit::{Unit, units};
use super::{Checkpoint, FILE, Header, MAX_BYTES};
use crate::error::ExperimentError;
use crate::files;
use crate::folder::Writer;
use crate::record::Record;

/// Syncing takes at most this share of the time.
const SHARE: u32 = 20;

/// How a command keeps its work.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// Least time between syncs: what a loss of power may cost.
    pub interval: Duration,
    /// Whether an unfinished command in the folder may be lost.
    pub restart: bool,
    /// The share of the units that this process does, if not all.
    pub shard: Option<Shard>,
    /// The processes that do the units together, if they are several.
    pub crew: Option<&'static dyn Crew>,
    /// Whether the command was told to stop.
    pub interrupted: fn() -> bool,
}

impl Keeping {
    /// Whether other processes do a part of the units.
    pub fn shares(&self) -> bool {
        self.shard.is_some() || self.crew.is_some()
    }
}

/// The checkpoint of a command under way.
pub struct Journal {
    /// What was asked.
    pub record: Record,
    folder: PathBuf,
    /// Whether the folder was made for this.
    made: bool,
    /// Nobody else writes there; nothing where another process keeps what this one does.
    writer: Option<Writer>,
    /// Whether the command goes on.
    resumed: bool,
    shard: Option<Shard>,
    /// Whether other processes do a part of the units.
    shares: bool,
    /// Those that have not been let go.
    crew: Mutex<Option<&'static dyn Crew>>,
    kept: Vec<Entry>,
    tail: Option<Mutex<Tail>>,
    /// Whether work was told to stop.
    stopped: AtomicBool,
    interrupted: fn() -> bool,
}

/// The end of the file.
struct Tail {
    path: PathBuf,
    file: File,
    lines: usize,
    /// Lines known to be on the disk.
    held: usize,
    interval: Duration,
    pause: Duration,
    synced: Instant,
    /// Why nothing more could be written.
    failure: Option<ExperimentError>,
}

impl Journal {
    /// Begins a command that puts its results into `folder`, anew or where a checkpoint has left it.
    ///
    /// # Errors
    /// A folder that cannot be written to or keeps an unfinished command; a checkpoint of other data.
    pub fn begin(
        asked: Header,
        resumed: Option<Checkpoint>,
        folder: &Path,
        keep: &Keeping,
    ) -> Result<Self, ExperimentError> {
        match (keep.shard, keep.crew) {
            (Some(_), Some(_)) => {
                let problem = "these processes share the work already; leave it out, or start one process".into();
                return Err(ExperimentError::Option { option: "--shard".into(), problem });
            }
            (Some(shard), None) => return Self::begin_shard(asked, shard, folder, keep),
            (None, Some(crew)) if !crew.leads() => return Ok(Self::of(asked.record, folder, keep)),
            (None, _) => {}
        }
        let path = folder.join(FILE);
        let made = !folder.exists();
        let writer = Writer::of(folder)?;
        let goes_on = resumed.is_some();
        // Another command may have gone on with it since it was read.
        let resumed = resumed.map(|asked| asked.again(folder)).transpose()?;
        let checkpoint = match resumed {
            None if path.exists() && !keep.restart => {
                let (folder, go_on) = (folder.to_path_buf(), to_go_on(folder));
                return Err(ExperimentError::Unfinished { folder, go_on });
            }
            None => Checkpoint::of(asked)?,
            Some(checkpoint) if checkpoint.header.data != asked.data => {
                let problem = "the data have changed since the command was interrupted; restore them, or start anew \
                               with --restart"
                    .into();
                return Err(ExperimentError::Data { path, problem });
            }
            Some(checkpoint) if checkpoint.header.record.version != asked.record.version => {
                let (old, new) = (&checkpoint.header.record.version, &asked.record.version);
                let problem =
                    format!("version {old} wrote it, and {new} may compute other bits; start anew with --restart");
                return Err(ExperimentError::Data { path, problem });
            }
            Some(checkpoint) => checkpoint,
        };
        if !goes_on {
            writer.clear();
        }
        let tail = Tail::of(path, &checkpoint.entries, keep.interval)?;
        let it = Self::of(checkpoint.header.record, folder, keep);
        let (writer, tail) = (Some(writer), Some(Mutex::new(tail)));
        Ok(Self { made, writer, resumed: goes_on, kept: checkpoint.entries, tail, ..it })
    }

    /// One that keeps nothing.
    fn of(record: Record, folder: &Path, keep: &Keeping) -> Self {
        Self {
            record,
            folder: folder.to_path_buf(),
            made: false,
            writer: None,
            resumed: false,
            shard: keep.shard,
            shares: keep.shares(),
            crew: Mutex::new(keep.crew),
            kept: Vec::new(),
            tail: None,
            stopped: AtomicBool::new(false),
            interrupted: keep.interrupted,
        }
    }

    /// Begins a shard, or goes on with it: what it has done already of the same command stands in its own file.
    fn begin_shard(asked: Header, shard: Shard, folder: &Path, keep: &Keeping) -> Result<Self, ExperimentError> {
        let path = folder.join(shard.file());
        let made = !folder.exists();
        let writer = Writer::of_part(folder, &shard.file())?;
        let fail = |problem: String| ExperimentError::Data {
            path: path.clone(),
            problem: format!("{problem}; give --restart to do shard {shard} anew, or another folder"),
        };
        let mut checkpoint = Checkpoint::of(asked)?;
        let resumed = path.exists() && !keep.restart;
        if resumed {
            let found = format::find(&files::read_bytes(&path, MAX_BYTES)?).map_err(fail)?;
            // What is whole before damage is kept; the rest is done again.
            if !found.entries.is_empty() || found.damage.is_none() {
                let earlier = Checkpoint::from_entries(found.entries).map_err(fail)?;
                if !same(&earlier.header, &checkpoint.header) {
                    return Err(fail("it is of another command, or of other data".into()));
                }
                let units = earlier.entries.into_iter().skip(1).filter(|entry| entry.kind != Done::KIND);
                checkpoint.entries.extend(units);
            }
        }
        let tail = Tail::of(path.clone(), &checkpoint.entries, keep.interval)?;
        let it = Self::of(checkpoint.header.record, folder, keep);
        let (writer, tail) = (Some(writer), Some(Mutex::new(tail)));
        Ok(Self { made, writer, resumed, kept: checkpoint.entries, tail, ..it })
    }

    /// Whether this process makes the result: it is no shard, and no other process keeps what it does.
    pub fn concludes(&self) -> bool {
        self.shard.is_none() && self.tail.is_some()
    }

    /// Whether other processes do a part of the units.
    pub fn shares(&self) -> bool {
        self.shares
    }

    /// The processes that do units together, once: whoever leads lets them go when these are done.
    pub(super) fn crew(&self) -> Option<&'static dyn Crew> {
        self.crew.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether a unit, by its number among all of the command, is to be done here.
    pub fn takes(&self, unit: usize) -> bool {
        self.shard.is_none_or(|shard| shard.takes(unit))
    }

    /// How many of so many units are to be done here.
    pub fn share(&self, units: usize) -> usize {
        self.shard.map_or(units, |shard| shard.share(units))
    }

    /// The units that the checkpoint held when the command began.
    pub fn kept<T: Unit>(&self) -> Result<Vec<T>, ExperimentError> {
        self.kept_of(T::KIND)
    }

    /// The units of a kind that is not known to the type.
    pub fn kept_of<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, ExperimentError> {
        units(&self.kept, kind).map_err(|problem| self.refuse(problem))
    }

    /// The checkpoint does not fit.
    pub fn refuse(&self, problem: String) -> ExperimentError {
        ExperimentError::Data { path: self.folder.join(FILE), problem }
    }

    /// Keeps a finished unit. A failure is told by [`stopped`](Self::stopped) and [`check`](Self::check).
    pub fn append<T: Unit>(&self, unit: &T) {
        self.append_of(T::KIND, unit);
    }

    /// [`append`](Self::append) for a kind that is not known to the type.
    pub fn append_of(&self, kind: &str, unit: &impl Serialize) {
        let Some(mut tail) = self.tail() else { return };
        let content = serde_json::to_string(unit).map_err(|error| ExperimentError::Internal(error.to_string()));
        // Behind a torn line nothing would be read.
        if tail.failure.is_none() {
            tail.failure = content.and_then(|content| tail.append(kind, &content)).err();
        }
    }

    /// Whether to stop once the unit under way is finished: Ctrl-C was pressed, or nothing can be kept.
    pub fn stopped(&self) -> bool {
        let stopped = (self.interrupted)() || self.tail().is_some_and(|tail| tail.failure.is_some());
        self.stopped.fetch_or(stopped, Ordering::Relaxed) || stopped
    }

    /// What is done is not all of it.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// What tells whether Ctrl-C was pressed, at the cost of a call.
    pub(crate) fn interrupted(&self) -> fn() -> bool {
        self.interrupted
    }

    /// Why nothing more could be kept, if so.
    pub fn check(&self) -> Result<(), ExperimentError> {
        self.tail().and_then(|mut tail| tail.failure.take()).map_or(Ok(()), Err)
    }

    /// Ends the command: a finished one leaves no checkpoint, nor does one that failed and would fail again. What was
    /// kept can be gone on with by what is returned beside the outcome.
    pub fn end<T>(self, outcome: Result<T, ExperimentError>) -> (Result<T, ExperimentError>, Option<String>) {
        let outcome = self.check().and(outcome);
        let Some(writer) = &self.writer else { return (outcome, None) };
        if let Some(shard) = self.shard {
            let stopped = self.stopped.load(Ordering::Relaxed);
            let again = Some(format!("the same command, --shard {shard} and all"));
            return match outcome {
                Ok(value) if !stopped => (self.tail().map_or(Ok(()), |mut tail| tail.finish()).map(|()| value), None),
                Err(error) if !stopped && !error.may_pass() => (Err(error), None),
                outcome => (outcome, again),
            };
        }
        if outcome.as_ref().map_or_else(ExperimentError::may_pass, |_| self.stopped.load(Ordering::Relaxed)) {
            return (outcome, Some(to_go_on(&self.folder)));
        }
        if outcome.is_err() && self.resumed {
            // It may be the checkpoint that does not fit, and then it is not ours to remove.
            return (outcome, None);
        }
        if outcome.is_err() {
            // What was asked has no answer, and would have none the next time.
            writer.clear();
        }
        let path = self.folder.join(FILE);
        let removed = std::fs::remove_file(&path).map_err(|source| ExperimentError::Write { path, source });
        drop(self.writer);
        if outcome.is_err() && self.made {
            // Only if nothing is in it.
            let _ = std::fs::remove_dir(&self.folder);
        }
        (outcome.and_then(|value| removed.map(|()| value)), None)
    }

    fn tail(&self) -> Option<MutexGuard<'_, Tail>> {
        self.tail.as_ref().map(|tail| tail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What to type.
fn to_go_on(folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    // No path holds a NUL, the only thing that cannot be quoted.
    format!("wngd resume {}", shlex::try_quote(&folder).unwrap_or(std::borrow::Cow::Borrowed(&folder)))
}

impl Tail {
    /// A file that holds these entries, to be added to.
    fn of(path: PathBuf, entries: &[Entry], interval: Duration) -> Result<Self, ExperimentError> {
        let text = format::whole(entries);
        files::write_file(&path, |w| w.write_all(text.as_bytes()))?;
        let file = File::options().append(true).open(&path);
        let file = file.map_err(|source| ExperimentError::Write { path: path.clone(), source })?;
        let (lines, synced) = (entries.len(), Instant::now());
        Ok(Self { path, file, lines, held: lines, interval, pause: interval, synced, failure: None })
    }

    /// Says that all units of a shard are there.
    fn finish(&mut self) -> Result<(), ExperimentError> {
        let done = serde_json::to_string(&Done::of(self.lines - 1));
        let done = done.map_err(|error| ExperimentError::Internal(error.to_string()))?;
        self.append(Done::KIND, &done)?;
        self.file.sync_data().map_err(|source| self.fail(source))
    }

    fn append(&mut self, kind: &str, content: &str) -> Result<(), ExperimentError> {
        let line = format::line(self.lines, self.held, kind, content);
        self.file.write_all(line.as_bytes()).map_err(|source| self.fail(source))?;
        self.lines += 1;
        if self.synced.elapsed() >= self.pause {
            let clock = Instant::now();
            self.file.sync_data().map_err(|source| self.fail(source))?;
            (self.held, self.synced) = (self.lines, Instant::now());
            // Disks may be slow. An interval of 0 asks for every unit.
            self.pause =
                if self.interval.is_zero() { self.interval } else { self.interval.max(SHARE * clock.elapsed()) };
        }
        Ok(())
    }

    fn fail(&self, source: std::io::Error) -> ExperimentError {
        ExperimentError::Write { path: self.path.clone(), source }
    }
}
