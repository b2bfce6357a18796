//! A plain vector of observations.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;

use super::formats::{self, Input};
use super::{Cells, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Observations, one per value of the model's state.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// NPY file of any shape, or a CSV file of one column: one observation per value of the model's state; no density, so that
    /// only what needs none compares it
    values: String,
}

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "values", "plain observations, no density");

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("observations", &self.values)
    }
    fn is_density(&self) -> bool {
        false
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let path = section.source().path(&self.values);
        let about = |error| section.source().about("data.values", error);
        let (_, values) = Input::open(&path).and_then(|input| formats::of(&path).array(input)).map_err(about)?;
        let k = with.model.0.dim_state();
        if values.len() != k {
            let problem =
                format!("{} has {} values, the model's state has {k}; they must agree", path.display(), values.len());
            return Err(section.error("values", problem));
        }
        if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            let problem = format!("{}: value {index} is {}; every one must be finite", path.display(), values[index]);
            return Err(section.error("values", problem));
        }
        Ok(Data { values: State::new(values), truth: None, noise: Noise::Unknown, notes: Vec::new(), axes: None, cells: Cells::Centres })
    }
}
