//! Data that a model of known parameters makes.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::prelude::ForwardModel;

use super::{Cells, Data, DataChoice, Maker, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::ground::Ground;
use crate::models::{ModelChoice, mixture_of_truth, mixture_truth};
use crate::registry::{Entry, entry};
use crate::source::Section;

/// A known truth.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// `{ weights, means, covariance }` of a mixture, or `{ theta }` for the model's own state
    #[allow(dead_code, reason = "read by the model")]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    truth: toml::Table,
}

/// `truth = { theta = [..] }`
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OfModel {
    /// the model's parameters
    theta: Vec<f64>,
}

/// Relative difference of two states that counts as none.
const SAME: f64 = 1e-6;

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "truth", "state of known parameters, without noise");

/// Whether two states are the same but for rounding.
fn close(a: &[f64], b: &[f64]) -> bool {
    let size: f64 = b.iter().map(|v| v.abs()).sum();
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() <= SAME * size
}

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("known truth", "a density of the model's own kind at given parameters")
    }
    fn maker(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        names: &[String],
    ) -> Result<Option<Maker>, ExperimentError> {
        let Some(truth) = section.table("truth")?.filter(|truth| !truth.has("theta")) else { return Ok(None) };
        let mixture = mixture_of_truth(&truth, ground.density(section, "truth")?, names)?;
        Ok(mixture.map(|mixture| Maker { theta: mixture.theta(), state: Box::new(move |theta| mixture.state(theta)) }))
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let Some(truth) = section.table("truth")? else {
            return Err(section.error("truth", "it is needed"));
        };
        let (model, choice, place): (_, &dyn ModelChoice, _) = with.model;
        let (values, known) = if truth.has("theta") {
            let OfModel { theta } = truth.read()?;
            choice.state_at(place, &truth, &theta, with.ground, model)?
        } else if truth.has("means") || truth.has("weights") {
            let names: Vec<String> = model.parameters().into_iter().map(|p| p.name).collect();
            mixture_truth(&truth, with.ground.density(section, "truth")?, &names)?
        } else {
            let problem =
                "give { weights, means, covariance } for a mixture, or { theta } for the state of the model itself";
            return Err(section.error("truth", problem));
        };
        if values.values.len() != model.dim_state() {
            return Err(section.error("truth", "it has another size than the model's state"));
        }
        let mut notes = Vec::new();
        let known = known.filter(|theta| {
            let reached = model.state(theta).is_ok_and(|state| close(&state.values, &values.values));
            if !reached {
                notes.push("the truth differs in parameters that are not free, so that no fit can reach it".to_string());
            }
            reached
        });
        Ok(Data { values, truth: known, noise: Noise::Unknown, notes, axes: None, cells: Cells::Centres })
    }
}
