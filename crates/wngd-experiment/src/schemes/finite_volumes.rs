//! Options of finite volumes, which two schemes share.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::models::flow::Discretisation;

use super::SchemeChoice;
use crate::error::ExperimentError;
use crate::source::Section;

/// Options of finite volumes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
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

/// A scheme of D and κ.
type Scheme = fn(f64, f64) -> Discretisation;

/// Reads the options of a scheme.
pub(super) fn read(section: &Section<'_>, scheme: Scheme) -> Result<Box<dyn SchemeChoice>, ExperimentError> {
    Ok(Box::new(FiniteVolumes { options: section.read()?, scheme }))
}

struct FiniteVolumes {
    options: Options,
    scheme: Scheme,
}

impl SchemeChoice for FiniteVolumes {
    fn build(&self, _: Discretisation) -> Discretisation {
        (self.scheme)(self.options.diffusion, self.options.restart)
    }
}
