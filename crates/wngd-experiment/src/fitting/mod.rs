//! `wngd fit`: a Gaussian mixture to a table, without an experiment file.

mod file;
mod picture;
pub mod read;
pub mod request;

use std::path::Path;

use wngd::fit::{Fit, Status, fit, fit_histogram};

pub use file::experiment_text;
pub use read::{Table, read};
pub use request::{Request, name_of};

use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::files;
use crate::folder::filled;
use crate::record::Record;
use crate::report;
use crate::results::FitFile;

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
    let result = FitFile::new(&name_of(&request.path), &table, &found);
    let mut record = Record::new("fit", figures);
    record.data.push(Fact::new(table.what(), request.path.display().to_string()));
    record.data.push(Fact::new("columns", table.columns().join(", ")));
    record.data.push(Fact::new("observations", format!("{}", found.observations)));
    let (components, family) = (found.mixture.weights().len(), found.family);
    record.model.push(Fact::new("model", format!("Gaussian mixture, {components} components, {family} covariances")));
    record.seeds.push(Fact::new("starts", request.seed.to_string()));
    let experiment = filled(out, || {
        record.write(out)?;
        // The way to the data begins in the folder, which is there only now.
        let experiment = experiment_text(request, &table, &found, out);
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
        Ok(experiment)
    })?;
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
