//! Descents that tell of every iterate.

use std::ops::ControlFlow;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use wngd::opt::{Iteration, LocalModel, Observer};
use wngd::prelude::*;
use wngd_experiment::Method;
use wngd_experiment::numbers::finite;
use wngd_experiment::steps::{self, Step};

use super::limits::{FACTORS, MAX_DAMPING, MAX_ITERATIONS};
use super::scenes::Scene;
use super::session::Session;

/// Why a descent ends before its time.
const LATE: &str = "a descent on this page has half a minute; `wngd run` takes as long as it needs";

/// What the page asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What it is about.
    #[serde(default)]
    pub scene: Scene,
    /// The two parameters of the map.
    start: [f64; 2],
    /// Labels of methods.
    methods: Vec<String>,
    /// Step rule for all; each method's own if absent.
    rule: Option<String>,
    /// Factor of the step lengths, where a rule has one.
    factor: f64,
    /// Damping for all; each method's own if absent.
    damping: Option<f64>,
    /// Iteration limit.
    iterations: usize,
}

/// One line of the answer.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// An iterate.
    Iterate {
        /// Label of the method.
        method: String,
        /// Its number.
        iteration: usize,
        /// All free parameters.
        theta: Vec<f64>,
        /// f; absent where it is not finite.
        objective: Option<f64>,
        /// Step length that led here.
        step: f64,
        /// Damping of the direction that led here.
        damping: f64,
    },
    /// The local quadratic model at the last iterate, over the two parameters of the map.
    Model {
        /// Label of the method.
        method: String,
        /// f there.
        value: f64,
        /// Gradient of f.
        gradient: [f64; 2],
        /// Second derivatives G/τ of the model, row by row.
        matrix: [f64; 4],
    },
    /// A descent ended.
    End {
        /// Label of the method.
        method: String,
        /// `converged`, `max-iterations`, `stalled` or, where its time was up, `stopped`.
        status: &'static str,
        /// Why, where there is a reason.
        reason: Option<&'static str>,
    },
    /// A descent could not be carried out.
    Failed {
        /// Label of the method.
        method: String,
        /// Why.
        error: String,
    },
}

/// A request that was checked.
pub struct Order {
    theta: Vec<f64>,
    /// The methods, with the step and damping asked for.
    pub methods: Vec<Method>,
}

impl Order {
    /// Checks a request; the error is for the page.
    pub fn new(session: &Session, request: Request) -> Result<Self, String> {
        let Request { start, methods, scene: _, rule, factor, damping, iterations } = request;
        if !FACTORS.contains(&factor) {
            return Err(format!("factor: {factor}; between {} and {} is possible", FACTORS.start(), FACTORS.end()));
        }
        if !damping.is_none_or(|d| (0.0..=MAX_DAMPING).contains(&d)) {
            return Err(format!("damping: between 0 and {MAX_DAMPING} is possible"));
        }
        if iterations == 0 || iterations > MAX_ITERATIONS {
            return Err(format!("iterations: {iterations}; between 1 and {MAX_ITERATIONS} are possible"));
        }
        if let Some(rule) = rule.as_deref().filter(|rule| steps::FAMILY.find(rule).is_none()) {
            return Err(format!("rule: there is no {rule:?}"));
        }
        let mut chosen: Vec<Method> = Vec::new();
        for name in &methods {
            let method = session.methods.iter().find(|m| m.label == *name);
            let method = method.ok_or_else(|| format!("methods: there is no {name:?}"))?;
            if chosen.iter().any(|m| m.label == *name) {
                return Err(format!("methods: {name:?} is named twice"));
            }
            let step = match &rule {
                Some(rule) if rule != method.step.rule => {
                    Step::named(rule, 1.0).map_err(|e| e.to_string())?.scaled(factor)
                }
                _ => method.step.scaled(factor),
            };
            let damping = damping.or(method.damping);
            chosen.push(method.with(step, damping, iterations).map_err(|e| e.to_string())?);
        }
        if chosen.is_empty() {
            return Err("methods: none is named".into());
        }
        let theta = session.start(start);
        let experiment = &session.experiment;
        let state = experiment.model.state(&theta).map_err(|e| format!("start: {e}"))?;
        experiment.objective.value(&state).map_err(|e| format!("start: {e}"))?;
        Ok(Self { theta, methods: chosen })
    }

    /// Descends with one method until a time; `tell` says whether anybody still listens.
    pub fn carry_out(&self, session: &Session, method: &Method, until: Instant, tell: &dyn Fn(Event) -> bool) {
        let experiment = &session.experiment;
        let label = method.label.clone();
        let mut teller = Teller { label: &method.label, varied: session.varied, until, tell, listening: true };
        let outcome = method
            .build_direction(&experiment.ground, experiment.model.as_ref())
            .map_err(|error| error.to_string())
            .and_then(|direction| {
                let descent = experiment.descent_by(method, direction.as_ref(), MAX_ITERATIONS);
                descent
                    .run_with(&self.theta, method.step_rule().as_mut(), &mut teller)
                    .map_err(|error| error.to_string())
            });
        match outcome {
            Ok(outcome) if outcome.status == Status::StoppedByObserver && teller.listening => {
                tell(Event::End { method: label, status: "stopped", reason: Some(LATE) })
            }
            // Nobody listens.
            Ok(outcome) if outcome.status == Status::StoppedByObserver => false,
            Ok(outcome) => {
                tell(Event::End { method: label, status: outcome.status.name(), reason: outcome.status.reason() })
            }
            Err(error) => tell(Event::Failed { method: label, error }),
        };
    }
}

struct Teller<'a> {
    label: &'a str,
    varied: [usize; 2],
    until: Instant,
    tell: &'a dyn Fn(Event) -> bool,
    listening: bool,
}

impl Observer for Teller<'_> {
    fn observe(&mut self, row: &Iteration) -> ControlFlow<()> {
        let event = Event::Iterate {
            method: self.label.into(),
            iteration: row.iteration,
            theta: row.theta.clone(),
            objective: finite(row.objective),
            step: row.step,
            damping: row.damping,
        };
        self.listening = self.listening && (self.tell)(event);
        if self.listening && Instant::now() < self.until { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn keep(&mut self, model: &LocalModel) {
        let [i, j] = self.varied;
        let matrix = [(i, i), (i, j), (j, i), (j, j)].map(|at| model.information[at] / model.tau);
        let gradient = self.varied.map(|i| model.gradient[i]);
        let event = Event::Model { method: self.label.into(), value: model.value, gradient, matrix };
        self.listening = self.listening && (self.tell)(event);
    }
}
