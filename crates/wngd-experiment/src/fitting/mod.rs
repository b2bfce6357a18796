//! `wngd fit`: a Gaussian mixture to a table, without an experiment file.

mod file;
mod picture;
mod read;

use std::path::{Path, PathBuf};

use wngd::fit::{Components, Family, Fit, FitError, Options, Status, fit, fit_histogram};

pub use file::experiment_text;
pub use read::{Table, read};

use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::files;
use crate::record::Record;
use crate::report;
use crate::results::FitFile;

/// What is fitted, and how.
#[derive(Debug, Clone)]
pub struct Request {
    /// CSV or NPY file.
    pub path: PathBuf,
    /// Columns; all but that of weights if absent.
    pub columns: Option<Vec<String>>,
    /// Column of weights.
    pub weights: Option<String>,
    /// Columns of edges of a histogram: a pair, lower and upper, per axis.
    pub edges: Option<Vec<String>>,
    /// Column of its counts.
    pub counts: Option<String>,
    /// Number of components.
    pub components: Components,
    /// Family of the covariances.
    pub family: Family,
    /// Starts per number of components.
    pub starts: usize,
    /// Seed.
    pub seed: u64,
}

impl Request {
    fn options(&self) -> Options {
        Options {
            components: self.components,
            family: self.family,
            starts: self.starts,
            seed: self.seed,
            ..Options::default()
        }
    }
}

/// A fit and what is in `result.json`.
pub struct Fitted {
    /// The fit.
    pub fit: Fit,
    /// `result.json`.
    pub result: FitFile,
    /// The file that repeats it with `wngd run`, or why there is none.
    pub experiment: Result<String, String>,
}

impl Fitted {
    /// Whether it converged, or used up its iterations with a higher likelihood.
    pub fn ended_well(&self) -> bool {
        let first = self.fit.trace.first().map_or(f64::NEG_INFINITY, |row| row.log_likelihood);
        match self.fit.status {
            Status::Converged => true,
            Status::MaxIterations => self.fit.log_likelihood > first,
            Status::Stalled => false,
        }
    }
}

/// Fits a mixture to a table that was read.
///
/// # Errors
/// Data or options that make no mixture; they name the column or the option.
pub fn fit_table(request: &Request, table: &Table) -> Result<Fit, ExperimentError> {
    let options = request.options();
    let found = match table {
        Table::Samples { samples, .. } => fit(samples, &options),
        Table::Histogram { histogram, .. } => fit_histogram(histogram, &options),
    };
    found.map_err(|error| read::about(&request.path, table.columns(), error))
}

/// Fits a mixture to a file and writes results, figures and report into a folder; `out` is that folder.
///
/// # Errors
/// A file that cannot be read, data that make no mixture, a folder that cannot be written to.
pub fn fit_file(request: &Request, out: &Path, figures: bool) -> Result<Fitted, ExperimentError> {
    let table = read(request)?;
    let found = fit_table(request, &table)?;
    files::make_folder(out)?;
    let experiment = experiment_text(request, &table, &found, out);
    let result = FitFile::new(&name_of(&request.path), &table, &found);
    let mut record = Record::new("fit", figures);
    record.data.push(Fact::new(table.what(), request.path.display().to_string()));
    record.data.push(Fact::new("columns", table.columns().join(", ")));
    record.data.push(Fact::new("observations", format!("{}", found.observations)));
    let (components, family) = (found.mixture.weights().len(), found.family);
    record.model.push(Fact::new("model", format!("Gaussian mixture, {components} components, {family} covariances")));
    record.seeds.push(Fact::new("starts", request.seed.to_string()));
    record.write(out)?;
    if let Ok(text) = &experiment {
        files::write_file(&out.join("experiment.toml"), |w| w.write_all(text.as_bytes()))?;
    }
    for method in &result.methods {
        write_trace(&out.join(&method.trace), &found)?;
    }
    files::write_json(&out.join("result.json"), &result)?;
    if figures {
        picture::draw(&table, &found, out)?;
    }
    report::write(out)?;
    Ok(Fitted { fit: found, result, experiment })
}

/// The trace, in the columns of all traces; the objective is the mean of −ln ρ.
fn write_trace(path: &Path, found: &Fit) -> Result<(), ExperimentError> {
    files::write_file(path, |w| {
        writeln!(w, "iteration,objective,gradient_norm,slope,step,seconds,{}", found.names.join(","))?;
        for (iteration, row) in found.trace.iter().enumerate() {
            let seconds = found.seconds * (iteration + 1) as f64 / found.trace.len() as f64;
            write!(w, "{iteration}")?;
            let objective = -row.log_likelihood / found.observations;
            for value in [objective, row.gradient_norm, -row.slope, row.step, seconds].iter().chain(&row.theta) {
                write!(w, ",{value:?}")?;
            }
            writeln!(w)?;
        }
        Ok(())
    })
}

/// A name that may be a folder's: that of the data file.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    let name = name.trim_start_matches('.').to_string();
    if name.is_empty() { "fit".into() } else { name }
}

/// An error of an option of the crate as one of the command's.
fn option_error(option: &str, problem: String) -> ExperimentError {
    ExperimentError::Option { option: format!("--{option}"), problem }
}

impl From<FitError> for ExperimentError {
    fn from(error: FitError) -> Self {
        match error {
            FitError::Option { option, problem } => option_error(option, problem),
            other => option_error("components", other.to_string()),
        }
    }
}
