//! Shifts that simulated trajectories ask for, kept while they are computed.

use std::collections::HashMap;

use wngd_opt::{Finished, Keep};

use crate::error::IdentifyError;

/// Kind of [`Finished::Numbers`] that holds the shift of one trajectory: all else that it depends on follows from
/// the data and the settings.
pub const SHIFT: &str = "shift";

/// Shifts by parameters and stream of random numbers.
pub(crate) struct Shifts<'a> {
    keep: &'a dyn Keep,
    /// Those of an earlier process.
    known: HashMap<(Vec<u64>, u64), Vec<f64>>,
}

impl<'a> Shifts<'a> {
    pub(crate) fn of(keep: &'a dyn Keep) -> Self {
        let known = keep.earlier().iter().filter_map(|finished| match finished {
            Finished::Numbers { kind, theta, stream, values } if kind == SHIFT => {
                Some((key(theta, *stream), values.clone()))
            }
            _ => None,
        });
        Self { keep, known: known.collect() }
    }

    /// The shift at θ, computed if it is not known.
    pub(crate) fn get(
        &self,
        theta: &[f64],
        stream: u64,
        compute: impl FnOnce() -> Result<Vec<f64>, IdentifyError>,
    ) -> Result<Vec<f64>, IdentifyError> {
        if let Some(shift) = self.known.get(&key(theta, stream)).filter(|shift| shift.len() == theta.len()) {
            return Ok(shift.clone());
        }
        let values = compute()?;
        let (kind, theta) = (SHIFT.to_string(), theta.to_vec());
        self.keep.keep(&Finished::Numbers { kind, theta, stream, values: values.clone() });
        Ok(values)
    }

    /// Whether to compute no more of them.
    pub(crate) fn stopped(&self) -> bool {
        self.keep.stopped()
    }
}

/// Equal bits are equal parameters.
fn key(theta: &[f64], stream: u64) -> (Vec<u64>, u64) {
    (theta.iter().map(|t| t.to_bits()).collect(), stream)
}
