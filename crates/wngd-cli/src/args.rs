//! Arguments that several commands share.

use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use wngd::models::flow::SYSTEM_NAMES;
use wngd_experiment::checkpoint::{Crew, Keeping};

use crate::interrupt;

// What commands keep for `wngd resume`; a doc comment here would become theirs.
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
        Keeping {
            interval: self.checkpoint,
            restart: self.restart,
            shard: None,
            crew: crew(),
            interrupted: interrupt::pressed,
        }
    }
}

/// The processes that were started with this one.
#[cfg(feature = "mpi")]
fn crew() -> Option<&'static dyn Crew> {
    crate::mpi::crew()
}

/// Without MPI there is this process only.
#[cfg(not(feature = "mpi"))]
fn crew() -> Option<&'static dyn Crew> {
    None
}

/// Any text, with known names that completions suggest.
pub fn suggesting(names: fn() -> Vec<&'static str>) -> Suggesting {
    Suggesting(names)
}

/// See [`suggesting`].
#[derive(Clone)]
pub struct Suggesting(fn() -> Vec<&'static str>);

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
pub fn systems() -> Vec<&'static str> {
    SYSTEM_NAMES.to_vec()
}

/// A time in seconds.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds is needed".to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "a finite number of seconds >= 0 is needed".to_string())
}
