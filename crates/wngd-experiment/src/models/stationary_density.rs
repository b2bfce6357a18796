//! Stationary densities of flows.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::{Linearization, SolveCounts, State};
use wngd::models::flow::{Discretisation, HatPerturbation, StationaryDensity};
use wngd::prelude::{ForwardModel, ModelError};

use super::flow::{NamedFlow, Naming, Values};
use super::{Jacobian, Model, ModelChoice, Parameter, Seen};
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::memory;
use crate::registry::{Entry, entry};
use crate::schemes;
use crate::source::Section;

/// Options of a stationary density.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// name of the system: `wngd systems`; `"polynomial"`; a file of your own, `"FILE.toml"`, or the same as a table
    /// ([how](identification.md#a-system-of-your-own))
    #[schemars(with = "SystemSchema")]
    system: SystemChoice,
    /// all parameters of the system, or the free ones: the start, also by name, `{ mu = 1.3 }`; for a polynomial its
    /// coefficients, component by component, monomials in graded lexicographic order; the usual ones if absent
    theta: Option<Values>,
    /// dimension of a polynomial
    dimension: Option<usize>,
    /// degree of a polynomial
    degree: Option<usize>,
    /// `{ kind = "upwind", diffusion = 10, restart = 0.002 }`, `{ kind = "scharfetter-gummel", … the same }`,
    /// `{ kind = "semi-lagrangian", time = 0.2, step = 0.01, points = 2, restart = 1e-6 }`, the last if absent; for a
    /// trajectory `time` and `step` by its [time scale](identification.md)
    #[allow(dead_code, reason = "read by the family of schemes")]
    #[schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")]
    discretisation: Option<toml::Table>,
    /// `{ nodes, scale }`: d·nodes^d free hat functions of velocity `scale` are added, `theta` stays fixed
    perturbation: Option<Perturbation>,
    /// names of the free parameters; all if absent
    free: Option<Vec<String>>,
}

/// A system's name, or its equations.
#[derive(Deserialize)]
#[serde(untagged, expecting = "the name of a system, or a table of its equations, is needed")]
enum SystemChoice {
    Name(String),
    Written(#[allow(dead_code, reason = "read where the system is made")] toml::Table),
}

/// The same for the schema.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "its schema is what is used")]
enum SystemSchema {
    Name(String),
    Written(std::collections::BTreeMap<String, serde_json::Value>),
}

impl SystemChoice {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Written(_) => None,
        }
    }
}

/// `perturbation = { nodes = .., scale = .. }`
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Perturbation {
    /// hats per axis: d nodes^d free parameters
    nodes: usize,
    /// velocity of a hat with parameter 1
    #[serde(default = "one")]
    scale: f64,
}

fn one() -> f64 {
    1.0
}

pub(super) const ENTRY: Entry<dyn ModelChoice> =
    entry!(Options as dyn ModelChoice, "stationary-density", "density that a flow leaves unchanged, on a grid");

impl Options {
    fn named(&self, section: &Section<'_>) -> Result<NamedFlow, ExperimentError> {
        let naming = Naming {
            system: self.system.name(),
            polynomial: self.dimension.zip(self.degree),
            theta: self.theta.as_ref(),
            free: self.free.as_deref(),
        };
        NamedFlow::new(section, &naming)
    }

    fn discretisation(&self, section: &Section<'_>, scale: Option<f64>) -> Result<Discretisation, ExperimentError> {
        let usual = scale.map_or(schemes::USUAL, wngd::identify::scheme_at);
        schemes::read(section.table("discretisation")?, usual)
    }
}

impl ModelChoice for Options {
    fn in_words(&self) -> String {
        format!("stationary density of {}", self.system.name().unwrap_or("a system of its own"))
    }
    fn dimension(&self, section: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError> {
        Ok(Some(("system", self.named(section)?.field.dim())))
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        Seen { points, .. }: Seen<'_>,
    ) -> Result<Box<dyn Model>, ExperimentError> {
        let grid = ground.density(section, "kind")?;
        let NamedFlow { name, field, theta, free, .. } = self.named(section)?;
        if field.dim() != grid.dim() {
            let problem = format!(
                "{} axes, but {name} has {} dimensions; give one entry per dimension",
                grid.dim(),
                field.dim()
            );
            return Err(section.source().error("grid.cells", problem));
        }
        if field.dim() == 1 && self.discretisation.is_none() {
            let problem = format!(
                "{name} moves on a line, where a flow without noise comes to rest and has no density; give the diffusion of \
                 the motion, {{ kind = \"scharfetter-gummel\", diffusion = D }}, or let `wngd identify` estimate it"
            );
            return Err(section.error("discretisation", problem));
        }
        let scale = points.map(|points| wngd::identify::time_scale(field.as_ref(), &theta, points));
        let scheme = self.discretisation(section, scale)?;
        let bytes = memory::of_stationary(grid.len(), grid.dim(), &scheme);
        if let Some(problem) = memory::lacking(bytes, "use fewer cells") {
            return Err(section.source().error("grid.cells", problem));
        }
        if let Some(hats) = self.perturbation {
            if self.free.is_some() {
                let problem = "with a perturbation its hats are free and nothing else; remove it";
                return Err(section.error("free", problem));
            }
            let field = HatPerturbation::new(field, theta, hats.scale, hats.nodes, grid)
                .map_err(|e| section.model_error("perturbation", e))?;
            let start = vec![0.0; wngd::models::flow::VelocityField::dim_param(&field)];
            let density = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, start.clone());
            return Ok(Box::new(Flow { density: density.map_err(|e| section.model_error("", e))?, start, bytes }));
        }
        let start = free.iter().map(|&i| theta[i]).collect();
        let density = StationaryDensity::new(field, grid.clone(), scheme, Some(free), theta)
            .map_err(|e| section.model_error("", e))?;
        Ok(Box::new(Flow { density, start, bytes }))
    }
    fn state_at(
        &self,
        section: &Section<'_>,
        truth: &Section<'_>,
        theta: &[f64],
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<(State, Option<Vec<f64>>), ExperimentError> {
        let fail = |e: ModelError| truth.error("theta", e.to_string());
        let grid = ground.density(truth, "theta")?;
        let NamedFlow { field, theta: own, free, .. } = self.named(section)?;
        // All parameters of the system, or the free ones.
        let full = match theta.len() {
            n if n == own.len() => theta.to_vec(),
            n if n == free.len() => {
                let mut full = own;
                free.iter().zip(theta).for_each(|(&i, value)| full[i] = *value);
                full
            }
            n => {
                let names = field.parameter_names();
                let problem = format!("{n} values, {} are needed: {}", names.len(), names.join(", "));
                return Err(truth.error("theta", problem));
            }
        };
        if self.perturbation.is_some() && theta.len() == model.parameters().len() {
            return Ok((model.state(theta).map_err(fail)?, Some(theta.to_vec())));
        }
        let scheme = self.discretisation(section, None)?;
        let density = StationaryDensity::new(field, grid.clone(), scheme, None, full.clone()).map_err(fail)?;
        let state = density.state(&full).map_err(fail)?;
        // Hats can only come near the system at other parameters.
        let known = self.perturbation.is_none().then(|| free.iter().map(|&i| full[i]).collect());
        Ok((state, known))
    }
    fn flow(&self, section: &Section<'_>) -> Result<Option<NamedFlow>, ExperimentError> {
        self.named(section).map(Some)
    }
    fn scheme(
        &self,
        section: &Section<'_>,
        scale: Option<f64>,
    ) -> Result<Option<Discretisation>, ExperimentError> {
        self.discretisation(section, scale).map(Some)
    }
}

struct Flow {
    density: StationaryDensity,
    start: Vec<f64>,
    /// What a state takes.
    bytes: u64,
}

impl Model for Flow {
    fn parameters(&self) -> Vec<Parameter> {
        let named = self.density.parameter_names().into_iter().zip(&self.start);
        named.map(|(name, start)| Parameter::around(name, *start)).collect()
    }
    fn dim_state(&self) -> usize {
        self.density.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.density.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.density.linearize(theta)?;
        Ok(Linearization { state, jacobian: Box::new(jacobian) })
    }
    fn bytes(&self) -> u64 {
        self.bytes
    }
    fn solve_counts(&self) -> SolveCounts {
        self.density.solve_counts()
    }
    fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        let (_, report) = self.density.state_with_report(theta)?;
        let mut remarks = vec![format!("stationary density by {}", report.solver)];
        if report.spurious_sink {
            remarks.push(format!(
                "{:.0} % of the mass sits in 8 cells, which only the upwinding holds there; add diffusion or use scharfetter-gummel or semi-lagrangian",
                100.0 * report.concentration
            ));
        }
        Ok(remarks)
    }
}
