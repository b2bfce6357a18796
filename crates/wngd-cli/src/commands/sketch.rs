//! `wngd sketch`

use std::path::Path;
use std::path::PathBuf;

use clap::Args;
use wngd_experiment::Experiment;
use wngd_experiment::checkpoint::{self, Checkpoint, Header, Journal, Keeping, Shard};
use wngd_experiment::facts::Fact;
use wngd_experiment::limits;
use wngd_experiment::numbers::short;
use wngd_experiment::record::Record;
use wngd_experiment::results::{MetricStudy, Study};
use wngd_experiment::source::builtin;
use wngd_experiment::study::{Settings, sketch as carry_out};

use crate::args::{KeepArgs, suggesting};
use crate::error::CliError;
use crate::output::{close, print, screen, shard_done, tell};

/// Compare estimators of the direction: error against tangent and adjoint solves.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  wngd sketch lorenz\n  wngd sketch lorenz-hats --seeds 21 --probes 16,64,256")]
pub struct SketchArgs {
    /// Experiment file, or name of a built-in experiment; every metric of its methods is studied.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Numbers of probes of the sketches.
    #[arg(long, value_name = "M,M,…", value_delimiter = ',', default_value = "8,16,32,64,128,256")]
    pub probes: Vec<usize>,
    /// Seeds per entry.
    #[arg(long, value_name = "N", default_value_t = 9)]
    pub seeds: u64,
    /// Damping relative to the largest eigenvalue of G; the methods' own, or 1e-4, if absent.
    #[arg(long, value_name = "D")]
    pub damping: Option<f64>,
    /// Folder for results; runs/<name>-sketch if absent.
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

/// Compares the estimators of the direction at the start point.
pub fn sketch(args: &SketchArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    if args.seeds == 0 || args.seeds > 10_000 {
        return Err(CliError::usage("--seeds", "between 1 and 10000 are possible"));
    }
    if args.probes.is_empty() || args.probes.iter().any(|m| *m == 0 || *m > 100_000) {
        return Err(CliError::usage("--probes", "numbers between 1 and 100000 are needed"));
    }
    if let Some(problem) = args.damping.and_then(limits::damping) {
        return Err(CliError::usage("--damping", problem));
    }
    let source = checkpoint::source(resumed.as_ref(), &args.experiment, &args.set)?;
    let experiment = Experiment::build(&source)?;
    let folder = args.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-sketch", experiment.name)));
    let mut record = Record::of("sketch", true, &source, &experiment);
    record.seeds = vec![Fact::new("estimators", format!("0 to {}", args.seeds - 1))];
    let header = Header::of(record, &source, &experiment);
    let journal = Journal::begin(header, resumed, &folder, &Keeping { shard: args.shard, ..args.keep.keeping() })?;
    let settings = Settings { probes: args.probes.clone(), seeds: args.seeds, damping: args.damping };
    let tell = |metric: &str| {
        if !args.quiet {
            tell(&format!("{}: estimators for {metric}", experiment.name));
        }
    };
    let outcome = carry_out(&experiment, &settings, &journal, &folder, &tell);
    if let (Ok(Some(found)), false) = (&outcome, args.quiet) {
        conclude(found, &folder)?;
    }
    close(journal.end(outcome), |found| shard_done(args.shard, &folder, args.quiet, u8::from(found.is_none())))
}

fn conclude(found: &Study, folder: &Path) -> Result<(), CliError> {
    print(&format!(
        "{}: {} parameters, {} cells; medians over {} seeds, quartiles in sketch.json",
        found.name, found.parameters, found.cells, found.seeds
    ))?;
    for metric in &found.metrics {
        print(&table(metric))?;
    }
    print(&format!("results in {}", folder.display()))
}

fn table(study: &MetricStudy) -> String {
    let mut table = screen::table();
    table.set_header(["estimator", "setting", "solves", "angle", "length", "error of η", "decrease of f"]);
    for entry in &study.entries {
        let setting = match (entry.probes, entry.tolerance) {
            (Some(m), _) => format!("m = {m}"),
            (None, Some(_)) if entry.estimator == "exact" => String::new(),
            (None, Some(t)) => format!("to {t:.0e}"),
            (None, None) => String::new(),
        };
        table.add_row([
            entry.estimator.to_string(),
            setting,
            format!("{:.0}", entry.solves.median),
            format!("{}°", short(entry.angle.median)),
            short(entry.length.median),
            format!("{:.1e}", entry.error.median),
            format!("{:.2} %", 100.0 * entry.decrease.median),
        ]);
    }
    let mut text = format!(
        "\n{}, damping {:e} of the largest eigenvalue, step {}\n{table}\nauto: {}",
        study.metric, study.damping, study.step, study.auto
    );
    for left_out in &study.left_out {
        text.push_str(&format!("\nleft out: {left_out}"));
    }
    text
}
