//! One module per command.

pub mod basin;
pub mod density;
pub mod identify;
pub mod init;
pub mod inspect;
pub mod list;
pub mod play;
pub mod report;
pub mod resume;
pub mod run;
pub mod shell;
pub mod simulate;
pub mod sketch;

use std::io::Write;

use crate::error::CliError;

/// Prints to standard output; a closed pipe is no error of ours.
#[allow(clippy::print_stdout)]
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}
