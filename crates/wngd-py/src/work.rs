//! Experiments as the command line carries them out: the same files in a folder, read back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use numpy::PyArray1;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tempfile::TempDir;
use wngd::opt::{Iteration, Outcome};
use wngd_experiment::checkpoint::{Header, Journal, Keeping};
use wngd_experiment::identification::{Job, identify};
use wngd_experiment::record::Record;
use wngd_experiment::run::{Event, run};
use wngd_experiment::{Experiment, ExperimentError, Source, files};

use crate::arrays::array;
use crate::callables::Raised;
use crate::{error, interrupt, values};

/// Most bytes of a report.
const REPORT: u64 = 1 << 30;
/// Where the text of an experiment is kept that had no file.
const OWN: &str = "experiment.toml";

/// Where results go: a folder of the caller, or one that is gone when the call is over.
pub(crate) enum Place {
    Kept(PathBuf),
    Passing(TempDir),
}

impl Place {
    pub(crate) fn of(out: Option<PathBuf>) -> PyResult<Self> {
        match out {
            Some(path) => Ok(Self::Kept(path)),
            None => Ok(Self::Passing(tempfile::tempdir()?)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }

    /// What a command is told of it.
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Kept(path) => vec!["--out".into(), path.to_string_lossy().into_owned()],
            Self::Passing(_) => Vec::new(),
        }
    }
}

/// How a command keeps its work: as on the command line, for `wngd resume`.
fn keeping(restart: bool) -> Keeping {
    Keeping { interval: Duration::from_secs(1), restart, shard: None, crew: None, interrupted: interrupt::pressed }
}

/// How a command is carried out.
#[derive(Clone, Copy)]
pub(crate) struct How {
    /// Whether figures are drawn.
    pub(crate) figures: bool,
    /// Whether an unfinished command in the folder may be lost.
    pub(crate) restart: bool,
}

/// Carries out an experiment; what Python's `run` returns in `result.json`, `report.html`, traces and densities.
#[pyfunction]
pub(crate) fn run_experiment<'py>(
    py: Python<'py>,
    experiment: &Bound<'py, PyAny>,
    out: Option<PathBuf>,
    figures: bool,
    restart: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let source = values::source(experiment)?;
    let place = Place::of(out)?;
    let how = How { figures, restart };
    let told = PyDict::new(py);
    let result = if source.has("identify") {
        interrupt::watched(py, || identified(&source, &place, how, command(&source)))??
    } else {
        let (json, outcomes, shape) = interrupt::watched(py, || ran(&source, &place, how, progress.as_ref()))??;
        let traces = outcomes.iter().map(|(_, outcome)| trace(py, outcome)).collect::<PyResult<Vec<_>>>()?;
        told.set_item("traces", traces)?;
        let densities = outcomes.into_iter().map(|(_, outcome)| array(py, &shape, outcome.state.values));
        told.set_item("densities", densities.collect::<PyResult<Vec<_>>>()?)?;
        json
    };
    if let (Place::Kept(folder), values::TEXT) = (&place, &source.shown[..]) {
        files::write_file(&folder.join(OWN), |w| w.write_all(source.text.as_bytes())).map_err(error::experiment)?;
    }
    finish(&told, &result, &place)?;
    Ok(told)
}

/// The command that carries out an experiment; text and dictionaries have a file of their own.
fn command(source: &Source) -> Vec<String> {
    let name = if source.shown == values::TEXT { OWN } else { &source.shown };
    vec!["run".into(), name.trim_start_matches("built-in ").into()]
}

/// What all have: the text of `result.json` and of the report.
pub(crate) fn finish(told: &Bound<'_, PyDict>, result: &str, place: &Place) -> PyResult<()> {
    told.set_item("json", result)?;
    told.set_item("report", files::read_text(&place.path().join("report.html"), REPORT).map_err(error::experiment)?)
}

/// The outcomes of an experiment's methods with their labels, and the shape of its states.
type Ran = (String, Vec<(String, Outcome)>, Vec<usize>);

fn ran(source: &Source, place: &Place, how: How, progress: Option<&Py<PyAny>>) -> PyResult<Ran> {
    let folder = place.path();
    let experiment = Experiment::build(source).map_err(error::experiment)?;
    let mut record = Record::of("run", how.figures, source, &experiment);
    record.arguments = [command(source), place.arguments()].concat();
    let header = Header::of(record, source, &experiment);
    let journal = Journal::begin(header, None, folder, &keeping(how.restart)).map_err(error::experiment)?;
    let (raised, mut label) = (Raised::default(), String::new());
    let outcome = run(&experiment, &journal, folder, &mut |event: Event<'_>| {
        let (Some(progress), false) = (progress, raised.any()) else { return };
        let told = match event {
            Event::Begin(method, limit) => {
                label.clone_from(&method.label);
                (label.as_str(), Some(limit), f64::NAN)
            }
            Event::Iterate(row) => (label.as_str(), None, row.objective),
            _ => return,
        };
        if let Err(error) = Python::attach(|py| progress.call1(py, told)) {
            raised.keep(error);
        }
    });
    let ended = journal.end(outcome).0;
    raised.check()?;
    let found = ended.map_err(error::experiment)?;
    let labels = found.result.methods.iter().map(|method| method.label.clone());
    Ok((text(&found.result)?, labels.zip(found.outcomes).collect(), experiment.shape()))
}

/// Carries out an identification, and returns the text of its `result.json`.
pub(crate) fn identified(source: &Source, place: &Place, how: How, command: Vec<String>) -> PyResult<String> {
    let folder = place.path();
    let job = Job::read(source).map_err(error::experiment)?;
    let mut header = job.header(source, how.figures);
    header.record.arguments = [command, place.arguments()].concat();
    let journal = Journal::begin(header, None, folder, &keeping(how.restart)).map_err(error::experiment)?;
    let outcome = identify(&job, &journal, folder, &mut |_| {});
    let ended = journal.end(outcome).0;
    match ended.map_err(error::experiment)? {
        Some(found) => text(&found.file),
        // Ctrl-C stopped it.
        None => Err(PyKeyboardInterrupt::new_err(())),
    }
}

fn text(file: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(file).map_err(|e| error::experiment(ExperimentError::Internal(e.to_string())))
}

/// A number of an iterate.
type Column = fn(&Iteration) -> f64;

/// The columns of a trace, as arrays.
pub(crate) fn trace<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyDict>> {
    let rows = &outcome.trace;
    let told = PyDict::new(py);
    told.set_item("iteration", PyArray1::from_iter(py, rows.iter().map(|row| row.iteration as i64)))?;
    let columns: [(&str, Column); 5] = [
        ("objective", |row| row.objective),
        ("gradient_norm", |row| row.gradient_norm),
        ("slope", |row| row.slope),
        ("step", |row| row.step),
        ("seconds", |row| row.seconds),
    ];
    for (name, column) in columns {
        told.set_item(name, PyArray1::from_iter(py, rows.iter().map(column)))?;
    }
    let p = rows.first().map_or(0, |row| row.theta.len());
    let thetas = rows.iter().flat_map(|row| row.theta.iter().copied()).collect();
    told.set_item("x", array(py, &[rows.len(), p], thetas)?)?;
    Ok(told)
}
