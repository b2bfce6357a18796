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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use wngd_adjoint::{Linearization, ModelError, State};
    use wngd_linalg::faer::Mat;

    use super::*;
    use crate::{Armijo, L2, LeastSquaresMisfit, Natural, Status};

    /// y = θ₀ exp(−θ₁ x).
    struct Decay;

    impl ForwardModel for Decay {
        type Jacobian = Mat<f64>;
        fn dim_param(&self) -> usize {
            2
        }
        fn dim_state(&self) -> usize {
            8
        }
        fn state(&self, t: &[f64]) -> Result<State, ModelError> {
            Ok(State::new((0..8).map(|x| t[0] * (-t[1] * f64::from(x)).exp()).collect()))
        }
        fn linearize(&self, t: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
            let e = |x: usize| (-t[1] * x as f64).exp();
            let jacobian = Mat::from_fn(8, 2, |x, j| if j == 0 { e(x) } else { -t[0] * x as f64 * e(x) });
            Ok(Linearization { state: self.state(t)?, jacobian })
        }
    }

    /// Stops once it has kept `room` pieces.
    struct Memory {
        earlier: Vec<Finished>,
        now: Mutex<Vec<Finished>>,
        room: usize,
    }

    impl Memory {
        fn new(earlier: Vec<Finished>, room: usize) -> Self {
            Self { earlier, now: Mutex::default(), room }
        }
    }

    impl Keep for Memory {
        fn earlier(&self) -> &[Finished] {
            &self.earlier
        }
        fn keep(&self, finished: &Finished) {
            self.now.lock().unwrap().push(finished.clone());
        }
        fn stopped(&self) -> bool {
            self.now.lock().unwrap().len() >= self.room
        }
    }

    #[test]
    fn a_stopped_descent_goes_on_with_the_same_bits() {
        let objective = LeastSquaresMisfit::plain(Decay.state(&[2.0, 0.5]).unwrap().values).unwrap();
        let direction = Natural::new(L2);
        let descent = Descent::new(&Decay, &objective).direction(&direction).keep_models(3);
        let run = |keep: &dyn Keep| {
            let mut seen = 0;
            let rule = &mut Armijo::new(1.0, 1e-4);
            (descent.run_or_resume(4, &[1.0, 1.0], rule, keep, &mut |_| seen += 1).unwrap(), seen)
        };
        let (whole, all) = run(&KeepNothing);
        assert!(matches!(whole.status, Status::Converged(_)) && all == whole.trace.len() && all > 4);
        for room in 1..all {
            let first = Memory::new(Vec::new(), room);
            assert_eq!(run(&first).0.status, Status::StoppedByObserver);
            // Another descent's iterates do not count.
            let mut earlier = first.now.into_inner().unwrap();
            let foreign = earlier[0].clone();
            if let Finished::Iterate { row, .. } = foreign {
                earlier.push(Finished::Iterate { descent: 5, row, model: None });
            }
            let (rest, new) = run(&Memory::new(earlier, usize::MAX));
            assert_eq!((rest.status, new), (whole.status, all - room));
            assert_eq!(rest.last().theta, whole.last().theta);
            assert_eq!(rest.models.len(), whole.models.len());
        }
    }
}
