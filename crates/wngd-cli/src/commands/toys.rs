//! `wngd toys`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd_experiment::Experiment;
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal, Keeping, Shard};
use wngd_experiment::facts::Fact;
use wngd_experiment::numbers::{count, short, with_error};
use wngd_experiment::record::Record;
use wngd_experiment::results::ToysFile;
use wngd_experiment::source::builtin;
use wngd_experiment::toys::{Plan, Settings, toys as carry_out};

use crate::args::{KeepArgs, suggesting};
use crate::error::CliError;
use crate::output::{close, print, screen, shard_done};

/// Make data with the best fit and fit them again, many times: pulls and coverage.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd toys faithful --count 200\n  wngd toys mixture-mu1 --number 1000 --count 100\n\nToys have the counts of the data, or --number. Those of a known truth are made with it."
)]
pub struct ToysArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of toys.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub count: usize,
    /// Seed; each toy has a stream of its own.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Counts per toy; as many as the data have if absent.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub number: Option<f64>,
    /// Folder for results; runs/<name>-toys if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
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

/// Makes and fits toys; exit code 1 if not all of them converged.
pub fn toys(args: &ToysArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let plan = Plan::new(&experiment, Settings { count: args.count, seed: args.seed, number: args.number })?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-toys", experiment.name)));
    let mut record = Record::of("toys", !args.no_figures, &source, &experiment);
    record.seeds.push(Fact::new("toys", args.seed.to_string()));
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &Keeping { shard: args.shard, ..args.keep.keeping() })?;
    let bar = ProgressBar::new(journal.share(plan.len()) as u64);
    if args.quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} toys, {eta} left") {
        bar.set_style(style);
    }
    let outcome = carry_out(&experiment, &plan, &journal, &folder, &|more| bar.inc(more as u64));
    bar.finish_and_clear();
    if let (Ok(Some(file)), false) = (&outcome, args.quiet) {
        print(&summary(file))?;
        print(&format!("results in {}", folder.display()))?;
    }
    let well = |file: &ToysFile| file.statuses.iter().all(|s| s.status == "converged");
    close(journal.end(outcome), |file| {
        shard_done(args.shard, &folder, args.quiet, u8::from(!file.is_some_and(|file| well(&file))))
    })
}

fn summary(file: &ToysFile) -> String {
    let mut table = screen::table();
    table.set_header([
        "parameter",
        "truth",
        "scatter",
        "mean error",
        "pull mean",
        "pull width",
        "within 1",
        "within 2",
    ]);
    let right = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
    let number = |value: Option<f64>| right(value.map_or("–".into(), short));
    let pull = |value: Option<f64>, error| right(value.map_or("–".into(), |v| with_error(v, error)));
    let share = |value: Option<f64>| right(value.map_or("–".into(), |v| format!("{:.1} %", 100.0 * v)));
    for (entry, truth) in file.parameters.iter().zip(&file.truth) {
        table.add_row([
            Cell::new(&entry.parameter),
            number(Some(*truth)),
            number(entry.scatter),
            number(entry.mean_standard_error),
            pull(entry.pull_mean, entry.pull_mean_error),
            pull(entry.pull_width, entry.pull_width_error),
            share(entry.coverage_1),
            share(entry.coverage_2),
        ]);
    }
    let ended: Vec<String> = file.statuses.iter().map(|s| format!("{} {}", s.count, s.status)).collect();
    let mut text = format!(
        "{}: {} toys of {} counts from the {}, fitted by {}: {}\n",
        file.name,
        file.toys.len(),
        count(file.number),
        file.from,
        file.method,
        ended.join(", ")
    );
    text.push_str(&screen::fitted(&table));
    for remark in &file.remarks {
        text.push_str(&format!("\n  {remark}"));
    }
    text
}
