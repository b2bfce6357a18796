//! The command line `wngd` as a library: its callers are `main.rs` and the program of Python's package.
//!
//! To use the methods from Rust, depend on the crate [`wngd`] instead; to carry out experiment files, on
//! [`wngd_experiment`].
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr)]

mod args;
mod commands;
mod error;
mod interrupt;
#[cfg(feature = "play")]
mod local;
#[cfg(feature = "mpi")]
mod mpi;
mod output;
#[cfg(feature = "play")]
mod play;
#[cfg(feature = "play")]
mod serve;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};
use wngd_experiment::record;

use commands::Command;
use error::CliError;
use output::tell;

/// More threads than this are a slip of the finger.
const MOST_THREADS: usize = 1024;

/// Natural gradient descent for inverse problems whose data is a density.
#[derive(Debug, Parser)]
#[command(
    name = "wngd",
    version,
    about,
    max_term_width = 100,
    after_help = "Examples:\n  wngd run mixture-mu1                 a built-in experiment, with figures, in runs/mixture-mu1\n  wngd init faithful                   write faithful.toml to edit\n  wngd run faithful.toml --out fit     your own experiment\n  wngd inspect mixture-mu1 --json      gradient, information matrices, directions\n\nExit codes: 0 converged or improved up to the iteration limit, 1 stalled or stopped,\n2 bad input or usage, 3 internal failure."
)]
struct Cli {
    /// Threads to use; all cores if absent. Results do not depend on it.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

/// Runs the command of the process's arguments and returns its exit code (0 done, 1 not converged, 2 bad input, 3 a
/// failure of the program itself).
pub fn main() -> ExitCode {
    ExitCode::from(main_of(std::env::args_os().collect()))
}

/// As [`main`], for arguments that another program was given, its name first.
#[cfg(not(feature = "mpi"))]
pub fn main_of(arguments: Vec<OsString>) -> u8 {
    ended(arguments, Command::carry_out)
}

/// As [`main`], for arguments that another program was given, its name first; with the other processes of `mpirun`.
#[cfg(feature = "mpi")]
pub fn main_of(arguments: Vec<OsString>) -> u8 {
    let Some(processes) = mpi::Processes::started() else { return ended(arguments, Command::carry_out) };
    let code = ended(arguments, Command::carry_out_together);
    match (code, processes.speaks()) {
        // Nobody waits for a process that has failed.
        (2.., _) => processes.abort(code),
        (_, true) => code,
        (_, false) => 0,
    }
}

/// What is done with a command.
type CarryOut = fn(Command, fn() -> clap::Command) -> Result<u8, CliError>;

/// The exit code of a command line.
fn ended(arguments: Vec<OsString>, carry_out: CarryOut) -> u8 {
    let read = numbers(Cli::command()).try_get_matches_from(&arguments).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match read {
        Ok(cli) => cli,
        Err(asked) => {
            // Help and version come this way, too. Where nothing can be printed, nothing can be said of it.
            if asked.use_stderr() {
                // It quotes arguments as they are.
                tell(asked.render().to_string().trim_end());
            } else {
                let _ = asked.print();
            }
            return u8::try_from(asked.exit_code()).unwrap_or(2);
        }
    };
    record::of_program(arguments.iter().skip(1).map(|a| a.to_string_lossy().into_owned()).collect());
    // A panic is a bug: say so, and keep its exit code apart from bad input.
    let outcome = std::panic::catch_unwind(|| dispatch(cli, carry_out));
    match outcome {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            explain(&error);
            error.exit_code()
        }
        Err(_) => {
            tell("wngd: internal failure; this is a bug, please report it with the command and the input");
            3
        }
    }
}

/// The command with options that take negative numbers for what they are, so that what is wrong with them is told.
fn numbers(command: clap::Command) -> clap::Command {
    let takes = |arg: &clap::Arg| arg.get_action().takes_values() && !arg.is_positional();
    let command = command.mut_args(|arg| if takes(&arg) { arg.allow_negative_numbers(true) } else { arg });
    command.mut_subcommands(numbers)
}

fn dispatch(cli: Cli, carry_out: CarryOut) -> Result<u8, CliError> {
    if let Some(threads) = cli.threads {
        if !(1..=MOST_THREADS).contains(&threads) {
            return Err(CliError::usage("--threads", format!("{threads}; it is between 1 and {MOST_THREADS}")));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| CliError::usage("--threads", e.to_string()))?;
    }
    carry_out(cli.command, Cli::command)
}

/// Prints an error with its causes.
fn explain(error: &CliError) {
    tell(&format!("wngd: {error}"));
    let mut cause = std::error::Error::source(error);
    let mut shown = error.to_string();
    while let Some(source) = cause {
        let text = source.to_string();
        // Most texts already quote their cause.
        if !shown.contains(&text) {
            tell(&format!("  because: {text}"));
            shown = text;
        }
        cause = source.source();
    }
}
