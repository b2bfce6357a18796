//! `wngd identify`, and `wngd run` for experiments with an `[identify]` section: one path for both.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget};
use toml::{Table, Value};
use wngd::identify::Event;
use wngd_experiment::Source;
use wngd_experiment::checkpoint::{Checkpoint, Journal, Keeping, Shard};
use wngd_experiment::identification::{DENSITY, Identified, Job, UNUSED, identify as carry_out};
use wngd_experiment::models::system_file::is_file;

use super::simulate::named;
use crate::args::{KeepArgs, suggesting, systems};
use crate::error::CliError;
use crate::output::{close, print, shard_done, table, tell};

/// Find the parameters of a dynamical system from a trajectory.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd identify --system lorenz63 --trajectory traj.csv --out found\n  wngd identify --system mine.toml --trajectory traj.csv --start kappa=2,lambda=6 --out found\n  wngd identify --system lorenz63 --trajectory points.csv --unordered --out found\n  wngd identify --system lorenz63 --trajectory x.csv --observed x --out found\n  wngd identify --system lorenz63 --trajectory traj.csv --estimator density --out grid"
)]
pub struct IdentifyArgs {
    /// Name of the system, or a file of your own, FILE.toml; `wngd systems` lists the names.
    #[arg(long, value_name = "NAME|FILE", value_parser = suggesting(systems))]
    pub system: String,
    /// Points on the attractor: CSV with a header (a column t or time gives the time step) or NPY; several
    /// files by repeating the option.
    #[arg(long, value_name = "FILE", required = true)]
    pub trajectory: Vec<PathBuf>,
    /// Parameters to start from, comma-separated, in the order of the free ones or by name, as mu=1.3; the system's
    /// own if absent.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub start: Option<Vec<String>>,
    /// Names of the parameters to find, the others keep their start; all if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub free: Option<Vec<String>>,
    /// Folder for results.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Estimators to run, of weak-stationary, weak-in-time, shooting, smoother, simulated-moments and density; all but the last,
    /// as far as they apply, simulated-moments where no other does, if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub estimator: Option<Vec<String>>,
    /// The points are in no order.
    #[arg(long)]
    pub unordered: bool,
    /// Variables that were measured, where others were not: columns by these names, or else in this order. The smoother
    /// and simulated-moments can do without the others.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub observed: Option<Vec<String>>,
    /// Columns of the CSV file, in the order of the system's coordinates; by the names of the variables, or else all but
    /// t, if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub columns: Option<Vec<String>>,
    /// Points left out at the beginning of each file.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub burn_in: usize,
    /// Every how many points one is taken.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub stride: usize,
    /// How points are put on cells; multilinear if absent (density).
    #[arg(long, value_name = "NAME", value_parser = ["multilinear", "nearest"])]
    pub binning: Option<String>,
    /// Standard deviation of a Gaussian that data and model are smoothed by, in cells; 0 if absent (density).
    #[arg(long, value_name = "CELLS")]
    pub smoothing: Option<f64>,
    /// Noise of the data: a share of each coordinate's scatter as recorded, a standard deviation per coordinate, or
    /// auto: estimated where there is an order.
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    pub noise: Option<Vec<String>>,
    /// Cells of the grid, one number or one per axis; 64 in two dimensions, 24 in three, if absent (density).
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub cells: Option<Vec<usize>>,
    /// Time between points, if the file has no column for it.
    #[arg(long, value_name = "TIME")]
    pub dt: Option<f64>,
    /// Simulated trajectories per correction; 0 leaves the bias of the grid in; 4 if absent (density).
    #[arg(long, value_name = "N")]
    pub replicates: Option<usize>,
    /// Most corrections; they end when what is left is noise; 8 if absent (density).
    #[arg(long, value_name = "N")]
    pub corrections: Option<usize>,
    /// Seed of test functions and simulations.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Do the i-th of n shares of the estimators weak-in-time, smoother and simulated-moments only, from 0 on; `wngd merge`
    /// makes one result of all.
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
    /// What is kept for `wngd resume`.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// Cells per axis that an identification may have.
const CELLS: std::ops::RangeInclusive<usize> = 4..=4096;

/// Identifies parameters from a trajectory file.
pub fn identify(args: &IdentifyArgs, resumed: Option<Checkpoint>) -> Result<u8, CliError> {
    if !is_file(&args.system) {
        named(&args.system)?;
    }
    if args.cells.iter().flatten().any(|n| !CELLS.contains(n)) {
        return Err(CliError::usage(
            "--cells",
            format!("{} to {} cells per axis are possible", CELLS.start(), CELLS.end()),
        ));
    }
    if args.cells.is_some() && !args.estimator.iter().flatten().any(|name| name == DENSITY) {
        return Err(CliError::usage("--cells", UNUSED));
    }
    let source = Source::of_options(PathBuf::new(), described(args)?, option);
    let keeping = Keeping { shard: args.shard, ..args.keep.keeping() };
    begin(&source, &args.out, args.quiet, !args.no_figures, resumed, &keeping)
}

/// Carries out an experiment file with an `[identify]` section.
pub fn experiment(
    source: &Source,
    out: Option<&Path>,
    quiet: bool,
    figures: bool,
    resumed: Option<Checkpoint>,
    keep: &KeepArgs,
) -> Result<u8, CliError> {
    let name = source.root().text("name")?.unwrap_or_default();
    let out = out.map_or_else(|| Path::new("runs").join(name), Path::to_path_buf);
    begin(source, &out, quiet, figures, resumed, &keep.keeping())
}

/// The experiment that the options describe.
fn described(args: &IdentifyArgs) -> Result<Table, CliError> {
    let mut files = Vec::new();
    for path in &args.trajectory {
        let Some(name) = path.to_str() else {
            return Err(CliError::usage("--trajectory", format!("{} is no text in UTF-8; rename it", path.display())));
        };
        files.push(Value::from(name));
    }
    let list = |values: &[f64]| Value::Array(values.iter().map(|v| Value::from(*v)).collect());
    let names = |values: &[String]| Value::Array(values.iter().map(|v| Value::from(v.as_str())).collect());
    let mut model = Table::new();
    model.insert("kind".into(), "stationary-density".into());
    model.insert("system".into(), args.system.as_str().into());
    if let Some(start) = &args.start {
        model.insert("theta".into(), values(start)?);
    }
    args.free.iter().for_each(|free| drop(model.insert("free".into(), names(free))));
    let mut data = Table::new();
    data.insert("trajectory".into(), Value::Array(files));
    args.binning.iter().for_each(|binning| drop(data.insert("binning".into(), binning.as_str().into())));
    data.insert("burn_in".into(), whole("--burn-in", args.burn_in)?);
    data.insert("stride".into(), whole("--stride", args.stride)?);
    args.smoothing.iter().for_each(|smoothing| drop(data.insert("smoothing".into(), (*smoothing).into())));
    args.columns.iter().for_each(|columns| drop(data.insert("columns".into(), names(columns))));
    let mut grid = Table::new();
    match args.cells.as_deref() {
        None => {}
        Some([one]) => drop(grid.insert("cells".into(), whole("--cells", *one)?)),
        Some(each) => {
            let cells = each.iter().map(|n| whole("--cells", *n)).collect::<Result<_, _>>()?;
            grid.insert("cells".into(), Value::Array(cells));
        }
    }
    let mut section = Table::new();
    for (key, option, given) in
        [("replicates", "--replicates", args.replicates), ("corrections", "--corrections", args.corrections)]
    {
        given.map(|n| whole(option, n)).transpose()?.into_iter().for_each(|n| drop(section.insert(key.into(), n)));
    }
    section.insert("seed".into(), whole("--seed", args.seed)?);
    args.dt.iter().for_each(|dt| drop(section.insert("dt".into(), (*dt).into())));
    match args.noise.as_deref() {
        None => {}
        Some([word]) if word == "auto" => drop(section.insert("noise".into(), "auto".into())),
        Some(each) => {
            let each = each.iter().map(|text| number("--noise", text)).collect::<Result<Vec<f64>, _>>()?;
            drop(section.insert("noise".into(), list(&each)));
        }
    }
    args.observed.iter().for_each(|observed| drop(section.insert("observed".into(), names(observed))));
    args.estimator.iter().for_each(|chosen| drop(section.insert("estimators".into(), names(chosen))));
    if args.unordered {
        section.insert("unordered".into(), true.into());
    }
    let mut table = Table::new();
    let system =
        Path::new(&args.system).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let plain: String =
        system.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect();
    table.insert("name".into(), format!("identify-{plain}").into());
    for (name, part) in [("model", model), ("data", data), ("grid", grid), ("identify", section)] {
        table.insert(name.into(), part.into());
    }
    Ok(table)
}

/// Start values, in a row or by name.
fn values(start: &[String]) -> Result<Value, CliError> {
    if !start.iter().any(|part| part.contains('=')) {
        let list = start.iter().map(|text| Ok(Value::from(number("--start", text)?)));
        return Ok(Value::Array(list.collect::<Result<_, CliError>>()?));
    }
    let mut table = Table::new();
    for part in start {
        let Some((name, text)) = part.split_once('=') else {
            return Err(CliError::usage(
                "--start",
                format!("\"{part}\" has no name; give all values by name, or none"),
            ));
        };
        table.insert(name.trim().into(), number("--start", text)?.into());
    }
    Ok(Value::Table(table))
}

fn number(option: &str, text: &str) -> Result<f64, CliError> {
    let number = text.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    number.ok_or_else(|| CliError::usage(option, format!("\"{text}\" is no finite number")))
}

fn whole(option: &str, number: impl TryInto<i64> + Copy + std::fmt::Display) -> Result<Value, CliError> {
    let fail = |_| CliError::usage(option, format!("{number} is too large"));
    let number: i64 = number.try_into().map_err(fail)?;
    Ok(number.into())
}

/// The option that gave a field.
fn option(field: &str) -> Option<&'static str> {
    let field = field.split('[').next().unwrap_or(field);
    let field = if field.starts_with("model.theta.") { "model.theta" } else { field };
    Some(match field {
        "model.system" => "--system",
        "model.theta" => "--start",
        "model.free" => "--free",
        "grid.cells" | "grid" | "grid.lower" | "grid.upper" => "--cells",
        "data.trajectory" => "--trajectory",
        "data.columns" => "--columns",
        "data.binning" => "--binning",
        "data.burn_in" => "--burn-in",
        "data.stride" => "--stride",
        "data.smoothing" => "--smoothing",
        "identify.noise" => "--noise",
        "identify.dt" => "--dt",
        "identify.replicates" => "--replicates",
        "identify.corrections" => "--corrections",
        "identify.seed" => "--seed",
        "identify.estimators" => "--estimator",
        "identify.observed" => "--observed",
        _ => return None,
    })
}

/// Begins a job, or goes on with it.
fn begin(
    source: &Source,
    out: &Path,
    quiet: bool,
    figures: bool,
    resumed: Option<Checkpoint>,
    keep: &Keeping,
) -> Result<u8, CliError> {
    let job = Job::read(source)?;
    if keep.shares() {
        job.units()?;
    }
    let journal = Journal::begin(job.header(source, figures), resumed, out, keep)?;
    let clock = Instant::now();
    let spinner = ProgressBar::new_spinner();
    let plain = !std::io::stderr().is_terminal();
    if quiet || plain {
        spinner.set_draw_target(ProgressDrawTarget::hidden());
    } else {
        spinner.enable_steady_tick(Duration::from_millis(100));
    }
    let mut watch = |event: &Event<'_>| {
        spinner.set_message(event.to_string());
        if plain && !quiet && !matches!(event, Event::Iterate(_)) {
            tell(&format!("{:.1} s: {event}", clock.elapsed().as_secs_f64()));
        }
    };
    let outcome = carry_out(&job, &journal, out, &mut watch);
    spinner.finish_and_clear();
    if let (Ok(Some(found)), false) = (&outcome, quiet) {
        conclude(found, out)?;
    }
    close(journal.end(outcome), |found| {
        shard_done(keep.shard, out, quiet, u8::from(!found.is_some_and(|found| found.ended_well())))
    })
}

fn conclude(found: &Identified, out: &Path) -> Result<(), CliError> {
    let file = &found.file;
    for note in &file.result.notes {
        print(note)?;
    }
    print(&table::estimates(file))?;
    for entry in &file.estimates {
        for remark in &entry.remarks {
            print(&format!("{}: {remark}", entry.estimator))?;
        }
    }
    print(&table::methods(&file.result))?;
    for method in &file.result.methods {
        print(&table::parameters(&file.result, method))?;
    }
    if let Some(identification) = &file.identification {
        print(&table::identifiability(&file.result.names, &identification.identifiability))?;
        if let Some(reason) = &identification.stalled {
            print(&format!("stalled: {reason}"))?;
        }
    }
    print(&format!("{}; results in {}", file.verdict, out.display()))
}
