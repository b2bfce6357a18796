//! `wngd resume`

use super::run::{Job, carry_out};
use crate::args::ResumeArgs;
use crate::checkpoint::{Checkpoint, FILE, fingerprint};
use crate::config::Source;
use crate::error::CliError;
use crate::experiment::Experiment;

/// Goes on with an interrupted run.
pub fn resume(args: &ResumeArgs) -> Result<u8, CliError> {
    let checkpoint = Checkpoint::read(&args.folder)?;
    let refuse = |problem: String| CliError::Data { path: args.folder.join(FILE), problem };
    let Some(text) = checkpoint.record.text.clone() else {
        return Err(refuse("it holds no experiment; run it again from its start".into()));
    };
    let shown = checkpoint.record.experiment.clone().unwrap_or_default();
    let experiment = Experiment::build(&Source::parse(shown, checkpoint.folder.clone(), text)?)?;
    if fingerprint(&experiment) != checkpoint.data {
        return Err(refuse(
            "the data have changed since the run was interrupted; restore them or run the experiment again".into(),
        ));
    }
    if checkpoint.descents.len() > experiment.methods.len() {
        return Err(refuse("it has more descents than the experiment has methods".into()));
    }
    carry_out(Job { experiment, checkpoint, folder: args.folder.clone(), every: args.checkpoint, quiet: args.quiet })
}
