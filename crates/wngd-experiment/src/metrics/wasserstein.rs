//! Wasserstein-2.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::linalg::FaceMean;
use wngd::opt::{FaceDensity, Metric, Wasserstein2};

use super::MetricChoice;
use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::models::Model;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Options of the Wasserstein metric.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// `"arithmetic"`, `"geometric"`, `"logarithmic"`, `"harmonic"`, or `"midpoint"`, the model's own density at the face
    #[serde(default)]
    face_mean: FaceMeanKind,
    /// density floor δ ≥ 0 in the face weights
    #[serde(default)]
    floor: f64,
    /// `"data"`, or `"standard"`: axes on which the data have scatter 1, the default for samples and histograms of two
    /// axes and more
    axes: Option<Axes>,
}

/// In what units mass is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Axes {
    /// Those of the data.
    Data,
    /// Standard deviations of the data.
    Standard,
}

/// Face densities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum FaceMeanKind {
    /// (a + b)/2.
    #[default]
    Arithmetic,
    /// √(ab).
    Geometric,
    /// Logarithmic mean.
    Logarithmic,
    /// 2ab/(a + b).
    Harmonic,
    /// The model's density at the face.
    Midpoint,
}

pub(super) const ENTRY: Entry<dyn MetricChoice> =
    entry!(Options as dyn MetricChoice, "wasserstein", "Wasserstein-2: B†Z with B = −∇·(√ρ ·)");

impl MetricChoice for Options {
    fn build(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<Option<Box<dyn Metric + Send>>, ExperimentError> {
        if !(self.floor >= 0.0 && self.floor.is_finite()) {
            return Err(section.error("floor", "a finite number >= 0 is needed"));
        }
        ground.density(section, "metric")?;
        let mut metric = Wasserstein2::new(match self.axes {
            Some(Axes::Standard) if !ground.has_scatter() => {
                return Err(section.error("axes", "only samples and histograms have standard axes; leave it out"));
            }
            Some(Axes::Data) => ground.plan(section, "metric")?,
            _ => ground.standard_plan(section, "metric")?,
        });
        metric.floor = self.floor;
        metric.faces = match self.face_mean {
            FaceMeanKind::Arithmetic => FaceDensity::Mean(FaceMean::Arithmetic),
            FaceMeanKind::Geometric => FaceDensity::Mean(FaceMean::Geometric),
            FaceMeanKind::Logarithmic => FaceDensity::Mean(FaceMean::Logarithmic),
            FaceMeanKind::Harmonic => FaceDensity::Mean(FaceMean::Harmonic),
            FaceMeanKind::Midpoint => FaceDensity::Midpoint(model.face_density().ok_or_else(|| {
                section.error("face_mean", "this model is known in cells only; use \"arithmetic\"")
            })?),
        };
        Ok(Some(Box::new(metric)))
    }
}
