use std::ops::ControlFlow;

use wngd_adjoint::ForwardModel;

use crate::descent::{Descent, Iteration, Observer, Outcome, Progress};
use crate::error::DescentError;
use crate::quadratic::LocalModel;
use crate::step::StepRule;

/// A finished piece of work, expensive enough to be kept.
#[derive(Debug, Clone)]
pub enum Finished {
    /// An iterate of a descent.
    Iterate {
        /// Number of the descent among those of one process.
        descent: usize,
        /// The iterate.
        row: Box<Iteration>,
        /// The local model that was kept on the way to it.
        model: Option<LocalModel>,
    },
    /// What was computed at some parameters with one stream of random numbers.
    Numbers {
        /// What kind of thing it is; one word.
        kind: String,
        /// The parameters.
        theta: Vec<f64>,
        /// The stream, 0 where nothing is random.
        stream: u64,
        /// What was computed.
        values: Vec<f64>,
    },
}

/// Keeps finished work, so that an interrupted process can go on with the same bits.
///
/// What comes back from [`earlier`](Self::earlier) is what [`keep`](Self::keep) was given by the process before:
/// work is then carried out again without these pieces. Where and how they are kept is the implementation's.
///
/// # Example
/// ```
/// use std::sync::Mutex;
/// use wngd_opt::{Finished, Keep};
///
/// /// In memory.
/// #[derive(Default)]
/// struct Memory { earlier: Vec<Finished>, now: Mutex<Vec<Finished>> }
/// impl Keep for Memory {
///     fn earlier(&self) -> &[Finished] { &self.earlier }
///     fn keep(&self, finished: &Finished) {
///         if let Ok(mut now) = self.now.lock() { now.push(finished.clone()) }
///     }
///     fn stopped(&self) -> bool { false }
/// }
/// ```
pub trait Keep: Sync {
    /// What an earlier, interrupted process finished, in its order; nothing if there was none.
    fn earlier(&self) -> &[Finished];
    /// Keeps a piece as soon as it is finished. Pieces of parallel work come from several threads.
    fn keep(&self, finished: &Finished);
    /// Whether to begin nothing more.
    fn stopped(&self) -> bool;
}

/// Keeps nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeepNothing;

impl Keep for KeepNothing {
    fn earlier(&self) -> &[Finished] {
        &[]
    }
    fn keep(&self, _: &Finished) {}
    fn stopped(&self) -> bool {
        false
    }
}

impl Progress {
    /// How far descent number `descent` had come; no iterates if it had not begun.
    pub fn of(earlier: &[Finished], descent: usize) -> Self {
        let mut progress = Self::default();
        for finished in earlier {
            if let Finished::Iterate { descent: of, row, model } = finished
                && *of == descent
            {
                progress.trace.push(Iteration::clone(row));
                progress.models.extend(model.clone());
            }
        }
        progress
    }
}

impl<M: ForwardModel> Descent<'_, M> {
    /// Descends from `theta`, or goes on where `keep` has descent number `index`; `watch` sees every new iterate.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn run_or_resume(
        &self,
        index: usize,
        theta: &[f64],
        rule: &mut dyn StepRule,
        keep: &dyn Keep,
        watch: &mut dyn FnMut(&Iteration),
    ) -> Result<Outcome, DescentError> {
        let mut observer = Keeping { keep, index, model: None, watch };
        let progress = Progress::of(keep.earlier(), index);
        if progress.trace.is_empty() {
            self.run_with(theta, rule, &mut observer)
        } else {
            self.resume(progress, rule, &mut observer)
        }
    }
}

/// Shows a descent and keeps it.
struct Keeping<'a> {
    keep: &'a dyn Keep,
    index: usize,
    /// The model behind the step under way.
    model: Option<LocalModel>,
    watch: &'a mut dyn FnMut(&Iteration),
}

impl Observer for Keeping<'_> {
    fn observe(&mut self, row: &Iteration) -> ControlFlow<()> {
        (self.watch)(row);
        let row = Box::new(row.clone());
        self.keep.keep(&Finished::Iterate { descent: self.index, row, model: self.model.take() });
        if self.keep.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn keep(&mut self, model: &LocalModel) {
        self.model = Some(model.clone());
    }
}
