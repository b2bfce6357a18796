//! What a command has finished of its work, for those who carry it out and know no checkpoint.

use wngd::identify::SHIFT;
use wngd::opt::{Finished, Keep};

use super::Journal;
use super::descents::{Iterate, finished};
use super::numbers::Numbers;
use crate::error::ExperimentError;

/// Kinds of numbers that are read back.
const NUMBERS: [&str; 1] = [SHIFT];

/// The work of a command that is kept in its journal.
pub struct Work<'a> {
    journal: &'a Journal,
    /// What the checkpoint had when the command began.
    earlier: Vec<Finished>,
}

impl<'a> Work<'a> {
    /// The work of a command.
    ///
    /// # Errors
    /// A checkpoint whose units cannot be read.
    pub fn of(journal: &'a Journal) -> Result<Self, ExperimentError> {
        let refuse = |problem| journal.refuse(problem);
        let mut earlier = finished(journal.kept()?).map_err(refuse)?;
        for kind in NUMBERS {
            for numbers in journal.kept_of::<Numbers>(kind)? {
                earlier.push(numbers.finished(kind).map_err(refuse)?);
            }
        }
        Ok(Self { journal, earlier })
    }
}

impl Keep for Work<'_> {
    fn earlier(&self) -> &[Finished] {
        &self.earlier
    }

    fn keep(&self, finished: &Finished) {
        match finished {
            Finished::Iterate { descent, row, model } => {
                self.journal.append(&Iterate::of(*descent, row, model.as_ref()));
            }
            Finished::Numbers { kind, theta, stream, values } => {
                self.journal.append_of(kind, &Numbers::of(kind, theta, *stream, values));
            }
        }
    }

    fn stopped(&self) -> bool {
        self.journal.stopped()
    }
}
