//! Upwind finite volumes.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::models::flow::Discretisation;

use super::SchemeChoice;
use crate::registry::{Entry, entry};

/// Options of finite volumes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// diffusion coefficient D
    #[serde(default = "diffusion")]
    diffusion: f64,
    /// restart rate κ per unit time
    #[serde(default = "restart")]
    restart: f64,
}

fn diffusion() -> f64 {
    10.0
}

fn restart() -> f64 {
    2e-3
}

pub(super) const ENTRY: Entry<dyn SchemeChoice> = entry!(Options as dyn SchemeChoice, "upwind", "upwind finite volumes");

impl SchemeChoice for Options {
    fn build(&self, _: Discretisation) -> Discretisation {
        Discretisation::Upwind { diffusion: self.diffusion, restart: self.restart }
    }
}
