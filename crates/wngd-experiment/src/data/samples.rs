//! Independent samples.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::models::{GaussianSmoothing, ObserveError, density_of_weighted_samples};
use wngd::prelude::Estimate;

use super::ends;
use super::formats::{Array, Asked, Dialect, FileOptions, Input};
use super::{Cells, Counts, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::registry::{Entry, entry};
use crate::source::{Section, builtin};

/// Independent samples.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// a table (CSV), or NPY file of shape (rows, axes)
    samples: String,
    /// columns of a table, one per axis; all if absent
    columns: Option<Vec<String>>,
    /// column of weights >= 0 that the samples count with; 1 each if absent
    weights: Option<String>,
    /// `"histogram"` or `"kernel"`
    #[serde(default)]
    estimate: EstimateKind,
    /// kernel standard deviation per axis; Scott's rule if absent
    bandwidth: Option<Vec<f64>>,
    #[serde(flatten)]
    #[allow(dead_code, reason = "for the list of keys; Dialect::read reads them")]
    file: FileOptions,
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
    fn is_counted(&self) -> bool {
        true
    }
    fn wraps(&self) -> bool {
        true
    }
    fn usual_objective(&self, _: &GridSection, _: Option<&Array>) -> &'static str {
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
            None => Input::open(&path),
        };
        let input = input.map_err(about)?;
        let (format, dim, dialect) = (input.format(), grid.dim(), Dialect::read(section)?);
        let asked = Asked { columns: self.columns.as_deref(), beside: self.weights.as_deref(), ..Asked::new(dim, &dialect) };
        let named = if self.columns.is_some() { "columns" } else { "weights" };
        asked.check(format).map_err(|problem| section.error(named, problem))?;
        let table = format.rows(input, &asked).map_err(about)?;
        let mut samples: Vec<Vec<f64>> = table.values.chunks_exact(dim).map(<[f64]>::to_vec).collect();
        samples.iter_mut().for_each(|sample| with.ground.wrap(sample));
        let estimate = match self.estimate {
            EstimateKind::Histogram if self.bandwidth.is_some() => {
                let problem = "a histogram has none; set data.estimate = \"kernel\"";
                return Err(section.error("bandwidth", problem));
            }
            EstimateKind::Histogram => Estimate::Histogram,
            EstimateKind::Kernel => Estimate::Kernel { bandwidth: self.bandwidth.clone() },
        };
        let weights = self.weights.as_ref().map(|_| &table.beside[..]);
        let seen = density_of_weighted_samples(grid, &samples, weights, &estimate).map_err(|error| {
            let key = match error {
                ObserveError::Bandwidth { .. } => "bandwidth",
                ObserveError::Weight { .. } => "weights",
                _ => "samples",
            };
            section.error(key, error.to_string())
        })?;
        let mut notes = table.notes;
        notes.push(format!("{} samples in the box", seen.inside));
        if seen.outside > 0 {
            notes.push(format!("{} samples outside the box are left out", seen.outside));
        }
        if let Some(name) = &self.weights {
            notes.push(format!(
                "samples count with column {name}: their scatter is that of {:.1} equal ones (Σw)²/Σw²",
                seen.effective
            ));
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
            Some(_) => density_of_weighted_samples(grid, &samples, weights, &Estimate::Histogram).map(|raw| raw.density).ok(),
            None => None,
        };
        let density = density.unwrap_or_else(|| seen.density.clone());
        let axes = self.columns.clone().or(table.names);
        if !(0..dim).any(|axis| with.ground.is_periodic(axis)) {
            notes.extend(ends::notes(grid, &density, axes.as_deref()));
        }
        let cells = Cells::Counted { cut: seen.outside > 0 };
        let noise = Noise::Independent(Counts { number: seen.effective, density, smoothing });
        Ok(Data { values: State::new(seen.density), truth: None, noise, notes, axes, cells })
    }
}
