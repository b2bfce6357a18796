//! The folder of a command: one writer at a time, and nothing in it that an earlier command left behind.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use fs4::fs_std::FileExt;

use crate::error::ExperimentError;
use crate::files;
use crate::record;

/// Name of the file whose lock says that a command writes into the folder.
const LOCK: &str = ".wngd-lock";

/// Results of `wngd density`, which leaves no record.
pub(crate) const DENSITY: &str = "density.json";
/// The density itself.
pub(crate) const DENSITY_ARRAY: &str = "density.npy";

/// Attempts at a lock whose file its holder removes at the same moment.
const ATTEMPTS: usize = 100;

/// The right to write into a folder. It ends with this value, or with the process, however that dies.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    /// Of a part only: what whole commands hold alone is held with other parts.
    shared: Option<File>,
}

impl Writer {
    /// Makes a folder for results, checks that it can be written to, and removes what killed commands left half written.
    ///
    /// # Errors
    /// [`ExperimentError::Busy`] while another command writes there; a folder that cannot be written to.
    pub fn of(folder: &Path) -> Result<Self, ExperimentError> {
        files::make_folder(folder)?;
        let writer = Self::locked(folder, LOCK)?;
        files::remove_leftovers(folder);
        Ok(writer)
    }

    /// The right to write one part of the results, `name`, beside other processes that write theirs.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn of_part(folder: &Path, name: &str) -> Result<Self, ExperimentError> {
        files::make_folder(folder)?;
        let path = folder.join(LOCK);
        let fail = |source| ExperimentError::Write { path: path.clone(), source };
        let file = File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(fail)?;
        if !FileExt::try_lock_shared(&file).map_err(fail)? {
            return Err(busy(folder, file));
        }
        let mut part = Self::locked(folder, &format!("{LOCK}-{name}"))?;
        part.shared = Some(file);
        Ok(part)
    }

    /// Takes a lock for oneself.
    fn locked(folder: &Path, name: &str) -> Result<Self, ExperimentError> {
        let path = folder.join(name);
        let fail = |source| ExperimentError::Write { path: path.clone(), source };
        for _ in 0..ATTEMPTS {
            let file = File::options().read(true).write(true).create(true).truncate(false).open(&path);
            let file = file.map_err(fail)?;
            if !file.try_lock_exclusive().map_err(fail)? {
                return Err(busy(folder, file));
            }
            // Who held it may have removed it between our opening and our locking.
            if !is_at(&file, &path) {
                continue;
            }
            let text = format!("process {}: wngd {}", std::process::id(), record::arguments().join(" "));
            let mut writer = Self { path: path.clone(), file, shared: None };
            writer.file.set_len(0).and_then(|()| writer.file.rewind()).map_err(fail)?;
            writeln!(writer.file, "{text}").map_err(fail)?;
            return Ok(writer);
        }
        let problem = "its lock is taken and removed again and again".into();
        Err(ExperimentError::Data { path, problem })
    }

    /// Removes the results that an earlier command wrote into the folder, so that none stands beside those of another.
    /// Files that are not ours stay.
    pub fn clear(&self) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        if ![record::FILE, DENSITY].iter().any(|name| folder.join(name).is_file()) {
            return;
        }
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| is_result(path)) {
            // What cannot be removed cannot be written either, which then is told.
            let _ = std::fs::remove_file(&path);
            if path.extension().is_some_and(|e| e == "svg") {
                for form in ["png", "pdf"] {
                    let _ = std::fs::remove_file(path.with_extension(form));
                }
            }
        }
    }
}

/// Fills a folder with the results of one command: those of an earlier one go, and so does what was written where
/// something cannot be.
///
/// # Errors
/// As [`Writer::of`] and `write`.
pub(crate) fn filled<T>(
    folder: &Path,
    write: impl FnOnce() -> Result<T, ExperimentError>,
) -> Result<T, ExperimentError> {
    let writer = Writer::of(folder)?;
    writer.clear();
    let outcome = write();
    if outcome.is_err() {
        writer.clear();
    }
    outcome
}

/// The error of a lock that another process holds.
fn busy(folder: &Path, file: File) -> ExperimentError {
    let mut holder = String::new();
    // It may be gone by now, or on its way; those who share it do not write into it.
    let _ = file.take(4096).read_to_string(&mut holder);
    let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
    ExperimentError::Busy { folder: folder.to_path_buf(), holder: holder.into() }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The file that is shared stays: others may hold it.
        self.shared = None;
        // While it is still locked: whoever waits for it then sees that it is another file.
        let _ = std::fs::remove_file(&self.path);
        let _ = FileExt::unlock(&self.file);
    }
}

/// Whether a file is one that a command writes: by its name, and a figure by what it says of its maker.
fn is_result(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let between = |head: &str, tail: &str| name.starts_with(head) && name.ends_with(tail);
    match name.as_str() {
        "report.html" | record::FILE => true,
        "result.json" | "basin.json" | "sketch.json" | "profile.json" | "toys.json" => true,
        DENSITY | DENSITY_ARRAY => true,
        _ if between("trace-", ".csv") || between("density-", ".npy") => true,
        _ if name.ends_with(".svg") => {
            let mut head = Vec::new();
            let read = File::open(path).and_then(|file| file.take(4096).read_to_end(&mut head));
            read.is_ok() && String::from_utf8_lossy(&head).contains(wngd_figures::MAKER)
        }
        _ => false,
    }
}

/// Whether an open file is still the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(there)) => inode(open) == inode(there),
        _ => false,
    }
}

/// Elsewhere an open file is not removed.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::of(folder.path()).unwrap();
        let error = Writer::of(folder.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        Writer::of(folder.path()).unwrap();
    }

    #[test]
    fn one_of_many_threads_writes_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let taken: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let once = || match Writer::of(folder.path()) {
                            Ok(_writer) => {
                                use std::sync::atomic::Ordering::SeqCst;
                                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                                inside.fetch_sub(1, SeqCst);
                                1
                            }
                            Err(ExperimentError::Busy { .. }) => 0,
                            Err(error) => panic!("{error}"),
                        };
                        (0..50).map(|_| once()).sum::<usize>()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(taken > 0);
    }

    #[test]
    fn what_cannot_be_filled_is_left_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("o");
        let write = |name: &str| std::fs::write(path.join(name), "x").unwrap();
        let failed = filled(&path, || -> Result<(), _> {
            write(record::FILE);
            write("result.json");
            Err(ExperimentError::Internal("no".into()))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 0);
        filled(&path, || {
            write(record::FILE);
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn results_of_an_earlier_command_go_and_files_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let ours = format!("<svg><!-- {} 1 --></svg>", wngd_figures::MAKER);
        let gone = [
            "run.json",
            "result.json",
            "report.html",
            "trace-l2.csv",
            "density-l2.npy",
            "landscape.png",
            "landscape.pdf",
        ];
        gone.iter().for_each(|name| write(name, "x"));
        write("landscape.svg", &ours);
        let stays = ["notes.txt", "mine.svg", "mine.png", "mine.pdf", "data.csv", "experiment.toml"];
        stays.iter().for_each(|name| write(name, "x"));
        write(DENSITY, "x");
        write(DENSITY_ARRAY, "x");
        let dead = format!(".wngd-{}-result.json", u32::MAX);
        write(&dead, "half");
        let writer = Writer::of(folder.path()).unwrap();
        writer.clear();
        drop(writer);
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        let mut expected = stays;
        expected.sort_unstable();
        assert_eq!(left, expected);
    }
}
