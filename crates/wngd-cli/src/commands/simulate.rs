//! `wngd simulate`

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wngd::identify::{Noise, SimulateError, Trajectory, perturbed};
use wngd::models::flow::{ExpressionField, SYSTEM_NAMES, System, system};
use wngd_experiment::data::formats::{write_npy_header, write_npy_values};
use wngd_experiment::files::write_file;
use wngd_experiment::models::system_file::{is_file, load};
use wngd_experiment::{ExperimentError, usual_axes};

use crate::args::{suggesting, systems};
use crate::error::CliError;
use crate::interrupt;
use crate::output::print;

/// Simulate a dynamical system and write its trajectory.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd simulate --system lorenz63 --points 100000 --out traj.csv\n  wngd simulate --system lorenz63 --theta 10,28,2.6667 --dt 0.05 --seed 1 --out traj.npy"
)]
pub struct SimulateArgs {
    /// Name of the system, or a file of your own, FILE.toml; `wngd systems` lists the names.
    #[arg(long, value_name = "NAME|FILE", value_parser = suggesting(systems))]
    pub system: String,
    /// Values of the parameters, comma-separated; the usual ones if absent.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Points to write; 100000 if neither they nor a time are given.
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub points: Option<usize>,
    /// Time from the first point to the last one, in place of a number of points.
    #[arg(long, value_name = "TIME")]
    pub time: Option<f64>,
    /// Time between points.
    #[arg(long, value_name = "TIME", default_value_t = 0.05)]
    pub dt: f64,
    /// Time simulated before the first point.
    #[arg(long, value_name = "TIME", default_value_t = 50.0)]
    pub burn_in: f64,
    /// Point to start from, comma-separated; the system's own, or 1 for every variable of a file, if absent.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub from: Option<Vec<f64>>,
    /// Seed of the random move of the start point, and of noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Standard deviation of Gaussian noise added to what is written, one number per coordinate.
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    pub noise: Option<Vec<f64>>,
    /// File to write, .csv (columns t, x, y, z) or .npy (points x axes).
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
}

/// Points that are written if none are asked for.
const POINTS: usize = 100_000;
/// Largest trajectory written, in points.
const MAX_POINTS: usize = 1_000_000_000;
/// Squares of larger deviations are no numbers.
const MAX_NOISE: f64 = 1e150;

/// A system that `--system` names, with the names of its variables.
pub struct Named {
    /// The system.
    pub system: System,
    /// Its variables.
    pub variables: Vec<String>,
    /// D of dx = v dt + √(2D) dW, of systems from files that have it.
    pub diffusion: Option<ExpressionField>,
}

/// The system that `--system` names: a name, or a file of one's own.
pub fn named(name: &str) -> Result<Named, CliError> {
    if is_file(name) {
        let field = load(Path::new(name))?;
        let (theta, variables) = (field.start().to_vec(), field.variables().to_vec());
        let start = vec![1.0; variables.len()];
        let diffusion = field.diffusion().cloned();
        let system =
            System { field: Arc::new(field), theta, lower: Vec::new(), upper: Vec::new(), start, equations: &[] };
        return Ok(Named { system, variables, diffusion });
    }
    let system = system(name).ok_or_else(|| {
        let all = SYSTEM_NAMES.join(", ");
        CliError::usage(
            "--system",
            format!("\"{name}\" is not known; choose from {all}, or name a file of your own, FILE.toml"),
        )
    })?;
    let variables = usual_axes(system.field.dim());
    Ok(Named { system, variables, diffusion: None })
}

/// Writes a trajectory point by point.
pub fn simulate(args: &SimulateArgs) -> Result<u8, CliError> {
    let Named { system, variables, diffusion } = named(&args.system)?;
    let count = count(args)?;
    if !(args.burn_in >= 0.0 && args.burn_in.is_finite()) {
        return Err(CliError::usage("--burn-in", format!("{}: a time of at least 0 is needed", args.burn_in)));
    }
    let theta = args.theta.clone().unwrap_or_else(|| system.theta.clone());
    let mut noise = noise(args, system.field.dim())?;
    let start = perturbed(args.from.as_ref().unwrap_or(&system.start), args.seed, 0);
    let mut trajectory = Trajectory::new(system.field.as_ref(), &theta, &start, args.dt).map_err(by_option)?;
    if args.burn_in / args.dt > MAX_POINTS as f64 {
        let problem = format!("{:e} takes more than {MAX_POINTS} steps of {:e}; shorten it", args.burn_in, args.dt);
        return Err(CliError::usage("--burn-in", problem));
    }
    if let Some(diffusion) = &diffusion {
        trajectory = trajectory.driven(diffusion, args.seed)?;
    }
    let npy = match args.out.extension().and_then(|e| e.to_str()) {
        Some("csv") => false,
        Some("npy") => true,
        _ => return Err(CliError::usage("--out", "the name must end in .csv or .npy")),
    };
    interrupt::install();
    let bar = progress(count, args.quiet);
    trajectory.skip(args.burn_in)?;
    let mut failure = None;
    let written = write_file(&args.out, |w| {
        let outcome = if npy {
            write_npy(w, &mut trajectory, &mut noise, (args, count), &bar)
        } else {
            write_csv(w, &mut trajectory, &mut noise, (args, count), &variables, &bar)
        };
        outcome.map_err(|error| {
            let text = error.to_string();
            failure = Some(error);
            std::io::Error::other(text)
        })
    });
    bar.finish_and_clear();
    if let Some(error) = failure {
        return Err(error.into());
    }
    written?;
    if !args.quiet {
        let driven = if diffusion.is_some() { ", driven by its [diffusion]," } else { "" };
        print(&format!("{count} points of {}{driven} in {}", args.system, args.out.display()))?;
    }
    Ok(0)
}

/// How many points are asked for.
fn count(args: &SimulateArgs) -> Result<usize, CliError> {
    let (count, option) = match args.time {
        Some(time) if time >= 0.0 && time.is_finite() => ((time / args.dt).round() + 1.0, "--time"),
        Some(time) => return Err(CliError::usage("--time", format!("{time}: a time of at least 0 is needed"))),
        None => (args.points.unwrap_or(POINTS) as f64, "--points"),
    };
    if args.dt > 0.0 && !(1.0..=MAX_POINTS as f64).contains(&count) {
        return Err(CliError::usage(option, format!("{count}: 1 to {MAX_POINTS} points can be written")));
    }
    Ok(count as usize)
}

/// The error with the option that it is about.
fn by_option(error: SimulateError) -> CliError {
    let option = match &error {
        SimulateError::Theta { .. } => "--theta",
        SimulateError::TimeStep { .. } => "--dt",
        SimulateError::Start { .. } => "--from",
        SimulateError::Coordinates { .. } => "--system",
        _ => return error.into(),
    };
    CliError::usage(option, error.to_string())
}

/// The noise that `--noise` asks for.
fn noise(args: &SimulateArgs, dim: usize) -> Result<Noise, CliError> {
    let noise = args.noise.clone().unwrap_or_else(|| vec![0.0; dim]);
    if noise.len() != dim || noise.iter().any(|n| !(0.0..=MAX_NOISE).contains(n)) {
        let problem = format!("{dim} standard deviations are needed, none negative or above {MAX_NOISE:e}");
        return Err(CliError::usage("--noise", problem));
    }
    Ok(Noise::new(noise, args.seed, 0))
}

fn write_csv(
    w: &mut dyn Write,
    trajectory: &mut Trajectory<'_>,
    noise: &mut Noise,
    (args, count): (&SimulateArgs, usize),
    variables: &[String],
    bar: &ProgressBar,
) -> Result<(), ExperimentError> {
    let fail = |source| ExperimentError::Write { path: args.out.clone(), source };
    writeln!(w, "t,{}", variables.join(",")).map_err(fail)?;
    let mut row = 0usize;
    trajectory.advance(count, |point| {
        row += 1;
        tick(row, bar, &args.out)?;
        write!(w, "{:?}", args.dt * row as f64).map_err(fail)?;
        for value in noise.added(point) {
            write!(w, ",{value:?}").map_err(fail)?;
        }
        writeln!(w).map_err(fail)
    })
}

fn write_npy(
    w: &mut dyn Write,
    trajectory: &mut Trajectory<'_>,
    noise: &mut Noise,
    (args, count): (&SimulateArgs, usize),
    bar: &ProgressBar,
) -> Result<(), ExperimentError> {
    let fail = |source| ExperimentError::Write { path: args.out.clone(), source };
    write_npy_header(&mut *w, &[count, trajectory.dim()]).map_err(fail)?;
    let mut row = 0usize;
    trajectory.advance(count, |point| {
        row += 1;
        tick(row, bar, &args.out)?;
        write_npy_values(&mut *w, noise.added(point)).map_err(fail)
    })
}

/// Shows progress now and then and heeds Ctrl-C.
fn tick(row: usize, bar: &ProgressBar, path: &Path) -> Result<(), ExperimentError> {
    if row.is_multiple_of(1024) {
        bar.set_position(row as u64);
        if interrupt::pressed() {
            let source = std::io::Error::new(std::io::ErrorKind::Interrupted, "stopped before the last point");
            return Err(ExperimentError::Write { path: path.to_path_buf(), source });
        }
    }
    Ok(())
}

fn progress(points: usize, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(points as u64);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("simulating {bar:30} {human_pos}/{human_len} points, {eta} left") {
        bar.set_style(style);
    }
    bar
}
