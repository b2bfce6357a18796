//! The points that equations are made of: held, or read in parts.

use crate::sample::Sample;
use crate::stream::Stream;

/// Points in memory or in parts; the equations have the same bits.
#[derive(Clone, Copy)]
pub(super) enum Data<'a> {
    Held(&'a Sample),
    Parts(&'a Stream),
}

impl Data<'_> {
    pub(super) fn dim(&self) -> usize {
        self.deviations().len()
    }

    pub(super) fn count(&self) -> usize {
        match self {
            Self::Held(sample) => sample.count(),
            Self::Parts(stream) => stream.count(),
        }
    }

    pub(super) fn dt(&self) -> Option<f64> {
        match self {
            Self::Held(sample) => sample.dt,
            Self::Parts(stream) => stream.dt,
        }
    }

    pub(super) fn deviations(&self) -> &[f64] {
        match self {
            Self::Held(sample) => &sample.deviations,
            Self::Parts(stream) => &stream.deviations,
        }
    }

    /// First and one past the last point of each record.
    pub(super) fn spans(&self) -> Vec<(usize, usize)> {
        match self {
            Self::Held(sample) => sample.spans(),
            Self::Parts(stream) => stream.spans(),
        }
    }
}
