//! `wngd resume`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use wngd_experiment::ExperimentError;
use wngd_experiment::checkpoint::{Checkpoint, FILE};
use wngd_experiment::models::system_file::is_file;

use super::basin::{BasinArgs, basin};
use super::identify::{IdentifyArgs, identify};
use super::profile::{ProfileArgs, profile};
use super::run::{RunArgs, run};
use super::sketch::{SketchArgs, sketch};
use super::toys::{ToysArgs, toys};
use crate::args::{KeepArgs, seconds};
use crate::error::CliError;

/// Go on with a run, basin, sketch, toys, profile or identify that was interrupted, to the same results as if it had not been.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  wngd resume runs/mixture-mu1\n\nAn unfinished command keeps checkpoint.wngd in its folder. The command itself refuses to start\nthere again unless --restart is given."
)]
pub struct ResumeArgs {
    /// Folder of the command.
    pub folder: PathBuf,
    /// Go on with what is whole before the damage of a damaged checkpoint; a copy of all of it is kept.
    #[arg(long)]
    pub salvage: bool,
    /// Print nothing but errors.
    #[arg(long)]
    pub quiet: bool,
    /// Least seconds between syncs of the checkpoint.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub checkpoint: Duration,
}

/// The command lines that checkpoints begin with.
#[derive(Debug, Parser)]
struct Asked {
    /// It was the past process's.
    #[arg(long = "threads", global = true)]
    _threads: Option<usize>,
    #[command(subcommand)]
    command: Resumable,
}

/// Commands that can be resumed.
#[derive(Debug, Subcommand)]
enum Resumable {
    Run(RunArgs),
    Basin(BasinArgs),
    Sketch(SketchArgs),
    Toys(ToysArgs),
    Profile(ProfileArgs),
    Identify(Box<IdentifyArgs>),
}

/// Whether a command line that others are to carry out is understood: its help, or what is wrong with it, if not.
pub(super) fn understood(words: &[String]) -> Result<(), clap::Error> {
    Asked::try_parse_from(std::iter::once("wngd").chain(words.iter().map(String::as_str))).map(|_| ())
}

/// Goes on with an interrupted command: carries it out again, less what its checkpoint has of it.
pub fn resume(args: &ResumeArgs) -> Result<u8, CliError> {
    let checkpoint = match args.salvage {
        true => Checkpoint::salvage(&args.folder)?,
        false => Checkpoint::read(&args.folder)?,
    };
    go_on(checkpoint, &args.folder, args.quiet, args.checkpoint)
}

/// Carries out what a checkpoint asks for, less what it has of it.
pub(super) fn go_on(checkpoint: Checkpoint, folder: &Path, quiet: bool, interval: Duration) -> Result<u8, CliError> {
    let words = std::iter::once("wngd").chain(checkpoint.arguments().iter().map(String::as_str));
    let asked = Asked::try_parse_from(words).map(|asked| asked.command);
    let keep = KeepArgs { checkpoint: interval, restart: false };
    match asked {
        Ok(Resumable::Run(asked)) => {
            run(&RunArgs { out: Some(folder.to_path_buf()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Resumable::Basin(asked)) => {
            basin(&BasinArgs { out: Some(folder.to_path_buf()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Resumable::Sketch(asked)) => {
            sketch(&SketchArgs { out: Some(folder.to_path_buf()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Resumable::Toys(asked)) => {
            toys(&ToysArgs { out: Some(folder.to_path_buf()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Resumable::Profile(asked)) => {
            profile(&ProfileArgs { out: Some(folder.to_path_buf()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Resumable::Identify(asked)) => {
            let trajectory = asked.trajectory.iter().map(|path| checkpoint.path(path)).collect();
            let system = match is_file(&asked.system) {
                true => checkpoint.path(Path::new(&asked.system)).to_string_lossy().into_owned(),
                false => asked.system.clone(),
            };
            let out = folder.to_path_buf();
            identify(&IdentifyArgs { out, quiet, keep, trajectory, system, ..*asked }, Some(checkpoint))
        }
        Err(_) => {
            let problem = "it is of no command that can be resumed; start anew with --restart".into();
            Err(ExperimentError::Data { path: folder.join(FILE), problem }.into())
        }
    }
}
