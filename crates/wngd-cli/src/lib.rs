//! The command line `wngd` as a library: its only caller is `main.rs`.
//!
//! To use the methods from Rust, depend on the crate [`wngd`] instead; to carry out experiment files, on
//! [`wngd_experiment`].
#![forbid(unsafe_code)]
#![warn(clippy::print_stderr)]

mod args;
mod commands;
mod error;
mod interrupt;
mod output;
#[cfg(feature = "play")]
mod play;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

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

/// Parses the arguments of the process, runs the command and returns its exit code (0 done, 1 not converged,
/// 2 bad input, 3 a failure of the program itself).
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // A panic is a bug: say so, and keep its exit code apart from bad input.
    let outcome = std::panic::catch_unwind(|| dispatch(cli));
    match outcome {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(error)) => {
            explain(&error);
            ExitCode::from(error.exit_code())
        }
        Err(_) => {
            tell("wngd: internal failure; this is a bug, please report it with the command and the input");
            ExitCode::from(3)
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, CliError> {
    if let Some(threads) = cli.threads {
        if !(1..=MOST_THREADS).contains(&threads) {
            return Err(CliError::usage("--threads", format!("{threads}; it is between 1 and {MOST_THREADS}")));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| CliError::usage("--threads", e.to_string()))?;
    }
    cli.command.carry_out(Cli::command)
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
