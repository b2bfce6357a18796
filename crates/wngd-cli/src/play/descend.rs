//! Descents that tell of every iterate.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use wngd::opt::{Iteration, LocalModel, Observer};
use wngd::prelude::*;

use super::session::{Session, label};
use crate::config::schema::{MethodSection, StepKind, StepSection};
use crate::output::files::finite;

/// Most iterations of one descent.
const MAX_ITERATIONS: usize = 2000;
/// Factors by which step lengths may be changed.
const FACTORS: std::ops::RangeInclusive<f64> = 1e-4..=1e4;
/// Most damping.
const MAX_DAMPING: f64 = 1e6;

/// What a [`Request`] may ask for.
#[derive(Debug, Serialize)]
pub struct Limits {
    /// Most iterations.
    iterations: usize,
    /// Least and largest factor of the step lengths.
    factor: [f64; 2],
    /// Most damping.
    damping: f64,
}

impl Limits {
    /// Those of every session.
    pub const ALL: Self =
        Self { iterations: MAX_ITERATIONS, factor: [*FACTORS.start(), *FACTORS.end()], damping: MAX_DAMPING };
}

/// What the page asks for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The two parameters of the map.
    start: [f64; 2],
    /// Labels of methods.
    methods: Vec<String>,
    /// Step rule for all; each method's own if absent.
    rule: Option<StepKind>,
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
        /// `converged`, `max-iterations` or `stalled`.
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
    pub methods: Vec<MethodSection>,
}

impl Order {
    /// Checks a request; the error is for the page.
    pub fn new(session: &Session, request: Request) -> Result<Self, String> {
        let Request { start, methods, rule, factor, damping, iterations } = request;
        if !FACTORS.contains(&factor) {
            return Err(format!("factor: {factor}; between {} and {} is possible", FACTORS.start(), FACTORS.end()));
        }
        if !damping.is_none_or(|d| (0.0..=MAX_DAMPING).contains(&d)) {
            return Err(format!("damping: between 0 and {MAX_DAMPING} is possible"));
        }
        if iterations == 0 || iterations > MAX_ITERATIONS {
            return Err(format!("iterations: {iterations}; between 1 and {MAX_ITERATIONS} are possible"));
        }
        let mut chosen: Vec<MethodSection> = Vec::new();
        for name in &methods {
            let section = session.methods.iter().find(|s| label(s) == name);
            let section = section.ok_or_else(|| format!("methods: there is no {name:?}"))?;
            if chosen.iter().any(|s| label(s) == name) {
                return Err(format!("methods: {name:?} is named twice"));
            }
            chosen.push(MethodSection {
                step: changed(&section.step, rule, factor),
                damping: damping.or(section.damping),
                iterations: Some(iterations),
                ..section.clone()
            });
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

    /// Descends with one method; `tell` says whether anybody still listens.
    pub fn carry_out(&self, session: &Session, section: &MethodSection, tell: &dyn Fn(Event) -> bool) {
        let experiment = &session.experiment;
        let method = experiment.method(section);
        let mut teller = Teller { label: &method.label, varied: session.varied, tell, listening: true };
        let outcome =
            experiment.descent(&method, MAX_ITERATIONS).run_with(&self.theta, method.step_rule().as_mut(), &mut teller);
        let label = method.label.clone();
        match outcome {
            // Nobody listens.
            Ok(outcome) if outcome.status == Status::StoppedByObserver => false,
            Ok(outcome) => {
                tell(Event::End { method: label, status: outcome.status.name(), reason: outcome.status.reason() })
            }
            Err(error) => tell(Event::Failed { method: label, error: error.to_string() }),
        };
    }
}

fn changed(own: &StepSection, rule: Option<StepKind>, factor: f64) -> StepSection {
    let step = match rule {
        Some(rule) if rule != own.rule => {
            let length = (rule != StepKind::Armijo).then_some(1.0);
            StepSection { rule, length, ..StepSection::default() }
        }
        _ => own.clone(),
    };
    let usual = (step.rule == StepKind::LevenbergMarquardt).then_some(1.0);
    StepSection { length: step.length.or(usual).map(|l| factor * l), initial: step.initial.map(|i| factor * i), ..step }
}

struct Teller<'a> {
    label: &'a str,
    varied: [usize; 2],
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
        if self.listening { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn keep(&mut self, model: &LocalModel) {
        let [i, j] = self.varied;
        let matrix = [(i, i), (i, j), (j, i), (j, j)].map(|at| model.information[at] / model.tau);
        let gradient = self.varied.map(|i| model.gradient[i]);
        let event = Event::Model { method: self.label.into(), value: model.value, gradient, matrix };
        self.listening = self.listening && (self.tell)(event);
    }
}
