//! The last steps, in the metric of the scatter between whole replicates.
//!
//! A motion to and fro leaves less in the mean over a record than windows of it show, however their weights fall off at the ends:
//! the scatter between windows makes errors twice too wide and hides misfits. Replicates that are sampled as the data were have the
//! same ends as the data, so that the scatter between them is what the data's own would be if the model is right.

use super::jacobian::Local;
use super::moments::Moments;
use super::search::{LONGEST, Search, Stage};
use crate::error::IdentifyError;
use crate::sample::Sample;

/// Points that are simulated for the scatter.
const POINTS: usize = 640_000;
/// Fewest and most replicates, and how many per moment at least.
const FEWEST: usize = 64;
const MOST: usize = 256;
const EACH: usize = 3;
/// Replicates at either side of the parameters.
const SIDES: usize = 8;
/// Most steps, tries of a step, and by what each is shorter than the one before.
const STEPS: usize = 8;
const TRIES: usize = 5;
const SHORTER: f64 = 0.35;
/// Square of a step in standard errors, per unknown, that ends it: it is taken as well.
const STILL: f64 = 1.0;

/// How the data were sampled: records with gaps between them that are long enough to forget the one before.
pub(super) struct Sampled {
    /// First and one past the last point of each record in a simulation.
    spans: Vec<(usize, usize)>,
    /// First points of all functions in the data for one in a simulation.
    share: f64,
    /// Whether there is an order.
    ordered: bool,
}

impl Sampled {
    /// As the first `full` points of a sample; `gap` points are left out between records.
    pub(super) fn of(sample: &Sample, full: usize, gap: usize, reach: usize) -> Self {
        let ordered = sample.dt.is_some();
        let all = sample.spans();
        let head = sample.head(full);
        let spans: Vec<(usize, usize)> = match ordered {
            true => head.spans().iter().enumerate().map(|(k, (a, b))| (a + k * gap, b + k * gap)).collect(),
            false => vec![(0, full)],
        };
        let firsts = |spans: &[(usize, usize)]| spans.iter().map(|(a, b)| (b - a).saturating_sub(reach)).sum::<usize>();
        Self { share: firsts(&all) as f64 / firsts(&spans).max(1) as f64, spans, ordered }
    }

    fn count(&self) -> usize {
        self.spans.last().map_or(0, |(_, end)| *end)
    }
}

impl Search<'_> {
    /// Steps until the parameters stand still in that metric; the problem there and whether they do.
    ///
    /// # Errors
    /// Simulations that leave every bound.
    pub(super) fn settled(&mut self, sampled: &Sampled) -> Result<(Local, bool), IdentifyError> {
        let count = sampled.count();
        let many = (POINTS / count.max(1)).clamp(FEWEST, MOST).max(EACH * self.features.len());
        let length = count.saturating_sub(self.features.reach()).max(1);
        let stage = Stage { count, length, span: 1, centre: many, sides: SIDES, steps: STEPS, still: STILL };
        let mut steps = 0;
        loop {
            let local = self.among_replicates(stage, sampled)?;
            let (step, square) = local.step();
            let p = self.theta.len();
            let rests = square <= STILL * step.len() as f64;
            if rests || steps == STEPS {
                return Ok((local, rests));
            }
            let far = step[..p].iter().fold(0.0, |most: f64, s| most.max(s.abs()));
            let before = (self.theta.clone(), self.noise.clone());
            let mut length = (LONGEST / far).min(1.0);
            let mut tries = 0;
            // What scatters least is bent most: a step that does not make the rest smaller goes beyond what is linear.
            while {
                self.take(&step, length);
                !self.is_nearer(stage, sampled, &local)
            } {
                (self.theta, self.noise) = before.clone();
                length *= SHORTER;
                tries += 1;
                if tries == TRIES {
                    return Ok((local, false));
                }
            }
            self.adapt(&local);
            steps += 1;
        }
    }

    /// Whether simulations at the parameters are nearer to the data than those of a problem, in its metric.
    fn is_nearer(&self, stage: Stage, sampled: &Sampled, local: &Local) -> bool {
        let found = self.replicates.whole(&self.features, &self.theta, stage.sides, &sampled.spans, None);
        let damping = self.features.damping(&self.noise);
        found.is_some_and(|(plain, _)| {
            local.value_of(&self.data, &Moments::of(&plain, 1).damped(&damping).mean) < local.value
        })
    }

    /// The linearised problem with the covariance from whole replicates.
    fn among_replicates(&self, stage: Stage, sampled: &Sampled) -> Result<Local, IdentifyError> {
        let noisy = self.noise.iter().any(|v| *v > 0.0);
        let noise = (noisy && sampled.ordered).then_some(&self.noise[..]);
        let found = self.replicates.whole(&self.features, &self.theta, stage.centre, &sampled.spans, noise);
        let lost = || IdentifyError::Unbounded { theta: self.theta.clone() };
        let (plain, seen) = found.ok_or_else(lost)?;
        let damping = self.features.damping(&self.noise);
        let centre = Moments::of(&plain, 1).damped(&damping);
        let columns = self.columns(stage, &centre)?;
        if !sampled.ordered {
            // Independent points have the scatter that they show.
            return Ok(Local::new(&self.data, &centre, &columns)?);
        }
        let scatter = match &seen {
            Some(seen) => Moments::of(seen, 1).covariance,
            None => centre.covariance.clone(),
        };
        // Of one replicate, less the longer the record is.
        let factor = stage.centre as f64 / sampled.share;
        let covariance = scatter.iter().map(|c| factor * c).collect();
        let data = Moments { mean: self.data.mean.clone(), covariance, draws: stage.centre as f64 };
        Ok(Local::new(&data, &centre, &columns)?)
    }
}
