//! `wngd profile`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::Args;
use comfy_table::{Cell, CellAlignment};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd_experiment::Experiment;
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal, Keeping, Shard};
use wngd_experiment::numbers::short;
use wngd_experiment::profile::{Plan, Settings, profile as carry_out};
use wngd_experiment::record::Record;
use wngd_experiment::results::ProfileFile;
use wngd_experiment::source::builtin;

use crate::args::{KeepArgs, suggesting};
use crate::error::CliError;
use crate::output::{close, print, screen, shard_done};

/// Profile the likelihood: intervals that need no symmetry, and contours of two parameters.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd profile faithful --parameters 'weights[0]'\n  wngd profile faithful --contour 'weights[0],means[0][0]'\n\nFor counted data with objective \"kl\"; with priors it is the posterior that is profiled."
)]
pub struct ProfileArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Parameters to profile; the first sixteen if absent.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub parameters: Vec<String>,
    /// Two parameters to draw contours over, at 68.3 and 95 %; may be given more than once. Where two parameters are
    /// profiled, they are drawn anyway.
    #[arg(long, value_name = "NAME,NAME")]
    pub contour: Vec<String>,
    /// Rise of −2 ln L at the ends of the intervals: 1 for 68.3 %, 3.841 for 95 %.
    #[arg(long, value_name = "Δ", default_value_t = 1.0, allow_hyphen_values = true)]
    pub level: f64,
    /// Folder for results; runs/<name>-profile if absent.
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

/// Profiles the likelihood of an experiment.
pub fn profile(args: &ProfileArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let mut contours = Vec::new();
    for pair in &args.contour {
        let [a, b] = pair.split(',').map(str::trim).collect::<Vec<_>>()[..] else {
            return Err(CliError::usage("--contour", format!("\"{pair}\" given; two names are needed, as a,b")));
        };
        contours.push([a.to_string(), b.to_string()]);
    }
    let settings = Settings { parameters: args.parameters.clone(), contours, level: args.level };
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-profile", experiment.name)));
    let record = Record::of("profile", !args.no_figures, &source, &experiment);
    let plan = Plan::new(&experiment, &settings)?;
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &Keeping { shard: args.shard, ..args.keep.keeping() })?;
    let bar = ProgressBar::new(journal.share(plan.len()) as u64);
    if args.quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} sides and contours, {eta} left") {
        bar.set_style(style);
    }
    let outcome = carry_out(&experiment, &plan, &journal, &folder, &|more| bar.inc(more as u64));
    bar.finish_and_clear();
    if let (Ok(Some(file)), false) = (&outcome, args.quiet) {
        print(&summary(file))?;
        print(&format!("results in {}", folder.display()))?;
    }
    close(journal.end(outcome), |file| shard_done(args.shard, &folder, args.quiet, u8::from(file.is_none())))
}

fn summary(file: &ProfileFile) -> String {
    let mut table = screen::table();
    table.set_header(["parameter", "estimate", "standard error", "−", "+", "from", "to"]);
    let right = |value: Option<f64>| Cell::new(value.map_or("–".into(), short)).set_alignment(CellAlignment::Right);
    for entry in &file.profiles {
        table.add_row([
            Cell::new(file.label(&entry.parameter)),
            right(Some(entry.estimate)),
            right(entry.standard_error),
            right(entry.lower_error),
            right(entry.upper_error),
            right(entry.lower),
            right(entry.upper),
        ]);
    }
    let mut text = format!("{}: {} at Δ(−2 ln L) = {}\n", file.name, file.of, short(file.level));
    text.push_str(&screen::fitted(&table));
    for entry in &file.contours {
        let points: usize = entry.levels.iter().map(|level| level.points.len()).sum();
        text.push_str(&format!(
            "\ncontours of {}: {points} points",
            entry.parameters.each_ref().map(|name| file.label(name)).join(" and ")
        ));
    }
    for remark in &file.remarks {
        text.push_str(&format!("\n  {remark}"));
    }
    text
}
