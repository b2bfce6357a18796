//! `wngd completions`

use clap::Args;

use crate::error::CliError;
use crate::output::print_raw;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd completions bash > ~/.local/share/bash-completion/completions/wngd\n  wngd completions zsh > ~/.zfunc/_wngd"
)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Prints a completion script for the whole command line.
pub fn completions(args: &CompletionsArgs, mut whole: clap::Command) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut whole, "wngd", &mut script);
    print_raw(String::from_utf8_lossy(&script).trim_end())?;
    Ok(0)
}
