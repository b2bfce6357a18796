//! Estimators as units of work: those that a checkpoint has, and those that other processes make.

use std::cell::RefCell;
use std::collections::BTreeMap;

use wngd::identify::{Answer, Estimate, Estimates, IdentifyError, Question, answer_streamed, answer_with};

use super::job::Job;
use crate::checkpoint::{Came, Estimated, Journal};
use crate::error::ExperimentError;

/// The answer, from what was made before and elsewhere; nothing where this process does not make it. The inner result is
/// that of the estimators: another one may still have something to say.
pub(super) fn answer(
    job: &Job,
    question: &Question,
    journal: &Journal,
) -> Result<Option<Result<Answer, IdentifyError>>, ExperimentError> {
    if let Some(stream) = &job.stream {
        if journal.shares() {
            job.units()?;
        }
        let dynamics = job.dynamics.clone().stopping(journal.interrupted());
        let found = answer_streamed(&dynamics, stream, question);
        return Ok(Some(found).filter(|found| !(journal.stopped() && matches!(found, Err(IdentifyError::Stopped)))));
    }
    let mut made: Vec<Estimated> = journal.kept()?;
    if journal.shares() {
        let units = job.units()?;
        let left = (0..units.len()).filter(|unit| !made.iter().any(|m| m.estimator == units[*unit])).collect();
        made.extend(journal.each(left, &|_| {}, |unit| one(job, question, units[unit], journal))?);
        journal.check()?;
        if !journal.concludes() || !units.iter().all(|name| made.iter().any(|m| m.estimator == *name)) {
            return Ok(None);
        }
    }
    let mut known = BTreeMap::new();
    for estimated in made {
        let name = estimated.estimator.clone();
        if let Some(estimate) = estimated.estimate().map_err(|problem| journal.refuse(problem))? {
            known.insert(name, estimate);
        }
    }
    let dynamics = job.dynamics.clone().stopping(journal.interrupted());
    let found = answer_with(&dynamics, &job.sample, question, &Whole { known, journal });
    if journal.stopped() && matches!(found, Err(IdentifyError::Stopped)) {
        return Ok(None);
    }
    Ok(found.transpose())
}

/// One estimator.
fn one(job: &Job, question: &Question, estimator: &'static str, journal: &Journal) -> Came<Estimated> {
    let dynamics = job.dynamics.clone().stopping(journal.interrupted());
    let only = Only { estimator, found: RefCell::new(None) };
    match answer_with(&dynamics, &job.sample, question, &only) {
        Err(IdentifyError::Stopped) => Ok(None),
        // What is wrong with the others is told where they are put together.
        _ => Ok(Some(Estimated::of(estimator, only.found.take().as_ref()))),
    }
}

/// All that is not known is made here, and kept.
struct Whole<'a> {
    known: BTreeMap<String, Estimate>,
    journal: &'a Journal,
}

impl Estimates for Whole<'_> {
    fn known(&self, estimator: &str) -> Option<Estimate> {
        self.known.get(estimator).cloned()
    }
    fn takes(&self, _: &str) -> bool {
        true
    }
    fn made(&self, estimate: &Estimate) {
        self.journal.append(&Estimated::of(estimate.estimator, Some(estimate)));
    }
}

/// One is made here.
struct Only {
    estimator: &'static str,
    found: RefCell<Option<Estimate>>,
}

impl Estimates for Only {
    fn known(&self, _: &str) -> Option<Estimate> {
        None
    }
    fn takes(&self, estimator: &str) -> bool {
        estimator == self.estimator
    }
    fn made(&self, estimate: &Estimate) {
        if estimate.estimator == self.estimator {
            self.found.replace(Some(estimate.clone()));
        }
    }
}
