use wngd_adjoint::{Bound, Transform};

use crate::direction::{Direction, PreparedDirection};
use crate::error::{DescentError, DirectionError};

/// Halvings after which a line search gives up: 2⁻⁶⁰ is below any useful step.
const MAX_HALVINGS: usize = 60;

/// A promised decrease above this fraction of f should show in f.
const NOTICEABLE: f64 = 1e-6;

/// f at trial parameters; `None` outside the domain or where f is not finite.
pub type TrialValue<'a> = dyn FnMut(&[f64]) -> Result<Option<f64>, DescentError> + 'a;

/// What a step rule may ask at one iterate.
pub struct Trial<'a> {
    /// θ, p values.
    pub theta: &'a [f64],
    /// f(θ).
    pub objective: f64,
    /// |c| Zᵀu, p values.
    pub gradient: &'a [f64],
    /// Directions for any damping.
    pub prepared: &'a dyn PreparedDirection,
    /// Damping that the direction rule starts with.
    pub damping: f64,
    /// Longest step √(ηᵀGη) that a rule should propose where its length is not given.
    pub longest: Option<f64>,
    /// Bounds that steps end on; those met at θ are kept by the directions.
    pub bounds: &'a [Bound],
    /// Curves along which parameters move, one each; straight lines if empty.
    pub curves: &'a [Transform],
    /// f at trial parameters; `None` outside the domain or where f is not finite.
    pub value: &'a mut TrialValue<'a>,
}

impl Trial<'_> {
    /// θ + tη for t = `length`, or as far as the first bound; with t.
    fn moved(&self, eta: &[f64], length: f64) -> (Vec<f64>, f64) {
        let (mut reach, mut blocking) = (length, None);
        for bound in self.bounds.iter().filter(|b| !b.is_met(self.theta)) {
            let (slack, rate) = (bound.slack(self.theta), bound.rate(eta));
            if rate < 0.0 && slack < -rate * reach {
                (reach, blocking) = (slack / -rate, Some(bound));
            }
        }
        let mut theta: Vec<f64> = self.theta.iter().zip(eta).map(|(t, e)| t + reach * e).collect();
        for (j, curve) in self.curves.iter().enumerate().filter(|(_, curve)| **curve != Transform::None) {
            theta[j] = curve.moved(self.theta[j], reach * eta[j]);
        }
        // Those met before are met after, whatever rounding says.
        let kept = self.bounds.iter().filter(|b| b.is_met(self.theta) && b.is_met(&theta));
        let meet: Vec<&Bound> = kept.chain(blocking).collect();
        meet.into_iter().for_each(|bound| bound.meet(&mut theta));
        (theta, reach)
    }

    fn slope(&self, eta: &[f64]) -> f64 {
        self.gradient.iter().zip(eta).map(|(g, e)| g * e).sum()
    }
}

/// A step that a rule proposes to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// New parameters.
    pub theta: Vec<f64>,
    /// f there.
    pub objective: f64,
    /// Step length t in θ + t η.
    pub length: f64,
    /// Slope |c| Zᵀu · η of the direction taken.
    pub slope: f64,
    /// The direction taken.
    pub direction: Direction,
    /// Damping used.
    pub damping: f64,
    /// Trial points rejected before this one.
    pub rejected: usize,
    /// Whether a fixed step was shortened to stay in the domain.
    pub shortened: bool,
    /// Whether a search would have begun with a longer step than [`Trial::longest`], and took that one.
    pub capped: bool,
}

/// Outcome of asking a rule for a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepOutcome {
    /// A step to take.
    Taken(Step),
    /// No step of this rule decreases f, and the decrease that the slope promises is
    /// below rounding of f: there is nothing left to gain.
    AtRounding,
    /// No acceptable step was found.
    Failed(&'static str),
}

/// Chooses a step along directions from a [`PreparedDirection`].
pub trait StepRule {
    /// Short name, as in experiment files.
    fn name(&self) -> &'static str;
    /// Proposes a step.
    ///
    /// # Errors
    /// Failed solves or evaluations; never a mere lack of progress.
    fn step(&mut self, trial: &mut Trial<'_>) -> Result<StepOutcome, DescentError>;
    /// What earlier steps leave behind for later ones; nothing for rules that treat every step alike.
    fn memory(&self) -> Vec<f64> {
        Vec::new()
    }
    /// Takes up a [`memory`](Self::memory); `false` if it is none of this rule's.
    fn recall(&mut self, memory: &[f64]) -> bool {
        memory.is_empty()
    }
}

fn direction(trial: &Trial<'_>, damping: f64) -> Result<(Direction, f64), DirectionError> {
    let direction = trial.prepared.direction(damping)?;
    let slope = trial.slope(&direction.eta);
    Ok((direction, slope))
}

/// A fixed step length: θ ← θ + t η. Outside the domain it is halved, and says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fixed {
    /// Step length t > 0.
    pub length: f64,
}

impl StepRule for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }
    fn step(&mut self, trial: &mut Trial<'_>) -> Result<StepOutcome, DescentError> {
        let (direction, slope) = direction(trial, trial.damping)?;
        let mut length = self.length;
        for rejected in 0..=MAX_HALVINGS {
            let (theta, reach) = trial.moved(&direction.eta, length);
            if let Some(objective) = (trial.value)(&theta)? {
                return Ok(StepOutcome::Taken(Step {
                    theta,
                    objective,
                    length: reach,
                    slope,
                    direction,
                    damping: trial.damping,
                    rejected,
                    shortened: rejected > 0 || reach < length,
                    capped: false,
                }));
            }
            length *= 0.5;
        }
        Ok(StepOutcome::Failed("no step along the direction stays in the domain"))
    }
}

/// Armijo backtracking: the first t, t/2, t/4, … with f(θ + tη) ≤ f(θ) + c₁ t slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Armijo {
    /// First step length tried.
    pub initial: f64,
    /// Fraction of the promised decrease that is asked for, 0 < c₁ < 1.
    pub c1: f64,
    /// How the first length of later searches is chosen.
    pub start: ArmijoStart,
    last: Option<f64>,
}

/// First step length of an [`Armijo`] search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmijoStart {
    /// `initial` every time.
    Initial,
    /// min(initial, 2 · last accepted).
    Remember,
    /// The last accepted length; one accepted at once is doubled, or else halved, while
    /// f still falls. For directions whose natural length is not known; one or two
    /// evaluations more per iteration. It begins no longer than [`Trial::longest`] in the metric.
    Expand,
}

impl Armijo {
    /// Starts every search from `initial`.
    pub fn new(initial: f64, c1: f64) -> Self {
        Self { initial, c1, start: ArmijoStart::Initial, last: None }
    }

    /// Starts each search from twice the last accepted length, at most `initial`.
    pub fn remembering(initial: f64, c1: f64) -> Self {
        Self { start: ArmijoStart::Remember, ..Self::new(initial, c1) }
    }

    /// Finds the length by itself, from 1 on.
    pub fn expanding(c1: f64) -> Self {
        Self { start: ArmijoStart::Expand, ..Self::new(1.0, c1) }
    }
}

impl StepRule for Armijo {
    fn name(&self) -> &'static str {
        "armijo"
    }
    fn memory(&self) -> Vec<f64> {
        self.last.into_iter().collect()
    }
    fn recall(&mut self, memory: &[f64]) -> bool {
        self.last = memory.first().copied();
        memory.len() < 2
    }
    fn step(&mut self, trial: &mut Trial<'_>) -> Result<StepOutcome, DescentError> {
        let (direction, slope) = direction(trial, trial.damping)?;
        let mut length = match (self.start, self.last) {
            (ArmijoStart::Remember, Some(last)) => self.initial.min(2.0 * last),
            (ArmijoStart::Expand, Some(last)) => last,
            _ => self.initial,
        };
        if !(slope < 0.0) {
            return Ok(no_descent(trial, slope, length));
        }
        // The slope of a natural direction is −ηᵀGη: its length in the metric costs nothing.
        let most = match (self.start, trial.longest) {
            (ArmijoStart::Expand, Some(longest)) => longest / slope.abs().sqrt(),
            _ => f64::INFINITY,
        };
        let cut = length > most;
        length = length.min(most);
        let first = length;
        for rejected in 0..=MAX_HALVINGS {
            let (theta, reach) = trial.moved(&direction.eta, length);
            if theta == trial.theta {
                return Ok(StepOutcome::AtRounding);
            }
            if let Some(objective) = (trial.value)(&theta)?.filter(|f| self.accepts(trial, *f, reach, slope)) {
                let bounded = reach < length;
                let mut best = (theta, objective, reach);
                if self.start == ArmijoStart::Expand && rejected == 0 {
                    best = self.expand(trial, &direction.eta, slope, best)?;
                }
                let (theta, objective, length) = best;
                // A step that the metric or a bound cut short says nothing of the natural length.
                self.last = Some(if length >= most || bounded { self.last.unwrap_or(self.initial) } else { length });
                return Ok(StepOutcome::Taken(Step {
                    theta,
                    objective,
                    length,
                    slope,
                    direction,
                    damping: trial.damping,
                    rejected,
                    shortened: false,
                    capped: cut && length == most,
                }));
            }
            // Once the promised decrease drowns in rounding of f, no comparison can succeed.
            if length * slope.abs() <= 4.0 * f64::EPSILON * trial.objective.abs() {
                // A long step that promised much and kept nothing at any length is no convergence.
                if first * slope.abs() <= NOTICEABLE * trial.objective.abs() {
                    return Ok(StepOutcome::AtRounding);
                }
                break;
            }
            length *= 0.5;
        }
        Ok(StepOutcome::Failed(
            "the line search found no decrease: the Jacobian may be close to singular (add damping), the direction wrong or f not smooth",
        ))
    }
}

impl Armijo {
    fn accepts(&self, trial: &Trial<'_>, objective: f64, length: f64, slope: f64) -> bool {
        objective <= trial.objective + self.c1 * length * slope
    }

    /// Doubles an accepted step while f still falls; if it does not, halves it while it does.
    ///
    /// Weak decrease is not enough here: a length of twice the minimiser's passes the Armijo
    /// test as well, and descents would zigzag.
    fn expand(
        &self,
        trial: &mut Trial<'_>,
        eta: &[f64],
        slope: f64,
        accepted: (Vec<f64>, f64, f64),
    ) -> Result<(Vec<f64>, f64, f64), DescentError> {
        let mut best = accepted;
        for factor in [2.0, 0.5] {
            let before = best.2;
            for _ in 0..MAX_HALVINGS {
                let length = factor * best.2;
                let (theta, reach) = trial.moved(eta, length);
                match (trial.value)(&theta)? {
                    Some(f) if f < best.1 && self.accepts(trial, f, reach, slope) => best = (theta, f, reach),
                    _ => break,
                }
            }
            if best.2 != before {
                break;
            }
        }
        Ok(best)
    }
}

fn no_descent(trial: &Trial<'_>, slope: f64, length: f64) -> StepOutcome {
    let gradient: f64 = trial.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    if gradient == 0.0 || length * slope.abs() <= 4.0 * f64::EPSILON * trial.objective.abs() {
        StepOutcome::AtRounding
    } else {
        StepOutcome::Failed("the direction does not descend; add damping or change the metric")
    }
}

/// Levenberg–Marquardt: full steps of length `length` along damped directions, the
/// damping raised until f falls and lowered after good predictions (Nielsen's rule).
///
/// A parameter is damped by the largest length ‖Y eⱼ‖ that it has had so far: with the length of the
/// moment one that stops to matter would lose its damping and run away to infinity.
///
/// # References
/// Madsen, Nielsen and Tingleff 2004, Methods for Non-Linear Least Squares Problems, 3.2; Moré 1978
/// (doi:10.1007/BFb0067700) for the lengths.
#[derive(Debug, Clone, PartialEq)]
pub struct LevenbergMarquardt {
    /// Damping λ of the first iteration, relative to diag G.
    pub initial: f64,
    /// Length of the full step; 1 for a metric that matches the objective.
    pub length: f64,
    damping: Option<f64>,
    growth: f64,
    /// Largest ‖Y eⱼ‖ so far.
    lengths: Vec<f64>,
}

impl LevenbergMarquardt {
    /// Starts with damping `initial`.
    pub fn new(initial: f64, length: f64) -> Self {
        Self { initial, length, damping: None, growth: 2.0, lengths: Vec::new() }
    }
}

impl StepRule for LevenbergMarquardt {
    fn name(&self) -> &'static str {
        "levenberg-marquardt"
    }
    /// Growth, damping (−1 before the first step), lengths.
    fn memory(&self) -> Vec<f64> {
        [self.growth, self.damping.unwrap_or(-1.0)].into_iter().chain(self.lengths.iter().copied()).collect()
    }
    fn recall(&mut self, memory: &[f64]) -> bool {
        let [growth, damping, lengths @ ..] = memory else { return false };
        self.growth = *growth;
        self.damping = (*damping >= 0.0).then_some(*damping);
        self.lengths = lengths.to_vec();
        true
    }
    fn step(&mut self, trial: &mut Trial<'_>) -> Result<StepOutcome, DescentError> {
        let mut damping = self.damping.unwrap_or(self.initial.max(trial.damping));
        if let Some(lengths) = trial.prepared.lengths() {
            self.lengths.resize(lengths.len(), 0.0);
            self.lengths.iter_mut().zip(lengths).for_each(|(kept, now)| *kept = kept.max(now));
        }
        for rejected in 0..=MAX_HALVINGS {
            let direction = trial.prepared.direction_at_least(damping, &self.lengths)?;
            let slope = trial.slope(&direction.eta);
            let (theta, t) = trial.moved(&direction.eta, self.length);
            if theta == trial.theta || t * slope.abs() <= 4.0 * f64::EPSILON * trial.objective.abs() {
                self.damping = Some(damping);
                return Ok(StepOutcome::AtRounding);
            }
            // Decrease promised by the undamped local model f + t gᵀη + t/2 ηᵀGη.
            let bend = trial.prepared.curvature(&direction.eta);
            let promised = -(t * slope + 0.5 * (t / self.length) * t * bend);
            if let Some(objective) = (trial.value)(&theta)? {
                let gain = (trial.objective - objective) / promised;
                if objective < trial.objective && gain > 0.0 {
                    self.damping = Some(damping * (1.0f64 / 3.0).max(1.0 - (2.0 * gain - 1.0).powi(3)));
                    self.growth = 2.0;
                    return Ok(StepOutcome::Taken(Step {
                        theta,
                        objective,
                        length: t,
                        slope,
                        direction,
                        damping,
                        rejected,
                        shortened: false,
                        capped: false,
                    }));
                }
            }
            damping = if damping > 0.0 { damping * self.growth } else { 1e-6 };
            self.growth *= 2.0;
        }
        self.damping = Some(damping);
        Ok(StepOutcome::Failed("no damping gives a decrease; the direction may be wrong or f not smooth"))
    }
}
