//! `run.json`: what was asked, so that a result folder explains itself and can be repeated.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Source;
use crate::config::schema::{Files, ModelKind};
use crate::error::CliError;
use crate::experiment::Experiment;
use crate::output::files;

/// Name of the file.
pub const FILE: &str = "run.json";
/// Format that this version writes and reads.
const FORMAT: u32 = 1;
/// A record holds an experiment file at most, so anything much larger is not one.
const MAX_BYTES: u64 = 16 << 20;
/// Names listed in full.
pub const NAMES: usize = 12;

/// Commands that leave a result folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Descents of an experiment.
    Run,
    /// Parameters of a system from a trajectory.
    Identify,
    /// Descents from a lattice of starts.
    Basin,
    /// Estimators of the direction.
    Sketch,
}

/// A named fact for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// What it says.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// `run.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    format: u32,
    /// Version of the program.
    pub version: String,
    /// The command.
    pub command: Kind,
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
    pub fn new(command: Kind, figures: bool) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            command,
            arguments: std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect(),
            experiment: None,
            text: None,
            model: Vec::new(),
            data: Vec::new(),
            seeds: Vec::new(),
            figures,
        }
    }

    /// The record of a command on an experiment.
    pub fn of(command: Kind, figures: bool, source: &Source, experiment: &Experiment) -> Self {
        let mut record = Self::new(command, figures);
        record.describe(source);
        let grid = &experiment.grid;
        record.grid(grid.lower(), grid.upper(), grid.cells());
        record.model.push(Fact::new(
            "free parameters",
            listed(&wngd::prelude::ForwardModel::parameter_names(experiment.model.as_ref()), NAMES),
        ));
        record.model.push(Fact::new("objective", experiment.objective.name()));
        record.data.extend(experiment.data.notes.iter().map(|note| Fact::new("note", note)));
        for (method, section) in experiment.methods.iter().zip(&experiment.sections) {
            // Exact solvers draw nothing.
            if section.solver.estimator().is_some() {
                record.seeds.push(Fact::new(&method.label, section.seed.unwrap_or(0).to_string()));
            }
        }
        record
    }

    /// Takes up what an experiment file says.
    pub fn describe(&mut self, source: &Source) {
        self.experiment = Some(source.shown.clone());
        self.text = Some(source.text.clone());
        let (model, data) = (&source.file.model, &source.file.data);
        self.model.push(match model.kind {
            ModelKind::GaussianMixture => {
                let count = model.weights.as_ref().map_or(0, Vec::len);
                Fact::new("model", format!("mixture of {count} Gaussians"))
            }
            ModelKind::StationaryDensity => {
                let system = model.system.as_deref().unwrap_or("a flow");
                Fact::new("model", format!("stationary density of {system}"))
            }
        });
        self.data.push(match (&data.samples, &data.trajectory, &data.density) {
            (Some(file), _, _) => Fact::new("samples", file),
            (_, Some(Files::One(file)), _) => Fact::new("trajectory", file),
            (_, Some(Files::Many(files)), _) => Fact::new("trajectory", files.join(", ")),
            (_, _, Some(file)) => Fact::new("density", file),
            _ => Fact::new("known truth", "a density of the model's own kind at given parameters"),
        });
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
    pub fn write(&self, folder: &Path) -> Result<(), CliError> {
        files::write_json(&folder.join(FILE), self)
    }

    /// Reads the record of a result folder.
    pub fn read(folder: &Path) -> Result<Self, CliError> {
        if !folder.is_dir() {
            return Err(CliError::usage("folder", format!("\"{}\" is not a folder", folder.display())));
        }
        let path = folder.join(FILE);
        if !path.is_file() {
            let problem = format!(
                "\"{}\" is no result folder: it has no {FILE}; give the --out of a run, identify, basin or sketch",
                folder.display()
            );
            return Err(CliError::usage("folder", problem));
        }
        let record: Self = files::read_json(&path, MAX_BYTES)?;
        if record.format != FORMAT {
            let problem = format!("format {} is not known to this version; it reads format {FORMAT}", record.format);
            return Err(CliError::Data { path, problem });
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

/// Names, the first `most` where there are many.
pub fn listed(names: &[String], most: usize) -> String {
    let shown = names.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > most { format!("{shown} and {} more", names.len() - most) } else { shown }
}
