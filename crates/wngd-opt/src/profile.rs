//! Profiles of a likelihood: what f rises by when a parameter is held and the others follow.

use std::ops::ControlFlow;

use wngd_adjoint::{Bound, ForwardModel, Reparameterised};
use wngd_linalg::dense::norm;

use crate::descent::{Descent, Iteration, Silent, Status, Stop};
use crate::error::DescentError;
use crate::metric::FisherRao;
use crate::objective::Objective;
use crate::prior::PriorTerms;
use crate::step::LevenbergMarquardt;

/// Relative step at which a minimum with held parameters stands: the rise is of second order in it.
const STANDS: f64 = 1e-8;
/// Iterations of such a minimum.
const ITERATIONS: usize = 200;
/// A rise below minus this is another minimum.
const LOWER: f64 = 1e-5;
/// Relative accuracy of √rise where it crosses a level.
const CROSSED: f64 = 1e-5;
/// Evaluations of a crossing.
const TRIALS: usize = 60;

/// A minimum of −2 ln L = 2N f, from which profiles are taken.
///
/// f has to be a negative mean log-likelihood of N samples up to a constant, as
/// [`KullbackLeibler`](crate::KullbackLeibler) is for counts; with [priors](ForwardModel::priors) L is the posterior.
pub struct ProfileLikelihood<'a, M> {
    model: &'a M,
    objective: &'a dyn Objective,
    number: f64,
    theta: Vec<f64>,
    minimum: f64,
    stop: fn() -> bool,
}

/// A point of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfilePoint {
    /// All parameters.
    pub theta: Vec<f64>,
    /// Δ(−2 ln L) against the minimum.
    pub rise: f64,
}

/// Where a profile crosses a level.
#[derive(Debug, Clone, PartialEq)]
pub enum Crossing {
    /// At this point.
    At(ProfilePoint),
    /// It does not before the last point that the model allows: a bound, or the end of its domain.
    Bounded(ProfilePoint),
    /// It does not as far as was looked.
    Unbounded,
}

/// What can go wrong with a profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// There is a lower minimum.
    #[error("there is a lower minimum, by {by:.3e} in −2 ln L")]
    Lower {
        /// Its parameters, or some on the way to it.
        theta: Vec<f64>,
        /// Fall of −2 ln L.
        by: f64,
    },
    /// It was told to stop.
    #[error("it was told to stop")]
    Stopped,
    /// f could not be evaluated.
    #[error(transparent)]
    Descent(#[from] DescentError),
}

impl<'a, M: ForwardModel> ProfileLikelihood<'a, M> {
    /// From a minimum θ of f, with N samples behind f.
    ///
    /// # Errors
    /// f cannot be evaluated there.
    pub fn new(model: &'a M, objective: &'a dyn Objective, number: f64, theta: &[f64]) -> Result<Self, DescentError> {
        let (theta, stop) = (theta.to_vec(), never as fn() -> bool);
        let mut profile = Self { model, objective, number, theta, minimum: 0.0, stop };
        profile.minimum = profile.value(&profile.theta)?;
        Ok(profile)
    }

    /// The same, that ends with [`ProfileError::Stopped`] at the next iterate once `stop` says so.
    pub fn stopping(self, stop: fn() -> bool) -> Self {
        Self { stop, ..self }
    }

    /// The minimum.
    pub fn theta(&self) -> &[f64] {
        &self.theta
    }

    fn value(&self, theta: &[f64]) -> Result<f64, DescentError> {
        let misfit = self.objective.value(&self.model.state(theta)?)?;
        Ok(misfit + PriorTerms::at(self.model, theta).value())
    }

    /// The least rise with some parameters held, the others from `start`; `None` where the model or f is not defined, or
    /// no minimum was found.
    ///
    /// # Shapes
    /// `held`: number and value; `start`: all p parameters.
    ///
    /// # Errors
    /// [`ProfileError::Lower`], [`ProfileError::Stopped`]; solves that failed.
    pub fn held(&self, held: &[(usize, f64)], start: &[f64]) -> Result<Option<ProfilePoint>, ProfileError> {
        let mut theta = start.to_vec();
        held.iter().for_each(|(j, value)| theta[*j] = *value);
        let outside = |bound: &Bound| bound.slack(&theta) < 0.0 && !bound.is_met(&theta);
        let single = |bound: &&Bound| bound.terms.iter().all(|term| held.iter().any(|(j, _)| *j == term.0));
        if self.model.bounds().iter().filter(single).any(outside) {
            return Ok(None);
        }
        if held.len() < theta.len() {
            let fixed = Reparameterised::fixed(self.model, held).map_err(DescentError::from)?;
            let descent = Descent::new(&fixed, self.objective).metric(FisherRao).stop(Stop {
                iterations: ITERATIONS,
                relative_objective: 0.0,
                relative_step: STANDS,
                gradient: 0.0,
            });
            let mut watch =
                |_: &Iteration| if (self.stop)() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            let found = descent.run_with(&fixed.free(&theta), &mut LevenbergMarquardt::new(1e-4, 1.0), &mut watch);
            let found = match found {
                Ok(found) if found.status == Status::StoppedByObserver => return Err(ProfileError::Stopped),
                Ok(found) => found,
                Err(error) if recoverable(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if !matches!(found.status, Status::Converged(_)) {
                return Ok(None);
            }
            theta = fixed.whole(&found.last().theta);
        }
        let value = match self.value(&theta) {
            Ok(value) if value.is_finite() => value,
            Ok(_) => return Ok(None),
            Err(error) if recoverable(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let rise = 2.0 * self.number * (value - self.minimum);
        if rise < -LOWER {
            return Err(ProfileError::Lower { theta, by: -rise });
        }
        Ok(Some(ProfilePoint { theta, rise: rise.max(0.0) }))
    }

    /// Where the least rise reaches `level` on a way from the minimum along which some parameters are held:
    /// parameter `held[i]` at θ + t `along[i]`, t > 0. `guess` is a t to begin with, `start` parameters near there.
    ///
    /// √rise is nearly linear in t, so that secants find it: 3 to 6 minima each.
    ///
    /// # Errors
    /// As [`held`](Self::held).
    pub fn crossing(
        &self,
        held: &[usize],
        along: &[f64],
        level: f64,
        guess: f64,
        start: &[f64],
    ) -> Result<Crossing, ProfileError> {
        let target = level.sqrt();
        let at = |t: f64, from: &[f64], to: f64| -> Result<Option<ProfilePoint>, ProfileError> {
            let held: Vec<(usize, f64)> =
                held.iter().zip(along).map(|(&j, rate)| (j, self.theta[j] + t * rate)).collect();
            // The others follow in proportion.
            let share = if to > 0.0 { t / to } else { 0.0 };
            let start: Vec<f64> = self.theta.iter().zip(from).map(|(best, far)| best + share * (far - best)).collect();
            match self.held(&held, &start)? {
                Some(found) => Ok(Some(found)),
                None => self.held(&held, from),
            }
        };
        let origin = ProfilePoint { theta: self.theta.clone(), rise: 0.0 };
        // Known below the level, and above it or outside.
        let mut low = (0.0, origin);
        let mut high: Option<(f64, Option<f64>)> = None;
        let reach = self.reach(held, along);
        let (mut t, mut near, mut near_t) = (guess.min(reach), start.to_vec(), guess);
        for _ in 0..TRIALS {
            match at(t, &near, near_t)? {
                Some(found) => {
                    let root = found.rise.sqrt();
                    (near, near_t) = (found.theta.clone(), t);
                    if (root - target).abs() <= CROSSED * target {
                        return Ok(Crossing::At(found));
                    }
                    if root < target {
                        low = (t, found);
                        if t >= reach {
                            return Ok(Crossing::Bounded(low.1));
                        }
                    } else {
                        high = Some((t, Some(root)));
                    }
                }
                None => high = Some((t, None)),
            }
            let root = low.1.rise.sqrt();
            t = match high {
                // On by the secant through the minimum, at most doubling.
                None if root > 0.0 => (low.0 * (target / root).clamp(1.01, 2.0) * 1.0001).min(reach),
                None => (2.0 * low.0).min(reach),
                Some((end, _)) if end - low.0 <= 1e-12 * end => return Ok(Crossing::Bounded(low.1)),
                Some((end, None)) => 0.5 * (low.0 + end),
                Some((end, Some(above))) => {
                    let secant = low.0 + (end - low.0) * (target - root) / (above - root);
                    // Off the ends, so that both of them move.
                    let room = 1e-3 * (end - low.0);
                    secant.clamp(low.0 + room, end - room)
                }
            };
            if !t.is_finite() {
                return Ok(Crossing::Unbounded);
            }
        }
        Ok(match high {
            None => Crossing::Unbounded,
            Some(_) => Crossing::Bounded(low.1),
        })
    }

    /// How far bounds of the held parameters alone let t go.
    fn reach(&self, held: &[usize], along: &[f64]) -> f64 {
        let mut eta = vec![0.0; self.theta.len()];
        held.iter().zip(along).for_each(|(j, rate)| eta[*j] = *rate);
        let bounds = self.model.bounds();
        let single = bounds.iter().filter(|bound| bound.terms.iter().all(|term| held.contains(&term.0)));
        let steps = single.map(|bound| (bound.slack(&self.theta).max(0.0), bound.rate(&eta)));
        steps.filter(|(_, rate)| *rate < 0.0).map(|(slack, rate)| slack / -rate).fold(f64::INFINITY, f64::min)
    }

    /// The profile of a parameter at values that go away from the minimum, each from its neighbour; those where the model
    /// is not defined are left out.
    ///
    /// # Errors
    /// As [`held`](Self::held).
    pub fn along(&self, parameter: usize, values: &[f64]) -> Result<Vec<ProfilePoint>, ProfileError> {
        let mut found: Vec<ProfilePoint> = Vec::new();
        for &value in values {
            let last = found.last().map_or(&self.theta[..], |point| &point.theta);
            let before = if found.len() > 1 { &found[found.len() - 2].theta[..] } else { &self.theta[..] };
            let step = last[parameter] - before[parameter];
            let share = if step == 0.0 { 0.0 } else { (value - last[parameter]) / step };
            let ahead: Vec<f64> = last.iter().zip(before).map(|(a, b)| a + share * (a - b)).collect();
            let held = [(parameter, value)];
            let point = match self.held(&held, &ahead)? {
                Some(point) => Some(point),
                None => self.held(&held, last)?,
            };
            found.extend(point);
        }
        Ok(found)
    }

    /// A minimum near θ, of all parameters.
    ///
    /// # Errors
    /// As a descent; `None` if it did not converge.
    pub fn minimum(model: &M, objective: &dyn Objective, theta: &[f64]) -> Result<Option<Vec<f64>>, DescentError> {
        let stop = Stop { iterations: ITERATIONS, relative_objective: 0.0, relative_step: STANDS, gradient: 0.0 };
        let descent = Descent::new(model, objective).metric(FisherRao).stop(stop);
        let found = descent.run_with(theta, &mut LevenbergMarquardt::new(1e-4, 1.0), &mut Silent)?;
        let moved = norm(&found.last().theta);
        Ok((matches!(found.status, Status::Converged(_)) && moved.is_finite()).then(|| found.last().theta.clone()))
    }
}

/// What is not told to stop.
fn never() -> bool {
    false
}

/// Whether it is the place that is at fault, so that another one may do.
fn recoverable(error: &DescentError) -> bool {
    match error {
        DescentError::Model(error) => error.is_recoverable(),
        DescentError::Objective(_) | DescentError::NotFinite { .. } => true,
        _ => false,
    }
}
