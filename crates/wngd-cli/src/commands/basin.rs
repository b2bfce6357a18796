//! `wngd basin`

use std::io::IsTerminal;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd_experiment::Experiment;
use wngd_experiment::basin::{Lattice, basin as carry_out};
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal, Keeping, Shard};
use wngd_experiment::numbers::short;
use wngd_experiment::record::Record;
use wngd_experiment::results::BasinFile;
use wngd_experiment::source::builtin;

use crate::args::{KeepArgs, suggesting};
use crate::error::CliError;
use crate::output::{close, print, screen, shard_done};

/// Descend from a lattice of starts and map which minimum each reaches.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd basin mixture-weight\n  wngd basin mixture-weight --lower 0.05,-2 --upper 0.95,6 --counts 20,20"
)]
pub struct BasinArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Lowest start values, one per varied parameter.
    #[arg(long, value_name = "V,V", allow_hyphen_values = true, value_delimiter = ',')]
    pub lower: Option<Vec<f64>>,
    /// Highest start values.
    #[arg(long, value_name = "V,V", allow_hyphen_values = true, value_delimiter = ',')]
    pub upper: Option<Vec<f64>>,
    /// Starts per varied parameter.
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    pub counts: Option<Vec<usize>>,
    /// Folder for results; runs/<name>-basin if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Do the i-th of n shares of the work only, from 0 on; `wngd merge` makes one result of all.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// What is kept for `wngd resume`.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// Descends from a lattice of starts with every method.
pub fn basin(args: &BasinArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let (lower, upper, counts) = (args.lower.as_deref(), args.upper.as_deref(), args.counts.as_deref());
    let plan = Lattice::new(&source, &experiment, lower, upper, counts)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-basin", experiment.name)));
    let record = Record::of("basin", true, &source, &experiment);
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &Keeping { shard: args.shard, ..args.keep.keeping() })?;
    let bar = ProgressBar::new(journal.share(plan.len() * experiment.methods.len()) as u64);
    if args.quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} descents, {eta} left") {
        bar.set_style(style);
    }
    let outcome = carry_out(&experiment, plan, &journal, &folder, &|more| bar.inc(more as u64));
    bar.finish_and_clear();
    if let (Ok(Some(file)), false) = (&outcome, args.quiet) {
        print(&summary(file))?;
        print(&format!("results in {}", folder.display()))?;
    }
    close(journal.end(outcome), |file| shard_done(args.shard, &folder, args.quiet, u8::from(file.is_none())))
}

fn summary(file: &BasinFile) -> String {
    let mut table = screen::table();
    table.set_header(["method", "starts", "at the best minimum", "elsewhere", "not converged"]);
    for method in &file.methods {
        let total = method.minimum.len();
        let none = method.minimum.iter().filter(|m| m.is_none()).count();
        let best = method.minimum.iter().filter(|m| **m == Some(0)).count();
        table.add_row([
            method.label.clone(),
            total.to_string(),
            format!("{best} ({:.1} %)", 100.0 * method.fraction_best),
            (total - none - best).to_string(),
            none.to_string(),
        ]);
    }
    let mut text = screen::fitted(&table);
    for (i, minimum) in file.minima.iter().enumerate().take(6) {
        let theta: Vec<String> = minimum.theta.iter().map(|v| short(*v)).collect();
        text.push_str(&format!(
            "\nminimum {}: f = {:.6e} at {}, {} descents",
            i + 1,
            minimum.objective,
            theta.join(", "),
            minimum.count
        ));
    }
    text
}
