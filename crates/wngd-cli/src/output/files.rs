//! Result files: written to a temporary name and renamed, so that none is ever half there.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wngd::opt::Outcome;

use crate::data::npy;
use crate::error::CliError;

/// `result.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResultFile {
    /// Name of the experiment.
    pub name: String,
    /// Names of the free parameters.
    pub names: Vec<String>,
    /// Start point.
    pub theta0: Vec<f64>,
    /// Name of the objective.
    pub objective: String,
    /// Values that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Remarks on the data.
    pub notes: Vec<String>,
    /// One entry per method.
    pub methods: Vec<MethodResult>,
}

/// One method of `result.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MethodResult {
    /// Label.
    pub label: String,
    /// Metric.
    pub metric: String,
    /// `converged`, `max-iterations`, `stalled` or `stopped`.
    pub status: String,
    /// Why, where there is a reason.
    pub reason: Option<String>,
    /// Iterations made.
    pub iterations: usize,
    /// f at the start.
    pub objective0: f64,
    /// f at the end.
    pub objective: Option<f64>,
    /// Parameters at the end.
    pub theta: Vec<f64>,
    /// Standard errors, where the data are samples.
    pub standard_errors: Option<Vec<f64>>,
    /// Why there are no standard errors, where there could be.
    pub standard_errors_note: Option<String>,
    /// Euclidean distance to the values that made the data, where known.
    pub error: Option<f64>,
    /// Rank of the whitened Jacobian behind the last step.
    pub rank: usize,
    /// Its condition number; null where the rank is deficient.
    pub condition: Option<f64>,
    /// Solves of the state equation and its linearisations.
    pub solves: usize,
    /// How the last direction was estimated, for matrix-free solvers.
    pub solver_note: Option<String>,
    /// Wall seconds.
    pub seconds: f64,
    /// Trace file.
    pub trace: String,
    /// File of the fitted density.
    pub density: String,
}

/// NaN and infinities have no JSON form: they become null.
pub fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Makes a folder for results, checking at once that it can be written to.
pub fn make_folder(folder: &Path) -> Result<(), CliError> {
    let fail = |source| CliError::Write { path: folder.to_path_buf(), source };
    std::fs::create_dir_all(folder).map_err(fail)?;
    let probe = folder.join(format!(".wngd-{}", std::process::id()));
    std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)).map_err(fail)
}

/// Writes a file whole or not at all.
pub fn write_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<(), CliError> {
    let fail = |source| CliError::Write { path: path.to_path_buf(), source };
    let mut temporary: PathBuf = path.to_path_buf();
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    temporary.set_file_name(format!(".{name}.{}", std::process::id()));
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
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::Internal(e.to_string()))?;
    write_file(path, |w| writeln!(w, "{text}"))
}

/// Reads a file of at most `limit` bytes.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, CliError> {
    let fail = |source| CliError::Read { path: path.to_path_buf(), source };
    let file = std::fs::File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    if size > limit {
        let problem = format!("{size} bytes; at most {limit} are read");
        return Err(CliError::Data { path: path.to_path_buf(), problem });
    }
    let mut bytes = Vec::new();
    // A pipe does not tell its size.
    file.take(limit).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// Reads a text of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, CliError> {
    let not_text = |_| CliError::Data { path: path.to_path_buf(), problem: "it is no text in UTF-8".into() };
    String::from_utf8(read_bytes(path, limit)?).map_err(not_text)
}

/// Reads JSON of at most `limit` bytes.
pub fn read_json<T: DeserializeOwned>(path: &Path, limit: u64) -> Result<T, CliError> {
    serde_json::from_slice(&read_bytes(path, limit)?).map_err(|error| CliError::Data {
        path: path.to_path_buf(),
        problem: format!("{error}; it is damaged or not one of ours"),
    })
}

/// Writes a trace: iteration, objective, gradient_norm, slope, step, seconds, then the parameters.
pub fn write_trace(path: &Path, names: &[String], outcome: &Outcome) -> Result<(), CliError> {
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

/// Writes a density as NPY.
pub fn write_density(path: &Path, shape: &[usize], values: &[f64]) -> Result<(), CliError> {
    write_file(path, |w| npy::write(w, shape, values))
}
