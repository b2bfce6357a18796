//! Independent samples.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::models::{GaussianSmoothing, ObserveError};
use wngd::prelude::{Estimate, density_of_samples};

use super::formats::{self, Input};
use super::{Cells, Counts, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::registry::{Entry, entry};
use crate::source::{Section, builtin};

/// Independent samples.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// CSV file with header, or NPY file of shape (rows, axes)
    samples: String,
    /// columns of a CSV file, one per axis; all if absent
    columns: Option<Vec<String>>,
    /// `"histogram"` or `"kernel"`
    #[serde(default)]
    estimate: EstimateKind,
    /// kernel standard deviation per axis; Scott's rule if absent
    bandwidth: Option<Vec<f64>>,
}

/// How samples become a density.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum EstimateKind {
    /// Shares of the cells.
    #[default]
    Histogram,
    /// Gaussian kernel.
    Kernel,
}

pub(super) const ENTRY: Entry<dyn DataChoice> = entry!(Options as dyn DataChoice, "samples", "independent samples");

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("samples", &self.samples)
    }
    fn usual_objective(&self) -> &'static str {
        "kl"
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let grid = with.ground.density(section, "samples")?;
        let source = section.source();
        let path = source.path(&self.samples);
        let embedded = if source.folder.is_none() && !path.exists() { builtin::data(&self.samples) } else { None };
        let about = |error| source.about("data.samples", error);
        let input = match embedded {
            Some(text) => Input::embedded(path, text),
            None => Input::open(&path).map_err(about)?,
        };
        let format = formats::of(input.path());
        if self.columns.is_some() && !format.has_columns() {
            return Err(section.error("columns", format!("{} files have no named columns; remove it", format.name())));
        }
        let dim = grid.dim();
        let table = format.rows(input, self.columns.as_deref(), dim, formats::Time::None).map_err(about)?;
        let samples: Vec<Vec<f64>> = table.values.chunks_exact(dim).map(<[f64]>::to_vec).collect();
        let estimate = match self.estimate {
            EstimateKind::Histogram if self.bandwidth.is_some() => {
                let problem = "a histogram has none; set data.estimate = \"kernel\"";
                return Err(section.error("bandwidth", problem));
            }
            EstimateKind::Histogram => Estimate::Histogram,
            EstimateKind::Kernel => Estimate::Kernel { bandwidth: self.bandwidth.clone() },
        };
        let seen = density_of_samples(grid, &samples, &estimate).map_err(|error| {
            let key = if matches!(error, ObserveError::Bandwidth { .. }) { "bandwidth" } else { "samples" };
            section.error(key, error.to_string())
        })?;
        let mut notes = vec![format!("{} samples in the box", seen.inside)];
        if seen.outside > 0 {
            notes.push(format!("{} samples outside the box are left out", seen.outside));
        }
        if !seen.bandwidth.is_empty() {
            notes.push(format!(
                "kernel bandwidth {:?}; it widens the fitted covariances by its square",
                seen.bandwidth
            ));
        }
        let smoothing = match &seen.bandwidth[..] {
            [] => None,
            widths => GaussianSmoothing::new(grid, widths).ok(),
        };
        let density = match smoothing {
            // What was counted, before the kernel smoothed it.
            Some(_) => density_of_samples(grid, &samples, &Estimate::Histogram).map(|raw| raw.density).ok(),
            None => None,
        };
        let density = density.unwrap_or_else(|| seen.density.clone());
        let cells = Cells::Counted { cut: seen.outside > 0 };
        let noise = Noise::Independent(Counts { number: seen.inside as f64, density, smoothing });
        Ok(Data { values: State::new(seen.density), truth: None, noise, notes, axes: self.columns.clone(), cells })
    }
}
