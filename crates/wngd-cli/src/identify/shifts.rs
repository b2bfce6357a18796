//! Shifts that simulated trajectories ask for, kept while they are computed.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::checkpoint::{Bits, Journal, Unit};
use crate::error::CliError;

/// The shift of one trajectory: all else that it depends on follows from the data and the settings.
#[derive(Serialize, Deserialize)]
struct Shift {
    theta: Vec<Bits>,
    stream: u64,
    shift: Vec<Bits>,
}

impl Unit for Shift {
    const KIND: &'static str = "shift";
}

/// Shifts by parameters and stream of random numbers.
pub struct Shifts<'a> {
    journal: &'a Journal,
    /// Those that the checkpoint has.
    known: HashMap<(Vec<u64>, u64), Vec<f64>>,
}

impl<'a> Shifts<'a> {
    /// The shifts of a command.
    pub fn of(journal: &'a Journal) -> Result<Self, CliError> {
        let known = journal.kept()?.into_iter().map(|Shift { theta, stream, shift }| {
            let key = theta.iter().map(|t| t.0.to_bits()).collect();
            ((key, stream), Bits::numbers(&shift))
        });
        Ok(Self { journal, known: known.collect() })
    }

    /// The shift at θ, computed if it is not known.
    pub fn get(
        &self,
        theta: &[f64],
        stream: u64,
        compute: impl FnOnce() -> Result<Vec<f64>, CliError>,
    ) -> Result<Vec<f64>, CliError> {
        let key = (theta.iter().map(|t| t.to_bits()).collect(), stream);
        if let Some(shift) = self.known.get(&key).filter(|shift| shift.len() == theta.len()) {
            return Ok(shift.clone());
        }
        let shift = compute()?;
        self.journal.append(&Shift { theta: Bits::of(theta), stream, shift: Bits::of(&shift) });
        Ok(shift)
    }

    /// Whether to compute no more of them.
    pub fn stopped(&self) -> bool {
        self.journal.stopped()
    }
}
