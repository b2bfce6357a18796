//! Steady diffusion with a log-conductivity in every cell.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::{Implicit, Linearization, SolveCounts, State};
use wngd::models::Diffusion;
use wngd::prelude::{ForwardModel, ModelError};

use super::{Jacobian, Model, ModelChoice, Parameter, Seen};
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of steady diffusion −∇·(eᵐ∇u) = s with u = 0 around the box.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// source density s, one number for all cells or one per cell
    #[serde(default)]
    source: OneOrMany,
    /// log-conductivity m to start from, one number for all cells or one per cell
    #[serde(default = "zero")]
    start: OneOrMany,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a number or a list of numbers, one per cell, is needed")]
enum OneOrMany {
    One(f64),
    Many(Vec<f64>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::One(1.0)
    }
}

fn zero() -> OneOrMany {
    OneOrMany::One(0.0)
}

impl OneOrMany {
    fn on(&self, section: &Section<'_>, key: &str, cells: usize) -> Result<Vec<f64>, ExperimentError> {
        let values = match self {
            Self::One(value) => vec![*value; cells],
            Self::Many(values) => values.clone(),
        };
        if values.len() != cells || values.iter().any(|v| !v.is_finite()) {
            let problem = format!("{} values for {cells} cells; give a finite number, or one per cell", values.len());
            return Err(section.error(key, problem));
        }
        Ok(values)
    }
}

pub(super) const ENTRY: Entry<dyn ModelChoice> = entry!(
    Options as dyn ModelChoice,
    "diffusion",
    "steady diffusion −∇·(eᵐ∇u) = s, m free in every cell; for data of kind values"
);

impl ModelChoice for Options {
    fn in_words(&self) -> String {
        "steady diffusion with a log-conductivity per cell".into()
    }
    fn dimension(&self, _: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError> {
        Ok(None)
    }
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        _: Seen<'_>,
    ) -> Result<Box<dyn Model>, ExperimentError> {
        let grid = ground.grid(section, "kind")?;
        let source = self.source.on(section, "source", grid.len())?;
        let start = self.start.on(section, "start", grid.len())?;
        let diffusion = Diffusion::new(grid.clone(), source).map_err(|e| section.model_error("", e))?;
        Ok(Box::new(Conductivity { model: Implicit::new(diffusion), start }))
    }
}

struct Conductivity {
    model: Implicit<Diffusion>,
    start: Vec<f64>,
}

impl Model for Conductivity {
    fn parameters(&self) -> Vec<Parameter> {
        let named = self.model.parameter_names().into_iter().zip(&self.start);
        named.map(|(name, &start)| Parameter { name, start, range: [start - 1.0, start + 1.0] }).collect()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.model.linearize(theta)?;
        Ok(Linearization { state, jacobian: Box::new(jacobian) })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.model.solve_counts()
    }
}
