//! `wngd check`

use clap::Args;
use wngd_experiment::identification::Job;
use wngd_experiment::source::builtin;
use wngd_experiment::{Experiment, Source};

use crate::args::suggesting;
use crate::error::CliError;
use crate::output::print;

/// Read an experiment and its data and say what is wrong with it, without running it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wngd check my.toml\n  wngd check my.toml --set grid.cells=200")]
pub struct CheckArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

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
