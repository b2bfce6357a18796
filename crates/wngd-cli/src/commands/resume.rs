//! `wngd resume`

use std::path::Path;

use clap::Parser;
use wngd_experiment::ExperimentError;
use wngd_experiment::checkpoint::{Checkpoint, FILE};
use wngd_experiment::models::system_file::is_file;

use super::basin::basin;
use super::identify::identify;
use super::run::run;
use super::sketch::sketch;
use crate::args::{BasinArgs, Cli, Command, IdentifyArgs, KeepArgs, ResumeArgs, RunArgs, SketchArgs};
use crate::error::CliError;

/// Goes on with an interrupted command: carries it out again, less what its checkpoint has of it.
pub fn resume(args: &ResumeArgs) -> Result<u8, CliError> {
    let checkpoint = Checkpoint::read(&args.folder)?;
    let words = std::iter::once("wngd").chain(checkpoint.arguments().iter().map(String::as_str));
    let asked = Cli::try_parse_from(words).map(|cli| cli.command);
    let (folder, quiet) = (&args.folder, args.quiet);
    let keep = KeepArgs { checkpoint: args.checkpoint, restart: false };
    match asked {
        Ok(Command::Run(asked)) => run(&RunArgs { out: Some(folder.clone()), quiet, keep, ..asked }, Some(checkpoint)),
        Ok(Command::Basin(asked)) => {
            basin(&BasinArgs { out: Some(folder.clone()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Command::Sketch(asked)) => {
            sketch(&SketchArgs { out: Some(folder.clone()), quiet, keep, ..asked }, Some(checkpoint))
        }
        Ok(Command::Identify(asked)) => {
            let trajectory = asked.trajectory.iter().map(|path| checkpoint.path(path)).collect();
            let system = match is_file(&asked.system) {
                true => checkpoint.path(Path::new(&asked.system)).to_string_lossy().into_owned(),
                false => asked.system.clone(),
            };
            let out = folder.clone();
            identify(&IdentifyArgs { out, quiet, keep, trajectory, system, ..asked }, Some(checkpoint))
        }
        _ => {
            let problem = "it is of no command that can be resumed; start anew with --restart".into();
            Err(ExperimentError::Data { path: folder.join(FILE), problem }.into())
        }
    }
}
