use std::ops::ControlFlow;
use std::time::Instant;

use wngd_adjoint::{ForwardModel, SolveCounts, State};
use wngd_linalg::dense::norm;
use wngd_linalg::operator::apply_transpose_vec;

use crate::direction::DirectionSolver;
use crate::error::{DescentError, ObjectiveError};
use crate::matrix_free::EstimateReport;
use crate::metric::Point;
use crate::objective::Objective;
use crate::quadratic::LocalModel;
use crate::step::{StepOutcome, StepRule, Trial};

/// When a descent ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// Iteration limit.
    pub iterations: usize,
    /// Converged when f ≤ this · f₀; 0 switches the test off.
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
}

impl Outcome {
    /// The last iterate.
    pub fn last(&self) -> &Iteration {
        // The trace holds the start at least.
        &self.trace[self.trace.len() - 1]
    }
}

/// Minimises f(θ) = d(ρ(θ), ρ*): θ → ρ, Z → metric → least squares → step → trace.
pub struct Descent<'a, M: ForwardModel> {
    /// The model θ → ρ.
    pub model: &'a M,
    /// The distance to the data.
    pub objective: &'a dyn Objective,
    /// The direction rule.
    pub direction: &'a dyn DirectionSolver<M::Jacobian>,
    /// When to end.
    pub stop: Stop,
    /// Number of first iterations whose local quadratic models are kept.
    pub keep_models: usize,
}

impl<M: ForwardModel> Descent<'_, M> {
    /// Descends from `theta`.
    ///
    /// # Errors
    /// Whatever cannot be computed at the start or at an accepted point. Lack of
    /// convergence is no error: see [`Outcome::status`].
    pub fn run(
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
    /// As [`run`](Self::run), and [`DescentError::Resume`] if the last iterate is none of this descent.
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
        mut row: Iteration,
        rule: &mut dyn StepRule,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, DescentError> {
        self.check()?;
        let clock = Instant::now();
        let (solves, seconds) = (row.solves, row.seconds);
        let mut before = self.model.solve_counts();
        let weight = self.objective.cell_volume();
        let Progress { mut trace, mut models } = progress;
        let mut resumed = !trace.is_empty();
        loop {
            let linearization = self.model.linearize(&row.theta)?;
            let (objective, u) = self.objective.derivative(&linearization.state)?;
            let gradient: Vec<f64> =
                apply_transpose_vec(&linearization.jacobian, &u).into_iter().map(|g| weight * g).collect();
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
                return Ok(Outcome { status, trace, state: linearization.state, models });
            }

            let point = Point { theta: &row.theta, state: &linearization.state, iteration: row.iteration };
            let prepared = self.direction.prepare(&point, linearization.jacobian, &u, weight)?;
            let outcome = rule.step(&mut Trial {
                theta: &row.theta,
                objective,
                gradient: &gradient,
                prepared: prepared.as_ref(),
                damping: self.direction.damping(),
                value: &mut |theta| self.trial_value(theta),
            })?;
            let status = match outcome {
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
                StepOutcome::AtRounding => Status::Converged("no decrease above rounding is left"),
                StepOutcome::Failed(reason) => Status::Stalled(reason),
            };
            return Ok(Outcome { status, trace, state: linearization.state, models });
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
        Ok(if last.objective == 0.0 || last.objective <= stop.relative_objective * first.objective {
            Some(Status::Converged("relative objective"))
        } else if last.gradient_norm == 0.0 && last.objective > first.objective {
            Some(Status::Stalled("the gradient vanishes at a higher objective: the model no longer meets the data"))
        } else if last.gradient_norm <= stop.gradient {
            Some(Status::Converged("gradient"))
        } else if stop.relative_step > 0.0 && trace.len() > 1 && relative_step(trace) <= stop.relative_step {
            Some(Status::Converged("relative step"))
        } else if last.iteration >= stop.iterations {
            Some(Status::MaxIterations)
        } else {
            None
        })
    }

    /// f at trial parameters; `None` where a shorter step could help.
    fn trial_value(&self, theta: &[f64]) -> Result<Option<f64>, DescentError> {
        let state = match self.model.state(theta) {
            Ok(state) => state,
            Err(error) if error.is_recoverable() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match self.objective.value(&state) {
            Ok(value) => Ok(value.is_finite().then_some(value)),
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
            estimate: step.direction.estimate,
            ..self
        }
    }
}
