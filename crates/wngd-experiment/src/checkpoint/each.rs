//! Does the units of a command: all of them, the share of a shard, or those that are handed out.
//!
//! A unit depends on its number alone, so that who does it changes no bit of it.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::Journal;
use super::crew::Crew;
use super::unit::Unit;
use crate::error::ExperimentError;

/// What a unit came to; nothing if the command was told to stop.
pub type Came<T> = Result<Option<T>, ExperimentError>;

impl Journal {
    /// Does those of some units that are this process's, side by side, and keeps each as soon as it is done; what they
    /// came to, in no order. Units that are missing were left to other shards, or not begun because the command was told
    /// to stop. `done` is told of each.
    ///
    /// Where several processes do the units together, those that do not lead get nothing back.
    ///
    /// # Errors
    /// The first failure of a unit; no more are begun then.
    pub fn each<T: Unit + Send>(
        &self,
        units: Vec<usize>,
        done: &(dyn Fn(usize) + Sync),
        one: impl Fn(usize) -> Came<T> + Sync,
    ) -> Result<Vec<T>, ExperimentError> {
        if let Some(crew) = self.crew() {
            return self.together(crew, units, done, &mut |unit| one(unit));
        }
        let own: Vec<usize> = units.into_iter().filter(|unit| self.takes(*unit)).collect();
        let failed = AtomicBool::new(false);
        let found: Vec<Came<T>> = own
            .into_par_iter()
            .map(|unit| {
                if failed.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                self.kept_one(unit, done, &mut |unit| one(unit)).inspect_err(|_| failed.store(true, Ordering::Relaxed))
            })
            .collect();
        found.into_iter().filter_map(Result::transpose).collect()
    }

    /// [`each`](Self::each) for units that do not stand side by side: one after the other.
    ///
    /// # Errors
    /// As there.
    pub fn in_turn<T: Unit>(
        &self,
        units: Vec<usize>,
        done: &dyn Fn(usize),
        mut one: impl FnMut(usize) -> Came<T>,
    ) -> Result<Vec<T>, ExperimentError> {
        if let Some(crew) = self.crew() {
            return self.together(crew, units, done, &mut one);
        }
        let own = units.into_iter().filter(|unit| self.takes(*unit));
        own.filter_map(|unit| self.kept_one(unit, done, &mut one).transpose()).collect()
    }

    fn kept_one<T: Unit>(&self, unit: usize, done: &dyn Fn(usize), one: &mut dyn FnMut(usize) -> Came<T>) -> Came<T> {
        if self.stopped() {
            return Ok(None);
        }
        let found = one(unit)?;
        match &found {
            Some(unit) => {
                self.append(unit);
                done(1);
            }
            None => self.stop(),
        }
        Ok(found)
    }

    /// With other processes: units travel as the text that a checkpoint has of them.
    fn together<T: Unit>(
        &self,
        crew: &dyn Crew,
        units: Vec<usize>,
        done: &dyn Fn(usize),
        one: &mut dyn FnMut(usize) -> Came<T>,
    ) -> Result<Vec<T>, ExperimentError> {
        let internal = |error: serde_json::Error| ExperimentError::Internal(error.to_string());
        let (mut found, mut failure, asked) = (Vec::new(), None, units.len());
        if !crew.leads() {
            crew.follow(&mut |unit| {
                let came =
                    one(unit).and_then(|found| found.map(|f| serde_json::to_string(&f).map_err(internal)).transpose());
                came.unwrap_or_else(|error| {
                    failure = Some(error);
                    None
                })
            });
            return failure.map_or(Ok(found), Err);
        }
        let mut left = units.into_iter().take_while(|_| !self.stopped());
        crew.lead(&mut left, &mut |text| match serde_json::from_str::<T>(&text) {
            Ok(unit) => {
                self.append(&unit);
                done(1);
                found.push(unit);
            }
            Err(error) => failure = Some(internal(error)),
        });
        if found.len() < asked {
            // Others were told to stop.
            self.stop();
        }
        failure.map_or(Ok(found), Err)
    }
}
