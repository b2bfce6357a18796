use std::ops::ControlFlow;
use std::time::Instant;

use wngd_adjoint::{Bound, ForwardModel, Prior, SolveCounts, State};
use wngd_linalg::dense::norm;
use wngd_linalg::operator::apply_transpose_vec;

use crate::direction::{DirectionSolver, PreparedDirection};
use crate::error::{DescentError, ObjectiveError};
use crate::estimate::EstimateReport;
use crate::held::Held;
use crate::metric::{L2, Metric, Point};
use crate::natural::Natural;
use crate::objective::Objective;
use crate::prior::PriorTerms;
use crate::quadratic::LocalModel;
use crate::stationarity::{Stationarity, are_apart};
use crate::step::{Armijo, StepOutcome, StepRule, Trial};

/// When a descent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Iteration limit.
    pub iterations: usize,
    /// Converged when f ≤ this · f₀, for objectives that vanish at the data; 0 switches the test off.
    pub relative_objective: f64,
    /// Converged when ‖t η‖ ≤ this · ‖θ‖; 0 switches the test off.
    pub relative_step: f64,
    /// Converged when ‖|c| Zᵀu‖ ≤ this; 0 switches the test off.
    pub gradient: f64,
}

impl Default for Stop {
    fn default() -> Self {
        Self { iterations: 200, relative_objective: 1e-12, relative_step: 0.0, gradient: 0.0 }
    }
}

/// How a descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A convergence test was met; the reason says which.
    Converged(&'static str),
    /// The iteration limit was reached.
    MaxIterations,
    /// No acceptable step was found; the reason says why.
    Stalled(&'static str),
    /// The observer asked to stop.
    StoppedByObserver,
}

impl Status {
    /// `converged`, `max-iterations`, `stalled` or `stopped`.
    pub fn name(self) -> &'static str {
        match self {
            Status::Converged(_) => "converged",
            Status::MaxIterations => "max-iterations",
            Status::Stalled(_) => "stalled",
            Status::StoppedByObserver => "stopped",
        }
    }

    /// The reason, where there is one.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Status::Converged(reason) | Status::Stalled(reason) => Some(reason),
            Status::MaxIterations | Status::StoppedByObserver => None,
        }
    }
}

/// One row of a trace: the iterate and the step that led to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Iteration {
    /// Number of the iterate, 0 for the start.
    pub iteration: usize,
    /// θ, p values.
    pub theta: Vec<f64>,
    /// f(θ).
    pub objective: f64,
    /// ‖|c| Zᵀu‖₂ at θ.
    pub gradient_norm: f64,
    /// Slope of the direction that led here; 0 for the start.
    pub slope: f64,
    /// Step length that led here; 0 for the start.
    pub step: f64,
    /// Rank of the whitened Jacobian behind the direction; p for the start.
    pub rank: usize,
    /// Condition number of the whitened Jacobian behind the direction; 1 for the start.
    pub condition: f64,
    /// Damping of the direction; 0 for the start.
    pub damping: f64,
    /// Trial points rejected on the way.
    pub rejected: usize,
    /// Whether a fixed step was shortened to stay in the domain.
    pub shortened: bool,
    /// Whether a search's step was cut to the longest one that the metric's picture reaches.
    pub capped: bool,
    /// Solves of the state equation and its linearisations so far.
    pub solves: SolveCounts,
    /// What a matrix-free direction that led here cost and how good it was.
    pub estimate: Option<EstimateReport>,
    /// Wall seconds since the start.
    pub seconds: f64,
    /// What the step rule carries on from here, [`StepRule::memory`].
    pub memory: Vec<f64>,
}

/// How far a descent has come: all that is needed to go on with the same bits.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Iterates so far, the start first.
    pub trace: Vec<Iteration>,
    /// Local quadratic models so far.
    pub models: Vec<LocalModel>,
}

/// Watches a descent; may end it.
pub trait Observer {
    /// Called for every iterate, the start included.
    fn observe(&mut self, iteration: &Iteration) -> ControlFlow<()>;
    /// Called for every local model that is kept, before the iterate that its step leads to.
    fn keep(&mut self, _model: &LocalModel) {}
}

impl<F: FnMut(&Iteration) -> ControlFlow<()>> Observer for F {
    fn observe(&mut self, iteration: &Iteration) -> ControlFlow<()> {
        self(iteration)
    }
}

/// An observer that only looks on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&mut self, _: &Iteration) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Objectives that differ by more than this share of the first one are not of the same descent.
///
/// Another machine may round differently, so equality would refuse too much.
const SAME: f64 = 1e-8;

/// Share of a step that counts as none below which a descent ends by itself.
const FAR_BELOW: f64 = 1e-3;
/// Relative mass leak from which it may be what stalls a descent, and the share of the gradient that is then lost.
const LEAK: f64 = 1e-3;
const LOST: f64 = 0.01;
/// Relative leak of a tangent that is mass above all, and the share of the gradient that is above rounding.
const MASS_ABOVE_ALL: f64 = 0.5;
const ROUNDED: f64 = 1e-9;
/// A step that gains at most this share of f, and is as short as its root, may be the last one.
const STANDING: f64 = 1e-14;

/// A finished descent.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How it ended.
    pub status: Status,
    /// All iterates, the start first.
    pub trace: Vec<Iteration>,
    /// State at the last iterate.
    pub state: State,
    /// Local quadratic models of the first iterations.
    pub models: Vec<LocalModel>,
    /// How far from stationary the last iterate is, where that was asked of it: at ends by rounding, by a failed
    /// search or by the iteration limit.
    pub stationarity: Option<Stationarity>,
    /// Largest relative mass leak of the tangents at the last iterate, where it is why the descent stalled: the
    /// model's mass depends on θ and the metric cannot make mass. Remedy: [`Normalised`](wngd_adjoint::Normalised).
    pub mass_leak: Option<f64>,
}

impl Outcome {
    /// Number of steps that were cut to the longest one that the metric's picture reaches.
    pub fn capped(&self) -> usize {
        self.trace.iter().filter(|row| row.capped).count()
    }

    /// Why the descent ended, with the numbers that belong to it.
    pub fn reason(&self) -> Option<String> {
        let reason = self.status.reason()?;
        Some(match self.mass_leak {
            Some(leak) => format!("{reason}; the largest relative mass leak is {leak:.2e}"),
            None => reason.to_string(),
        })
    }

    /// The last iterate.
    pub fn last(&self) -> &Iteration {
        // The trace holds the start at least.
        &self.trace[self.trace.len() - 1]
    }
}

/// Minimises f(θ) = d(ρ(θ), ρ*): θ → ρ, Z → metric → least squares → step → trace. [Priors](ForwardModel::priors) of the
/// model are added to f.
///
/// Everything but model and objective has a default: the L² natural gradient, a line search that finds its length,
/// 200 iterations.
pub struct Descent<'a, M: ForwardModel> {
    model: &'a M,
    objective: &'a dyn Objective,
    direction: Direction<'a, M::Jacobian>,
    /// When to end.
    pub stop: Stop,
    keep_models: usize,
    standard_errors: Option<&'a StandardErrors<'a>>,
}

/// A direction rule of one's own or of somebody else.
enum Direction<'a, J> {
    Owned(Box<dyn DirectionSolver<J> + 'a>),
    Borrowed(&'a dyn DirectionSolver<J>),
}

impl<'a, M: ForwardModel> Descent<'a, M> {
    /// A descent of a model θ → ρ towards the data of an objective.
    pub fn new(model: &'a M, objective: &'a dyn Objective) -> Self {
        let direction = Direction::Owned(Box::new(Natural::new(L2)));
        Self { model, objective, direction, stop: Stop::default(), keep_models: 0, standard_errors: None }
    }

    /// Along the natural gradient of a metric, by rank-revealing QR.
    pub fn metric(self, metric: impl Metric + 'a) -> Self {
        Self { direction: Direction::Owned(Box::new(Natural::new(metric))), ..self }
    }

    /// Along the directions of a rule.
    pub fn direction(self, rule: &'a dyn DirectionSolver<M::Jacobian>) -> Self {
        Self { direction: Direction::Borrowed(rule), ..self }
    }

    /// When to end.
    pub fn stop(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// At most this many iterations.
    pub fn iterations(mut self, iterations: usize) -> Self {
        self.stop.iterations = iterations;
        self
    }

    /// Number of first iterations whose local quadratic models are kept; none by default.
    pub fn keep_models(self, keep_models: usize) -> Self {
        Self { keep_models, ..self }
    }

    /// Standard errors at θ, if the data tell their noise: what is stationary is measured by them.
    pub fn standard_errors(self, standard_errors: &'a StandardErrors<'a>) -> Self {
        Self { standard_errors: Some(standard_errors), ..self }
    }

    fn rule(&self) -> &dyn DirectionSolver<M::Jacobian> {
        match &self.direction {
            Direction::Owned(rule) => rule.as_ref(),
            Direction::Borrowed(rule) => *rule,
        }
    }
}

/// Standard errors of the parameters at θ; `None` where there are none.
pub type StandardErrors<'a> = dyn Fn(&[f64]) -> Option<Vec<f64>> + Sync + 'a;

/// Ends that a step rule or a limit brings about.
enum End {
    /// No step decreases f above rounding.
    Rounding,
    /// No step was found.
    Failed(&'static str),
    /// The iteration limit.
    Limit,
}

/// Where tangents carry mass, and with it a share of the gradient: the largest relative mass leak.
fn blocking_leak(prepared: &dyn PreparedDirection, gradient: &[f64], weight: f64) -> Option<f64> {
    let leak = prepared.mass_leak()?.relative.iter().copied().fold(0.0, f64::max);
    let felt = prepared.gradient()?;
    let lost: Vec<f64> = gradient.iter().zip(felt).map(|(all, felt)| all - weight * felt).collect();
    // Of a tangent that is mass above all, rounding is left and gives the direction.
    let share = if leak > MASS_ABOVE_ALL { ROUNDED } else { LOST };
    (leak > LEAK && norm(&lost) > share * norm(gradient)).then_some(leak)
}

impl<M: ForwardModel> Descent<'_, M> {
    /// Descends from `theta` with a line search that finds its length, unwatched.
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with).
    pub fn run(&self, theta: &[f64]) -> Result<Outcome, DescentError> {
        self.run_with(theta, &mut Armijo::expanding(1e-4), &mut Silent)
    }

    /// Descends from `theta`.
    ///
    /// # Errors
    /// Whatever cannot be computed at the start or at an accepted point. Lack of
    /// convergence is no error: see [`Outcome::status`].
    pub fn run_with(
        &self,
        theta: &[f64],
        rule: &mut dyn StepRule,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, DescentError> {
        let start = Iteration { memory: rule.memory(), ..Iteration::start(theta) };
        self.go_on(Progress::default(), start, rule, observer)
    }

    /// Goes on where a descent was left and ends with the same bits as if it had not been.
    ///
    /// `rule` is to be fresh; what it remembers comes from the last iterate, which
    /// the observer is not told of again. Nothing is kept of how a descent ended: a
    /// finished one finds it out again from its last iterate.
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with), and [`DescentError::Resume`] if the last iterate is none of this descent.
    pub fn resume(
        &self,
        progress: Progress,
        rule: &mut dyn StepRule,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, DescentError> {
        let refuse = |reason: String| Err(DescentError::Resume(reason));
        let Some(last) = progress.trace.last().cloned() else {
            return refuse("it has no iterates".into());
        };
        let p = self.model.dim_param();
        if progress.trace.iter().any(|row| row.theta.len() != p) {
            return refuse(format!("its iterates do not have {p} parameters"));
        }
        if !rule.recall(&last.memory) {
            return refuse(format!("it was not made with the step rule {}", rule.name()));
        }
        self.go_on(progress, last, rule, observer)
    }

    /// Descends from `row`, which is the last one of `progress` unless that is empty.
    fn go_on(
        &self,
        progress: Progress,
        row: Iteration,
        rule: &mut dyn StepRule,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, DescentError> {
        let outcome = self.descend(progress, row, rule, observer);
        // What ended the descent is what made products fail, not what those led to.
        self.intact().and(outcome)
    }

    /// Products of the Jacobian cannot tell that they failed.
    fn intact(&self) -> Result<(), DescentError> {
        self.model.failure().map_or(Ok(()), |error| Err(error.into()))
    }

    fn descend(
        &self,
        progress: Progress,
        mut row: Iteration,
        rule: &mut dyn StepRule,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, DescentError> {
        self.check()?;
        let clock = Instant::now();
        let (solves, seconds) = (row.solves, row.seconds);
        let mut before = self.model.solve_counts();
        let weight = self.objective.cell_volume();
        let (bounds, priors, curves) = (self.model.bounds(), self.model.priors(), self.model.transforms());
        let Progress { mut trace, mut models } = progress;
        let mut resumed = !trace.is_empty();
        loop {
            let linearization = self.model.linearize(&row.theta)?;
            let (misfit, u) = self.objective.derivative(&linearization.state)?;
            let mut gradient: Vec<f64> =
                apply_transpose_vec(&linearization.jacobian, &u).into_iter().map(|g| weight * g).collect();
            let before_data = PriorTerms::of(&priors, &row.theta);
            let objective = misfit + before_data.value();
            before_data.add_gradient(&mut gradient);
            self.intact()?;
            let mut stopped = false;
            if std::mem::take(&mut resumed) {
                same_descent(&trace, objective)?;
                // These solves are in the trace already.
                before = self.model.solve_counts();
            } else {
                row.objective = objective;
                row.gradient_norm = norm(&gradient);
                row.solves = solves.plus(self.model.solve_counts().since(before));
                row.seconds = seconds + clock.elapsed().as_secs_f64();
                stopped = observer.observe(&row).is_break();
                trace.push(row.clone());
            }
            let status = if stopped { Some(Status::StoppedByObserver) } else { self.finished(&trace)? };
            if let Some(status) = status {
                let status = self.met(status, &linearization.state);
                return Ok(Outcome {
                    status,
                    trace,
                    state: linearization.state,
                    models,
                    stationarity: None,
                    mass_leak: None,
                });
            }
            if self.stands(&trace)
                && let Some(found) = self.stationarity(&trace).filter(|s| s.step <= FAR_BELOW)
            {
                let status = self.met(Status::Converged("stationary"), &linearization.state);
                let state = linearization.state;
                return Ok(Outcome { status, trace, state, models, stationarity: Some(found), mass_leak: None });
            }
            if row.iteration >= self.stop.iterations {
                return Ok(self.end(End::Limit, None, trace, linearization.state, models));
            }

            let rounding = self.model.column_rounding(&row.theta);
            let point =
                Point { theta: &row.theta, state: &linearization.state, iteration: row.iteration, rounding: &rounding };
            let mut prepared = self.rule().prepare(&point, linearization.jacobian, &u, weight)?;
            prepared.take_up(&before_data, weight)?;
            let met: Vec<&Bound> = bounds.iter().filter(|b| b.is_met(&row.theta)).collect();
            // Without the matrix of a metric there is no holding: then steps only get shorter near a bound.
            let (prepared, kept): (Box<dyn PreparedDirection + '_>, &[Bound]) = if met.is_empty() {
                (prepared, &bounds)
            } else if let Some(information) = prepared.information() {
                (Box::new(Held { inner: prepared, bounds: met, information, weight }), &bounds)
            } else {
                (prepared, &[])
            };
            let outcome = rule.step(&mut Trial {
                theta: &row.theta,
                objective,
                gradient: &gradient,
                prepared: prepared.as_ref(),
                damping: self.rule().damping(),
                bounds: kept,
                curves: &curves,
                longest: self.rule().longest_step(&linearization.state.values, self.objective.data(), weight),
                value: &mut |theta| self.trial_value(theta, &priors),
            })?;
            let end = match outcome {
                StepOutcome::Taken(step) => {
                    if models.len() < self.keep_models
                        && let Some(information) = prepared.information()
                    {
                        let model = LocalModel::new(&row.theta, objective, &gradient, information, &step);
                        observer.keep(&model);
                        models.push(model);
                    }
                    row = Iteration { memory: rule.memory(), ..row.after(step) };
                    continue;
                }
                StepOutcome::AtRounding => End::Rounding,
                StepOutcome::Failed(reason) => End::Failed(reason),
            };
            let leak = blocking_leak(prepared.as_ref(), &gradient, weight);
            return Ok(self.end(end, leak, trace, linearization.state, models));
        }
    }

    /// An end that no test of [`Stop`] brought about is judged anew: by the gradient and the curvature of f at the last
    /// iterate, not by the direction that led nowhere.
    fn end(
        &self,
        end: End,
        leak: Option<f64>,
        trace: Vec<Iteration>,
        state: State,
        models: Vec<LocalModel>,
    ) -> Outcome {
        let stationarity = self.stationarity(&trace);
        let stationary = stationarity.as_ref().is_some_and(|s| s.stationary);
        let status = match end {
            End::Rounding if stationary => Status::Converged("no decrease above rounding is left"),
            End::Failed(_) | End::Limit if stationary => Status::Converged("stationary"),
            End::Rounding | End::Failed(_) if leak.is_some() => Status::Stalled(
                "the model's mass depends on its parameters and this metric moves mass without making any, so that it cannot follow the gradient: divide the state by its mass (`Normalised`) or take a metric that makes mass",
            ),
            End::Rounding => Status::Stalled(
                "steps of this method are lost in rounding though a decrease is left: its direction or its length is wrong here; take another solver, damping or the matched metric",
            ),
            End::Failed(reason) => Status::Stalled(reason),
            End::Limit => Status::MaxIterations,
        };
        let status = self.met(status, &state);
        let mass_leak = leak.filter(|_| !stationary);
        Outcome { status, trace, state, models, stationarity, mass_leak }
    }

    /// Nothing is converged where model and data have nothing in common.
    fn met(&self, status: Status, state: &State) -> Status {
        match status {
            Status::Converged(_) if are_apart(&state.values, self.objective.data()) => Status::Stalled(
                "model and data do not overlap, so that every gradient vanishes: start nearer to the data or with wider components",
            ),
            other => other,
        }
    }

    fn stationarity(&self, trace: &[Iteration]) -> Option<Stationarity> {
        let (first, last) = (&trace[0], &trace[trace.len() - 1]);
        let errors = self.standard_errors.and_then(|errors| errors(&last.theta));
        // What cannot be computed there is not known to be stationary.
        Stationarity::at(self.model, self.objective, &last.theta, first.objective, errors.as_deref()).ok()
    }

    /// Whether the last step changed next to nothing, so that it is worth asking whether there is anything to change.
    fn stands(&self, trace: &[Iteration]) -> bool {
        let n = trace.len();
        n > 1 && {
            let gained = trace[n - 2].objective - trace[n - 1].objective;
            gained.abs() <= STANDING * trace[n - 1].objective.abs() && relative_step(trace) <= STANDING.sqrt()
        }
    }

    fn check(&self) -> Result<(), DescentError> {
        let (state, objective) = (self.model.dim_state(), self.objective.data().len());
        if state == objective { Ok(()) } else { Err(DescentError::Mismatch { state, objective }) }
    }

    fn finished(&self, trace: &[Iteration]) -> Result<Option<Status>, DescentError> {
        let (first, last) = (&trace[0], &trace[trace.len() - 1]);
        // NaN never counts as progress or convergence.
        if !last.objective.is_finite() {
            return if trace.len() == 1 {
                Err(DescentError::NotFinite { value: last.objective })
            } else {
                Ok(Some(Status::Stalled("the objective is not finite")))
            };
        }
        let stop = &self.stop;
        // An objective may be negative; then its size says nothing.
        let vanishes = last.objective >= 0.0 && last.objective <= stop.relative_objective * first.objective;
        Ok(if last.objective == 0.0 || vanishes {
            Some(Status::Converged("relative objective"))
        } else if last.gradient_norm == 0.0 && last.objective > first.objective {
            Some(Status::Stalled("the gradient vanishes at a higher objective: the model no longer meets the data"))
        } else if last.gradient_norm <= stop.gradient {
            Some(Status::Converged("gradient"))
        } else if stop.relative_step > 0.0 && trace.len() > 1 && relative_step(trace) <= stop.relative_step {
            Some(Status::Converged("relative step"))
        } else {
            None
        })
    }

    /// f at trial parameters; `None` where a shorter step could help.
    fn trial_value(&self, theta: &[f64], priors: &[Prior]) -> Result<Option<f64>, DescentError> {
        let before_data = PriorTerms::of(priors, theta).value();
        let state = match self.model.state(theta) {
            Ok(state) => state,
            Err(error) if error.is_recoverable() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match self.objective.value(&state) {
            Ok(value) => Ok(Some(value + before_data).filter(|value| value.is_finite())),
            Err(ObjectiveError::Underflow { .. } | ObjectiveError::State(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Refuses a trace whose last objective is not the one found there.
fn same_descent(trace: &[Iteration], objective: f64) -> Result<(), DescentError> {
    let (first, last) = (trace[0].objective, trace[trace.len() - 1].objective);
    let equal = last.to_bits() == objective.to_bits() || (last - objective).abs() <= SAME * first.abs();
    if equal {
        return Ok(());
    }
    Err(DescentError::Resume(format!(
        "its last objective is {last:e}, here it is {objective:e}; model, data and objective have to be the same"
    )))
}

fn relative_step(trace: &[Iteration]) -> f64 {
    let (old, new) = (&trace[trace.len() - 2].theta, &trace[trace.len() - 1].theta);
    let moved: Vec<f64> = new.iter().zip(old).map(|(a, b)| a - b).collect();
    norm(&moved) / norm(new)
}

impl Iteration {
    fn start(theta: &[f64]) -> Self {
        Self {
            iteration: 0,
            theta: theta.to_vec(),
            objective: f64::NAN,
            gradient_norm: f64::NAN,
            slope: 0.0,
            step: 0.0,
            rank: theta.len(),
            condition: 1.0,
            damping: 0.0,
            rejected: 0,
            shortened: false,
            capped: false,
            solves: SolveCounts::default(),
            estimate: None,
            seconds: 0.0,
            memory: Vec::new(),
        }
    }

    fn after(self, step: crate::step::Step) -> Self {
        Self {
            iteration: self.iteration + 1,
            theta: step.theta,
            slope: step.slope,
            step: step.length,
            rank: step.direction.rank,
            condition: step.direction.condition,
            damping: step.damping,
            rejected: step.rejected,
            shortened: step.shortened,
            capped: step.capped,
            estimate: step.direction.estimate,
            ..self
        }
    }
}
