//! `run.json`: what was asked, so that a result folder explains itself and can be repeated.

use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::error::ExperimentError;
use crate::experiment::Experiment;
use crate::facts::{Fact, NAMES, listed};
use crate::files;
use crate::source::Source;

/// Name of the file.
pub const FILE: &str = "run.json";
/// Format that this version writes and reads.
const FORMAT: u32 = 1;
/// A record holds an experiment file at most, so anything much larger is not one.
const MAX_BYTES: u64 = 16 << 20;

/// Arguments of the program, where they are not those of the process.
static ARGUMENTS: OnceLock<Vec<String>> = OnceLock::new();

/// Arguments that records of this process have: those of a program inside of another one, without its own name. Once.
pub fn of_program(arguments: Vec<String>) {
    // Whoever was first is the program.
    let _ = ARGUMENTS.set(arguments);
}

/// Arguments of the program.
pub(crate) fn arguments() -> Vec<String> {
    let of_process = || std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    ARGUMENTS.get().cloned().unwrap_or_else(of_process)
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// Version of the program.
    pub version: String,
    /// The command, one that leaves a report.
    pub command: String,
    /// Arguments of the program, without its own name.
    pub arguments: Vec<String>,
    /// Name of the experiment file as given, `built-in …` for a built-in one.
    pub experiment: Option<String>,
    /// Its text.
    pub text: Option<String>,
    /// The model and its grid.
    pub model: Vec<Fact>,
    /// The data.
    pub data: Vec<Fact>,
    /// Seeds of everything random.
    pub seeds: Vec<Fact>,
    /// Whether figures are drawn.
    pub figures: bool,
}

impl Record {
    /// The record of this process.
    pub fn new(command: &str, figures: bool) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            command: command.into(),
            arguments: arguments(),
            experiment: None,
            text: None,
            model: Vec::new(),
            data: Vec::new(),
            seeds: Vec::new(),
            figures,
        }
    }

    /// The record of a command on an experiment.
    pub fn of(command: &str, figures: bool, source: &Source, experiment: &Experiment) -> Self {
        let mut record = Self::new(command, figures);
        record.describe(source, &experiment.model_in_words, experiment.data_fact.clone());
        if let Some(grid) = experiment.ground.maybe_grid() {
            record.grid(grid.lower(), grid.upper(), grid.cells());
        }
        record.model.push(Fact::new("free parameters", listed(&experiment.names(), NAMES)));
        record.model.push(Fact::new("objective", experiment.objective.name()));
        record.model.extend(experiment.constraints.iter().map(|said| Fact::new("constraint", said)));
        record.data.extend(experiment.data.notes.iter().map(|note| Fact::new("note", note)));
        // Exact solvers draw nothing.
        let seeds = experiment.methods.iter().filter_map(|m| Some(Fact::new(&m.label, m.seed()?.to_string())));
        record.seeds.extend(seeds);
        record
    }

    /// Takes up an experiment's text, and what model and data are.
    pub fn describe(&mut self, source: &Source, model: &str, data: Fact) {
        if source.is_text() {
            self.experiment = Some(source.shown.clone());
            self.text = Some(source.text.clone());
        }
        self.model.push(Fact::new("model", model));
        self.data.push(data);
    }

    /// Takes up the grid.
    pub fn grid(&mut self, lower: &[f64], upper: &[f64], cells: &[usize]) {
        let rounded = |v: f64| (1e6 * v).round() / 1e6;
        let axes: Vec<String> =
            lower.iter().zip(upper).map(|(a, b)| format!("[{}, {}]", rounded(*a), rounded(*b))).collect();
        let cells: Vec<String> = cells.iter().map(usize::to_string).collect();
        self.model.push(Fact::new("grid", format!("{} cells on {}", cells.join(" × "), axes.join(" × "))));
    }

    /// Writes `run.json` into a folder.
    pub fn write(&self, folder: &Path) -> Result<(), ExperimentError> {
        files::write_json(&folder.join(FILE), self)
    }

    /// Reads the record of a result folder.
    pub fn read(folder: &Path) -> Result<Self, ExperimentError> {
        if !folder.is_dir() {
            return Err(ExperimentError::NoResults {
                folder: folder.to_path_buf(),
                problem: "it is not a folder".into(),
            });
        }
        let path = folder.join(FILE);
        if !path.is_file() {
            let problem =
                format!("it has no {FILE}; give the folder that a run, identification, map or comparison left");
            return Err(ExperimentError::NoResults { folder: folder.to_path_buf(), problem });
        }
        let record: Self = files::read_json(&path, MAX_BYTES)?;
        if record.format != FORMAT {
            let problem = format!("format {} is not known to this version; it reads format {FORMAT}", record.format);
            return Err(ExperimentError::Data { path, problem });
        }
        Ok(record)
    }

    /// The command that repeats this, for a POSIX shell.
    pub fn repeat(&self) -> String {
        let words = std::iter::once("wngd").chain(self.arguments.iter().map(String::as_str));
        // Arguments of a process hold no NUL, the only thing that cannot be quoted; a foreign record may.
        words
            .map(|word| shlex::try_quote(word).map_or_else(|_| "?".into(), |quoted| quoted.into_owned()))
            .collect::<Vec<_>>()
            .join(" ")
    }
}
