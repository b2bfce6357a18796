//! Files of results: written to a temporary name and renamed, so that none is ever half there.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wngd::opt::Outcome;

use crate::error::ExperimentError;

/// Makes a folder for results, checking at once that it can be written to.
pub fn make_folder(folder: &Path) -> Result<(), ExperimentError> {
    let fail = |source| ExperimentError::Write { path: folder.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    let probe = folder.join(temporary_name("probe"));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(fail)
}

/// What all names of files begin with that are there only while they are written.
const TEMPORARY: &str = ".wngd-";

/// A name of its own for each writing of this process.
fn temporary_name(name: &str) -> String {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    format!("{TEMPORARY}{}-{}-{name}", std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed))
}

/// Removes files of a folder that processes were writing when they were killed.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let writer = name.to_str().and_then(|n| n.strip_prefix(TEMPORARY)?.split_once('-')?.0.parse::<u32>().ok());
        if writer.is_some_and(|process| !is_alive(process)) {
            // It is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether a process is there; where that is not known, it may be.
fn is_alive(process: u32) -> bool {
    let processes = Path::new("/proc");
    !processes.join("self").exists() || processes.join(process.to_string()).exists()
}

/// Writes a file whole or not at all.
pub fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), ExperimentError> {
    let fail = |source| ExperimentError::Write { path: path.to_path_buf(), source };
    let mut temporary: PathBuf = path.to_path_buf();
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    temporary.set_file_name(temporary_name(&name));
    let outcome = (|| {
        let mut writer = std::io::BufWriter::new(std::fs::File::create(&temporary)?);
        fill(&mut writer)?;
        writer.flush()?;
        writer.get_ref().sync_all()?;
        std::fs::rename(&temporary, path)?;
        sync_folder(path)
    })();
    if outcome.is_err() {
        // The temporary may not exist; the error to report is the first one.
        let _ = std::fs::remove_file(&temporary);
    }
    outcome.map_err(fail)
}

/// Makes a rename last through a loss of power.
#[cfg(unix)]
fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

/// Elsewhere folders cannot be opened, and renames are in the journal.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Writes JSON with shortest round-trip numbers.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ExperimentError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| ExperimentError::Internal(e.to_string()))?;
    write_file(path, |w| writeln!(w, "{text}"))
}

/// Reads a file of at most `limit` bytes.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, ExperimentError> {
    let fail = |source| ExperimentError::Read { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    if size > limit {
        let problem = format!("{size} bytes; at most {limit} are read");
        return Err(ExperimentError::Data { path: path.to_path_buf(), problem });
    }
    let mut bytes = Vec::new();
    // A pipe does not tell its size.
    file.take(limit).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// Reads a text of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, ExperimentError> {
    let not_text = |_| ExperimentError::Data { path: path.to_path_buf(), problem: "it is no text in UTF-8".into() };
    String::from_utf8(read_bytes(path, limit)?).map_err(not_text)
}

/// Reads JSON of at most `limit` bytes.
pub fn read_json<T: DeserializeOwned>(path: &Path, limit: u64) -> Result<T, ExperimentError> {
    serde_json::from_slice(&read_bytes(path, limit)?).map_err(|error| ExperimentError::Data {
        path: path.to_path_buf(),
        problem: format!("{error}; it is damaged or not one of ours"),
    })
}

/// Writes a trace: iteration, objective, gradient_norm, slope, step, seconds, then the parameters.
pub fn write_trace(path: &Path, names: &[String], outcome: &Outcome) -> Result<(), ExperimentError> {
    write_file(path, |w| {
        write!(w, "iteration,objective,gradient_norm,slope,step,seconds")?;
        for name in names {
            write!(w, ",{name}")?;
        }
        writeln!(w)?;
        for row in &outcome.trace {
            let numbers = [row.objective, row.gradient_norm, row.slope, row.step, row.seconds];
            write!(w, "{}", row.iteration)?;
            for value in numbers.iter().chain(&row.theta) {
                // {:?} is the shortest form that reads back to the same bits.
                write!(w, ",{value:?}")?;
            }
            writeln!(w)?;
        }
        Ok(())
    })
}
