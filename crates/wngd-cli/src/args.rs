//! Command-line arguments.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use wngd::models::flow::SYSTEM_NAMES;
use wngd_experiment::checkpoint::Keeping;
use wngd_experiment::schemes;
use wngd_experiment::source::builtin;

use crate::interrupt;

/// Natural gradient descent for inverse problems whose data is a density.
#[derive(Debug, Parser)]
#[command(
    name = "wngd",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:\n  wngd run mixture-mu1                 a built-in experiment, with figures, in runs/mixture-mu1\n  wngd init faithful                   write faithful.toml to edit\n  wngd run faithful.toml --out fit     your own experiment\n  wngd inspect mixture-mu1 --json      gradient, information matrices, directions\n\nExit codes: 0 converged or improved up to the iteration limit, 1 stalled or stopped,\n2 bad input or usage, 3 internal failure."
)]
pub struct Cli {
    /// Threads to use; all cores if absent. Results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fit the model by every method of an experiment and write results and figures.
    #[command(
        after_help = "Examples:\n  wngd run mixture-mu1\n  wngd run my.toml --out results/first --quiet\n  wngd run faithful --no-figures"
    )]
    Run(RunArgs),
    /// Go on with a run, basin, sketch or identify that was interrupted, to the same results as if it had not been.
    #[command(
        after_help = "Example:\n  wngd resume runs/mixture-mu1\n\nAn unfinished command keeps checkpoint.wngd in its folder. The command itself refuses to start\nthere again unless --restart is given."
    )]
    Resume(ResumeArgs),
    /// Read an experiment and its data and say what is wrong with it, without running it.
    #[command(after_help = "Examples:\n  wngd check my.toml\n  wngd check my.toml --set grid.cells=200")]
    Check(CheckArgs),
    /// Print the JSON schema of experiment files, for editors.
    #[command(after_help = "Example:\n  wngd schema > wngd.schema.json")]
    Schema,
    /// Print objective, gradient, information matrices and directions at a point.
    #[command(
        after_help = "Examples:\n  wngd inspect mixture-mu1\n  wngd inspect mixture-mu1 --theta 1.5,3.2\n  wngd inspect my.toml --json > point.json"
    )]
    Inspect(InspectArgs),
    /// Descend from a lattice of starts and map which minimum each reaches.
    #[command(
        after_help = "Examples:\n  wngd basin mixture-weight\n  wngd basin mixture-weight --lower 0.05,-2 --upper 0.95,6 --counts 20,20"
    )]
    Basin(BasinArgs),
    /// Compare estimators of the direction: error against tangent and adjoint solves.
    #[command(after_help = "Examples:\n  wngd sketch lorenz\n  wngd sketch lorenz-hats --seeds 21 --probes 16,64,256")]
    Sketch(SketchArgs),
    /// Open a page on which to start descents with a click and watch them.
    #[cfg(feature = "play")]
    #[command(after_help = "Examples:\n  wngd play\n  wngd play my.toml --port 9000")]
    Play(PlayArgs),
    /// Rebuild the page report.html of a result folder.
    #[command(after_help = "Example:\n  wngd report runs/mixture-mu1")]
    Report(ReportArgs),
    /// Write a commented experiment file to start from.
    #[command(after_help = "Examples:\n  wngd init mixture-mu1\n  wngd init faithful --out my.toml")]
    Init(InitArgs),
    /// Show built-in experiments, metrics, objectives, solvers and step rules.
    #[command(after_help = "Example:\n  wngd list")]
    List,
    /// Simulate a dynamical system and write its trajectory.
    #[command(
        after_help = "Examples:\n  wngd simulate --system lorenz63 --points 100000 --out traj.csv\n  wngd simulate --system lorenz63 --theta 10,28,2.6667 --dt 0.05 --seed 1 --out traj.npy"
    )]
    Simulate(SimulateArgs),
    /// Compute and draw the stationary density of a dynamical system.
    #[command(
        after_help = "Examples:\n  wngd density --system lorenz63 --theta 10,28,2.667 --out rho\n  wngd density --system lorenz63 --discretisation scharfetter-gummel --diffusion 10 --cells 32 --out rho"
    )]
    Density(DensityArgs),
    /// Find the parameters of a dynamical system from a trajectory.
    #[command(
        after_help = "Examples:\n  wngd identify --system lorenz63 --trajectory traj.csv --out found\n  wngd identify --system mine.toml --trajectory traj.csv --start kappa=2,lambda=6 --out found\n  wngd identify --system lorenz63 --trajectory points.csv --unordered --out found\n  wngd identify --system lorenz63 --trajectory traj.csv --estimator density --out grid"
    )]
    Identify(IdentifyArgs),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Examples:\n  wngd completions bash > ~/.local/share/bash-completion/completions/wngd\n  wngd completions zsh > ~/.zfunc/_wngd"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Write manual pages, one per command, into a folder.
    #[command(after_help = "Example:\n  wngd man ~/.local/share/man/man1")]
    Man {
        /// Where to.
        folder: PathBuf,
    },
    /// Show the dynamical systems with their parameters and usual values.
    #[command(after_help = "Example:\n  wngd systems")]
    Systems,
}

/// Arguments of `wngd run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Folder for results; runs/<name> if absent.
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
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

/// What commands keep for `wngd resume`.
#[derive(Debug, Clone, Args)]
pub struct KeepArgs {
    /// Least seconds between syncs of the checkpoint: what a loss of power may cost. A kill costs the iteration
    /// under way, whatever is given here.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub checkpoint: Duration,
    /// Start anew in a folder that keeps an unfinished command, which is lost.
    #[arg(long)]
    pub restart: bool,
}

impl KeepArgs {
    /// How the command keeps its work; catches Ctrl-C from now on.
    pub fn keeping(&self) -> Keeping {
        interrupt::install();
        Keeping { interval: self.checkpoint, restart: self.restart, interrupted: interrupt::pressed }
    }
}

/// Any text, with known names that completions suggest.
fn suggesting(names: fn() -> Vec<&'static str>) -> Suggesting {
    Suggesting(names)
}

/// See [`suggesting`].
#[derive(Clone)]
struct Suggesting(fn() -> Vec<&'static str>);

impl TypedValueParser for Suggesting {
    type Value = String;
    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }
    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new((self.0)().into_iter().map(PossibleValue::new)))
    }
}

/// Names of the systems.
fn systems() -> Vec<&'static str> {
    SYSTEM_NAMES.to_vec()
}

/// Arguments of `wngd check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// Arguments of `wngd resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Folder of the command.
    pub folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Least seconds between syncs of the checkpoint.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub checkpoint: Duration,
}

/// A time in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is needed".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "a finite number of seconds >= 0 is needed".to_string())
}

/// Arguments of `wngd inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Experiment file, or name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Values of the free parameters, comma-separated, in the order of their names.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Print JSON with all digits.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `wngd basin`.
#[derive(Debug, Args)]
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
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// What is kept for `wngd resume`.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// Arguments of `wngd sketch`.
#[derive(Debug, Args)]
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
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// What is kept for `wngd resume`.
    #[command(flatten)]
    pub keep: KeepArgs,
}

/// Arguments of `wngd play`.
#[cfg(feature = "play")]
#[derive(Debug, Args)]
pub struct PlayArgs {
    /// Experiment file, or name of a built-in experiment, with two free parameters or more.
    #[arg(default_value = "mixture-weight", value_parser = suggesting(builtin::names))]
    pub experiment: String,
    /// Overrides a key of the experiment, as stop.iterations=5 or method[0].metric=l2 does.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Port on 127.0.0.1; 8715, or any free one if that is taken, if absent.
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
}

/// Arguments of `wngd report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Folder that run, identify, basin or sketch wrote.
    pub folder: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
}

/// Arguments of `wngd init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Name of a built-in experiment.
    #[arg(value_parser = suggesting(builtin::names))]
    pub name: String,
    /// File to write; <name>.toml if absent.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `wngd simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Name of the system, or a file of your own, FILE.toml; `wngd systems` lists the names.
    #[arg(long, value_name = "NAME|FILE", value_parser = suggesting(systems))]
    pub system: String,
    /// Values of the parameters, comma-separated; the usual ones if absent.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Points to write.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub points: usize,
    /// Time between points.
    #[arg(long, value_name = "TIME", default_value_t = 0.05)]
    pub dt: f64,
    /// Time simulated before the first point.
    #[arg(long, value_name = "TIME", default_value_t = 50.0)]
    pub burn_in: f64,
    /// Point to start from, comma-separated; the system's own, or 1 for every variable of a file, if absent.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub from: Option<Vec<f64>>,
    /// Seed of the random move of the start point.
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

/// Arguments of `wngd density`.
#[derive(Debug, Args)]
pub struct DensityArgs {
    /// Name of the system, or a file of your own, FILE.toml; `wngd systems` lists the names.
    #[arg(long, value_name = "NAME|FILE", value_parser = suggesting(systems))]
    pub system: String,
    /// Values of the parameters, comma-separated; the usual ones if absent.
    #[arg(long, value_name = "V,V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub theta: Option<Vec<f64>>,
    /// Lower corner of the box; from a short simulation if absent.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub lower: Option<Vec<f64>>,
    /// Upper corner of the box.
    #[arg(long, value_name = "V,…", allow_hyphen_values = true, value_delimiter = ',')]
    pub upper: Option<Vec<f64>>,
    /// Cells, one number or one per axis; 256, 64 or 24 in one, two or three dimensions, if absent.
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub cells: Option<Vec<usize>>,
    /// How the density is put on the grid.
    #[arg(long, value_name = "NAME", default_value = "semi-lagrangian", value_parser = PossibleValuesParser::new(schemes::FAMILY.names()))]
    pub discretisation: String,
    /// Diffusion coefficient of the finite volumes; 10 if absent.
    #[arg(long, value_name = "D")]
    pub diffusion: Option<f64>,
    /// Restart rate, or probability per map (semi-lagrangian); 0.002 or 1e-6 if absent.
    #[arg(long, value_name = "R")]
    pub restart: Option<f64>,
    /// Map time (semi-lagrangian); a quarter of a turn if absent.
    #[arg(long, value_name = "TIME")]
    pub time: Option<f64>,
    /// Runge–Kutta step (semi-lagrangian); a twentieth of the map time if absent.
    #[arg(long, value_name = "TIME")]
    pub step: Option<f64>,
    /// Folder for results.
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Write no figures.
    #[arg(long)]
    pub no_figures: bool,
}

/// Arguments of `wngd identify`.
#[derive(Debug, Args)]
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
    /// Estimators to run, of weak-stationary, shooting and density; the first two, as far as they apply, if absent.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub estimator: Option<Vec<String>>,
    /// The points are in no order.
    #[arg(long)]
    pub unordered: bool,
    /// Variables that were measured; all of them are needed up to now.
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
    /// How points are put on cells (density).
    #[arg(long, value_name = "NAME", default_value = "multilinear", value_parser = ["multilinear", "nearest"])]
    pub binning: String,
    /// Standard deviation of a Gaussian that data and model are smoothed by, in cells (density).
    #[arg(long, value_name = "CELLS", default_value_t = 0.0)]
    pub smoothing: f64,
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
    /// Simulated trajectories per correction; 0 leaves the bias of the grid in (density).
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub replicates: usize,
    /// Most corrections; they end when what is left is noise (density).
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub corrections: usize,
    /// Seed of test functions and simulations.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
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
