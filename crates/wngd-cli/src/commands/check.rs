//! `wngd check`

use wngd_experiment::identification::Job;
use wngd_experiment::{Experiment, Source};

use super::print;
use crate::args::CheckArgs;
use crate::error::CliError;

/// Reads an experiment with its data and says what it would do, without doing it.
pub fn check(args: &CheckArgs) -> Result<u8, CliError> {
    let source = Source::load(&args.experiment, &args.set)?;
    if source.has("identify") {
        let job = Job::read(&source)?;
        print(&format!("{}: identification, nothing is wrong", job.name))?;
        return Ok(0);
    }
    let experiment = Experiment::build(&source)?;
    let labels: Vec<&str> = experiment.methods.iter().map(|m| m.label.as_str()).collect();
    print(&format!("{}: {}, nothing is wrong", experiment.name, experiment.model_in_words))?;
    print(&format!("  parameters  {}", experiment.names().join(", ")))?;
    print(&format!("  objective   {}", experiment.objective.name()))?;
    print(&format!("  methods     {}", labels.join(", ")))?;
    for note in &experiment.data.notes {
        print(&format!("  note        {note}"))?;
    }
    Ok(0)
}
