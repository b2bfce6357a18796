//! Estimates that several processes make, or an earlier one made.

use crate::error::IdentifyError;
use crate::estimate::Estimate;

/// What an estimator came to.
pub(crate) type Found = Result<Estimate, IdentifyError>;

/// Which estimates are known, and who makes the others. A failure is not kept: it is found anew, to the same text.
pub trait Estimates {
    /// An estimate that was made before.
    fn known(&self, estimator: &str) -> Option<Estimate>;
    /// Whether this process makes one that is not known.
    fn takes(&self, estimator: &str) -> bool;
    /// Told of an estimate as soon as it is made.
    fn made(&self, estimate: &Estimate);
}

impl dyn Estimates + '_ {
    /// An estimate that nothing else depends on; none if another process makes it.
    pub(crate) fn get(&self, estimator: &str, make: &mut dyn FnMut() -> Found) -> Option<Found> {
        if let Some(estimate) = self.known(estimator) {
            return Some(Ok(estimate));
        }
        if !self.takes(estimator) {
            return None;
        }
        Some(make().inspect(|estimate| self.made(estimate)))
    }

    /// An estimate that others begin with, so that every process needs it.
    pub(crate) fn needed(&self, estimator: &str, make: &mut dyn FnMut() -> Found) -> Found {
        self.known(estimator).map_or_else(|| make().inspect(|estimate| self.made(estimate)), Ok)
    }
}

/// Nothing is known, and all is made here.
pub(crate) struct All;

impl Estimates for All {
    fn known(&self, _: &str) -> Option<Estimate> {
        None
    }
    fn takes(&self, _: &str) -> bool {
        true
    }
    fn made(&self, _: &Estimate) {}
}
