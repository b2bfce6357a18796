//! `wngd submit`

use clap::{Args, ValueEnum};
use wngd_experiment::submit::{self, Submission, folder_of, named};

use super::merge::{MergeArgs, merge};
use super::resume::understood;
use crate::error::CliError;
use crate::output::tell;

/// Commands whose units can be shared.
const SHARED: [&str; 5] = ["basin", "toys", "sketch", "profile", "identify"];
/// Most times that shards are handed in again.
const MOST_RETRIES: usize = 1000;

/// Hand the shards of a command to HyperQueue or Slurm, wait for them, and merge.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  wngd submit --engine slurm --shards 100 -- basin mine.toml --counts 40,40 --out map\n  wngd submit --engine slurm --shards 8 --engine-args '--partition=short --time=30' --detach -- toys peak --out t\n\nThe folder of --out has to be seen by all machines. Typed again, the command hands in what is not done."
)]
pub struct SubmitArgs {
    /// Who does the shards.
    #[arg(long)]
    pub engine: Engine,
    /// How many there are.
    #[arg(long, value_name = "N")]
    pub shards: usize,
    /// How many times shards that are not done are handed in again.
    #[arg(long, value_name = "K", default_value_t = 0)]
    pub retries: usize,
    /// Return once the job is taken; `wngd merge` makes the result later.
    #[arg(long)]
    pub detach: bool,
    /// Wait for the job and merge: what is done anyway.
    #[arg(long, conflicts_with = "detach")]
    pub wait: bool,
    /// What the engine is told beside, as a shell would have it.
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, default_value = "", value_parser = words)]
    pub engine_args: Words,
    /// The command with its arguments and --out, behind --.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Arguments in one.
#[derive(Debug, Clone)]
pub struct Words(Vec<String>);

fn words(text: &str) -> Result<Words, String> {
    submit::words(text).map(Words)
}

/// The engines.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Engine {
    /// HyperQueue (hq).
    Hyperqueue,
    /// Slurm (sbatch).
    Slurm,
}

/// Hands shards in, waits and merges.
pub fn submit(args: &SubmitArgs) -> Result<u8, CliError> {
    if args.retries > MOST_RETRIES {
        return Err(CliError::usage("--retries", format!("{}; at most {MOST_RETRIES} are possible", args.retries)));
    }
    // Before an engine finds out a thousand times.
    if let Err(said) = understood(&args.command) {
        let _ = said.print();
        return Ok(u8::try_from(said.exit_code()).unwrap_or(2));
    }
    let folder = folder_of(&args.command, &SHARED)?;
    let here = |error: std::io::Error| CliError::Internal(error.to_string());
    let program = std::env::current_exe().map_err(here)?.to_string_lossy().into_owned();
    // One core for each shard, unless the command says otherwise.
    let threads = match args.command.iter().any(|word| word.starts_with("--threads")) {
        true => Vec::new(),
        false => vec!["--threads".to_string(), "1".to_string()],
    };
    let job = Submission {
        engine: match args.engine {
            Engine::Hyperqueue => submit::Engine::HyperQueue,
            Engine::Slurm => submit::Engine::Slurm,
        },
        shards: args.shards,
        command: [vec![program], args.command.clone(), threads].concat(),
        directory: std::env::current_dir().map_err(here)?,
        folder: folder.clone(),
        options: args.engine_args.0.clone(),
        retries: args.retries,
        waits: !args.detach,
    };
    let left = job.carry_out(&mut |text| tell(&text))?;
    if args.detach {
        tell(&format!("once all are done: wngd merge {}", folder.display()));
        return Ok(0);
    }
    if !left.is_empty() {
        let problem = format!(
            "{} not done; see their logs in {}, and type the same again to hand them in again",
            named(&left),
            job.logs().display()
        );
        return Err(CliError::usage("submit", problem));
    }
    merge(&MergeArgs { folder, quiet: args.command.iter().any(|word| word == "--quiet") })
}
