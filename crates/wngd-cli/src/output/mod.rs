//! What a command prints.

pub mod clean;
mod colour;
pub mod screen;
pub mod table;

use std::io::Write;
use std::path::Path;

use wngd_experiment::ExperimentError;
use wngd_experiment::checkpoint::Shard;

use crate::error::CliError;

/// Prints for people, in lines that fit the terminal.
pub fn print(text: &str) -> Result<(), CliError> {
    print_raw(&colour::painted(screen::wrapped(&clean::clean(text))))
}

/// Prints for programs, as it is; a closed pipe is no error of ours.
#[allow(clippy::print_stdout)]
pub fn print_raw(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(ExperimentError::Write { path: "standard output".into(), source: error }.into())
        }
        _ => Ok(()),
    }
}

/// Tells people something beside the results; a closed or full standard error is no error of ours.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", clean::clean(text));
}

/// The exit code of a shard that is done, told where it leads; of a whole command `code`.
pub fn shard_done(shard: Option<Shard>, folder: &Path, quiet: bool, code: u8) -> u8 {
    let Some(shard) = shard else { return code };
    if !quiet {
        tell(&format!("shard {shard} is done; once all are: wngd merge {}", folder.display()));
    }
    0
}

/// The exit code of a command that ended; what can be gone on with is told.
pub fn close<T>(
    (outcome, go_on): (Result<T, ExperimentError>, Option<String>),
    code: impl FnOnce(T) -> u8,
) -> Result<u8, CliError> {
    if let Some(go_on) = go_on {
        tell(&format!("what was done is kept; go on with: {go_on}"));
        return Ok(outcome.map(|_| 1)?);
    }
    Ok(code(outcome?))
}
