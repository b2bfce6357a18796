//! The command line `wngd` as a library: its only caller is `main.rs`.
//!
//! To use the methods from Rust, depend on the crate [`wngd`] instead; to carry out experiment files, on
//! [`wngd_experiment`].
#![forbid(unsafe_code)]

mod args;
mod commands;
mod error;
mod interrupt;
mod output;
#[cfg(feature = "play")]
mod play;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use error::CliError;

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
            eprintln!("wngd: internal failure; this is a bug, please report it with the command and the input");
            ExitCode::from(3)
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, CliError> {
    if let Some(threads) = cli.threads {
        if threads == 0 {
            return Err(CliError::usage("--threads", "at least 1 is needed"));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| CliError::usage("--threads", e.to_string()))?;
    }
    match cli.command {
        Command::Run(args) => commands::run::run(&args, None),
        Command::Resume(args) => commands::resume::resume(&args),
        Command::Check(args) => commands::check::check(&args),
        Command::Schema => commands::schema::schema(),
        Command::Inspect(args) => commands::inspect::inspect(&args),
        Command::Basin(args) => commands::basin::basin(&args, None),
        Command::Sketch(args) => commands::sketch::sketch(&args, None),
        #[cfg(feature = "play")]
        Command::Play(args) => commands::play::play(&args),
        Command::Report(args) => commands::report::report(&args),
        Command::Init(args) => commands::init::init(&args),
        Command::List => commands::list::list(),
        Command::Simulate(args) => commands::simulate::simulate(&args),
        Command::Density(args) => commands::density::density(&args),
        Command::Identify(args) => commands::identify::identify(&args, None),
        Command::Completions { shell } => commands::shell::completions(shell),
        Command::Man { folder } => commands::shell::man(&folder),
        Command::Systems => commands::simulate::systems(),
    }
}

/// Prints an error with its causes.
fn explain(error: &CliError) {
    eprintln!("wngd: {error}");
    let mut cause = std::error::Error::source(error);
    let mut shown = error.to_string();
    while let Some(source) = cause {
        let text = source.to_string();
        // Most texts already quote their cause.
        if !shown.contains(&text) {
            eprintln!("  because: {text}");
            shown = text;
        }
        cause = source.source();
    }
}
