//! `[identify]`: parameters of a dynamical system from a trajectory.

mod density;
mod estimates;
mod figures;
mod job;
mod parts;

use std::path::Path;

use wngd::identify::{Event, Verdict};

use crate::checkpoint::Journal;
use crate::error::ExperimentError;
use crate::files;
use crate::report;
use crate::results::IdentifyFile;

pub use job::{DENSITY, IdentifySection, Job, Noise, UNUSED};

/// An identification that ended.
pub struct Identified {
    /// What is in `result.json`.
    pub file: IdentifyFile,
}

impl Identified {
    /// Whether the model fits and all parameters are determined.
    pub fn ended_well(&self) -> bool {
        self.file.verdict == Verdict::Fits.name()
    }
}

/// Identifies, and writes results, figures and report into a folder; nothing is returned if it was told to stop.
///
/// # Errors
/// What cannot be computed or written.
pub fn identify(
    job: &Job,
    journal: &Journal,
    folder: &Path,
    watch: &mut dyn FnMut(&Event<'_>),
) -> Result<Option<Identified>, ExperimentError> {
    let found = match &job.question {
        Some(question) => match parts::answer(job, question, journal)? {
            Some(found) => found.map(Some),
            None => return Ok(None),
        },
        None => Ok(None),
    };
    let fitted = match &job.density {
        Some(asked) => match density::fit(&job.name, asked, journal, folder, watch)? {
            Some(fitted) => Some(fitted),
            None => return Ok(None),
        },
        None => None,
    };
    let found = match (found, &fitted) {
        (Ok(found), _) => found,
        // Another estimator has something to say.
        (Err(_), Some(_)) => None,
        (Err(error), None) => return Err(error.into()),
    };
    let mut file = match (found, fitted) {
        (Some(found), fitted) => {
            let with_paths = fitted.is_none();
            let file = estimates::summarise(job, &found, fitted, journal, folder)?;
            if journal.record.figures {
                figures::draw(job, &found, &file, folder, with_paths)?;
            }
            file
        }
        (None, Some((file, good))) => estimates::of_density(file, good),
        (None, None) => return Err(ExperimentError::Internal("no estimator was asked for".into())),
    };
    file.result.notes.extend(job.remarks.iter().cloned());
    // Last of the numbers, so that its presence says that the rest is there.
    files::write_json(&folder.join("result.json"), &file)?;
    report::write(folder)?;
    Ok(Some(Identified { file }))
}
