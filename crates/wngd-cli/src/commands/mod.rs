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
use crate::output::screen;

/// Prints for people, in lines that fit the terminal.
pub fn print(text: &str) -> Result<(), CliError> {
    print_raw(&screen::wrapped(text))
}

/// Prints for programs, as it is; a closed pipe is no error of ours.
#[allow(clippy::print_stdout)]
pub fn print_raw(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::Write { path: "standard output".into(), source: error })
        }
        _ => Ok(()),
    }
}
