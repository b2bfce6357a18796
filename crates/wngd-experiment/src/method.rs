//! `[[method]]`: one descent, its metric, solver and steps.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::opt::{DirectionSolver, Metric, Standard, StepRule};

use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::limits;
use crate::metrics;
use crate::models::{Jacobian, Model};
use crate::registry::keys_of;
use crate::solvers::{self, SolverChoice};
use crate::source::Section;
use crate::steps::{self, Step};

/// Keys that every method has; those of its metric and solver stand beside them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodSection {
    /// name of a metric: `wngd list`
    pub metric: String,
    /// name in tables and files; the metric if absent
    pub label: Option<String>,
    /// name of a solver; `"qr"` if absent; [without a stored Jacobian](probes.md) `"auto"` and others
    #[allow(dead_code, reason = "read by the family of solvers")]
    pub solver: Option<String>,
    /// `{ rule, … }`; a line search whose length is found by doubling if absent
    #[allow(dead_code, reason = "read by the family of step rules")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    pub step: Option<toml::Table>,
    /// λ ≥ 0 in G + λ diag G, 0 if absent; in G + λ·λ_max(G) for the solvers without a stored Jacobian, 1e-4 if absent
    pub damping: Option<f64>,
    /// limit of this method, instead of `stop.iterations`
    pub iterations: Option<usize>,
}

/// A method that was read and checked, on no ground yet.
pub struct Method {
    /// Name in tables and files.
    pub label: String,
    /// Whether the label was given.
    labelled: bool,
    /// Name of the metric.
    pub metric: &'static str,
    metric_choice: Box<dyn metrics::MetricChoice>,
    solver: Box<dyn SolverChoice>,
    /// Step rule.
    pub step: Step,
    /// Damping, if it was given.
    pub damping: Option<f64>,
    /// Iteration limit, if it has one of its own.
    pub iterations: Option<usize>,
    /// Where it stands, for errors about its metric.
    place: Place,
}

/// The place of a method in its file.
#[derive(Debug, Clone)]
struct Place {
    source: crate::source::Source,
    path: String,
    table: toml::Table,
}

impl Place {
    fn section(&self) -> Section<'_> {
        Section::new(&self.source, self.path.clone(), self.table.clone())
    }
}

impl Method {
    /// Reads a method.
    ///
    /// # Errors
    /// Names and options that are not known, belong to others, or make no sense.
    pub fn read(section: &Section<'_>) -> Result<Self, ExperimentError> {
        let own = keys_of::<MethodSection>();
        let own: Vec<&str> = own.iter().map(|k| k.name.as_str()).collect();
        let metric = metrics::FAMILY.chosen(section, "metric", None)?;
        let solver = solvers::FAMILY.chosen(section, "solver", Some(solvers::USUAL))?;
        if let Some(stray) = section.keys().find(|k| !own.contains(k) && !metric.has(k) && !solver.has(k)) {
            return Err(foreign(section, stray, &own));
        }
        let MethodSection { label, damping, iterations, .. } = section.filtered(|k| own.contains(&k)).read()?;
        if let Some(label) = &label
            && (label.is_empty() || !label.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
        {
            let problem = "use letters, digits, '-', '_' and '.': it becomes part of file names";
            return Err(section.error("label", problem));
        }
        if let Some(problem) = damping.and_then(limits::damping) {
            return Err(section.error("damping", problem));
        }
        Ok(Self {
            labelled: label.is_some(),
            label: label.unwrap_or_else(|| metric.name.to_string()),
            metric: metric.name,
            metric_choice: (metric.read)(&section.filtered(|k| !own.contains(&k) && metric.has(k)))?,
            solver: (solver.read)(&section.filtered(|k| !own.contains(&k) && solver.has(k)))?,
            step: Step::read(section)?,
            damping,
            iterations,
            place: Place {
                source: section.source().clone(),
                path: section.place(""),
                table: section.as_table().clone(),
            },
        })
    }

    /// A method that says nothing but its metric.
    ///
    /// # Errors
    /// A metric that is not known.
    pub fn of(metric: &str) -> Result<Self, ExperimentError> {
        Self::by(metric, solvers::USUAL)
    }

    fn by(metric: &str, solver: &str) -> Result<Self, ExperimentError> {
        let source = crate::source::Source::empty();
        let mut table = toml::Table::new();
        table.insert("metric".into(), metric.into());
        table.insert("solver".into(), solver.into());
        Self::read(&Section::new(&source, "method", table))
    }

    /// Its metric on a ground; `None` for the standard gradient.
    ///
    /// # Errors
    /// A metric that the data or the model have no use for.
    pub fn build_metric(
        &self,
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<Option<Box<dyn Metric + Send>>, ExperimentError> {
        self.metric_choice.build(&self.place.section(), ground, model)
    }

    /// Its direction rule on a ground.
    ///
    /// # Errors
    /// As [`build_metric`](Self::build_metric).
    pub fn build_direction(
        &self,
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<Box<dyn DirectionSolver<Jacobian> + Send>, ExperimentError> {
        Ok(match self.build_metric(ground, model)? {
            Some(metric) => self.solver.build(metric, self.damping),
            None => Box::new(Standard),
        })
    }

    /// A fresh step rule.
    pub fn step_rule(&self) -> Box<dyn StepRule> {
        self.step.choice.build()
    }

    /// Seed of what its solver draws, if it draws anything.
    pub fn seed(&self) -> Option<u64> {
        self.solver.estimator().map(|(_, seed)| seed)
    }

    /// Whether its solver stores the Jacobian.
    pub fn stores(&self) -> bool {
        self.solver.estimator().is_none()
    }

    /// The same method with other steps, damping and iterations.
    ///
    /// # Errors
    /// None that its reading did not give.
    pub fn with(&self, step: Step, damping: Option<f64>, iterations: usize) -> Result<Self, ExperimentError> {
        let same = Self::read(&self.place.section())?;
        Ok(Self { label: self.label.clone(), step, damping, iterations: Some(iterations), ..same })
    }
}

/// A key that belongs to another metric or solver, or to nothing.
fn foreign(section: &Section<'_>, key: &str, own: &[&str]) -> ExperimentError {
    for (what, owners) in [("metric", metrics::FAMILY.owners(key)), ("solver", solvers::FAMILY.owners(key))] {
        if let [one] = owners[..] {
            return section.error(key, format!("only {what} = \"{one}\" has it; remove it"));
        }
        if !owners.is_empty() {
            let problem = format!("only solvers without a stored Jacobian have it: {}; remove it", owners.join(", "));
            return section.error(key, problem);
        }
    }
    if steps::FAMILY.entries.iter().any(|e| e.has(key)) {
        return section.error(key, format!("it is a part of the step: step = {{ rule = …, {key} = … }}"));
    }
    section.unknown(key, own)
}

/// The methods of an experiment, each with a label of its own; the one of the usual metric if there are none.
///
/// # Errors
/// Methods that make no sense, labels that are used twice.
pub fn read_all(
    sections: &[Section<'_>],
    usual_metric: &str,
    usual_solver: &str,
) -> Result<Vec<Method>, ExperimentError> {
    if sections.is_empty() {
        return Ok(vec![Method::by(usual_metric, usual_solver)?]);
    }
    let mut methods: Vec<Method> = Vec::new();
    for section in sections {
        let mut method = Method::read(&section.or("solver", usual_solver))?;
        let taken = |label: &str| methods.iter().any(|m| m.label == label);
        if method.labelled && taken(&method.label) {
            return Err(section.error("label", format!("\"{}\" is used twice; labels name files", method.label)));
        }
        let base = method.label.clone();
        let mut numbers = 2..;
        while methods.iter().any(|m| m.label == method.label) {
            method.label = format!("{base}-{}", numbers.next().unwrap_or_default());
        }
        methods.push(method);
    }
    Ok(methods)
}
