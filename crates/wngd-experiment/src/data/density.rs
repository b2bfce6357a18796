//! A density on the grid.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::linalg::check_density;
use wngd::prelude::Grid;

use super::formats::{Array, Asked, Dialect, FileOptions, Input};
use super::{Cells, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Relative difference of a mass from 1 that is told.
const MASS: f64 = 1e-3;
/// A mass that differs by more is a mistake of units, where the objective sees it.
const FACTOR: f64 = 2.02;

/// Values of a density.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// NPY file of shape `cells`: values of the density at cell centres
    density: String,
    /// divide the values by their mass, whatever it is: counts and probabilities become a density
    #[serde(default)]
    normalise: bool,
    #[serde(flatten)]
    #[allow(dead_code, reason = "for the list of keys; Dialect::read reads them")]
    file: FileOptions,
}

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "density", "values of a density in the cells");

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("density", &self.density)
    }
    fn load(&self, section: &Section<'_>, _: usize) -> Result<Option<Array>, ExperimentError> {
        let dialect = Dialect::read(section)?;
        let read = |input: Input| input.format().array(input, &Asked::new(1, &dialect));
        let array = Input::open(&section.source().path(&self.density)).and_then(read);
        array.map(Some).map_err(|error| section.source().about("data.density", error))
    }
    fn wraps(&self) -> bool {
        true
    }
    /// KL where the mass is not that of a density: its minimum is at the same shape for every mass.
    fn usual_objective(&self, grid: &GridSection, loaded: Option<&Array>) -> &'static str {
        let (Some(volume), Some(Array { values, .. })) = (grid.cell_volume(), loaded) else { return "l2" };
        let mass = volume * values.iter().sum::<f64>();
        let shape = (mass - 1.0).abs() > MASS && !self.normalise && !are_counts(values);
        if shape && values.iter().all(|v| *v >= 0.0) { "kl" } else { "l2" }
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let grid = with.ground.density(section, "density")?;
        let path = section.source().path(&self.density);
        let Some(Array { shape, mut values, mut notes }) = with.loaded else {
            return Err(ExperimentError::Internal("the values of a density were not read".into()));
        };
        let fail = |problem: String| section.error("density", format!("{}: {problem}", path.display()));
        if shape != grid.cells() {
            let problem = format!(
                "{} has shape {shape:?}, the grid has {:?} cells; they must agree",
                path.display(),
                grid.cells()
            );
            return Err(section.error("density", problem));
        }
        let (objective, takes) = with.objective;
        let negative = values.iter().filter(|v| **v < 0.0).count();
        if negative == 0 {
            check_density(grid, &values).map_err(|error| fail(error.to_string()))?;
        } else if let Some(index) = values.iter().position(|v| !v.is_finite()) {
            return Err(fail(format!("entry {index} is {}; every one must be finite", values[index])));
        } else if !takes.negative {
            return Err(fail(format!(
                "{negative} entries are negative, and {objective} compares masses >= 0; take objective \"l2\" or \
                 \"homogeneous-h-1\", which take what subtracting a background leaves, or set them to 0"
            )));
        } else {
            notes.push(format!("{negative} entries are negative, as subtracting a background leaves them"));
        }
        let sum: f64 = values.iter().sum();
        let mass = grid.cell_volume() * sum;
        if !(mass > 0.0 && mass.is_finite()) {
            return Err(fail(format!("the mass is {mass}, which must not be negative or 0")));
        }
        let any_mass = takes.any_mass;
        let counts = are_counts(&values);
        let told = if counts { "counts" } else { "values" };
        if self.normalise {
            if (mass - 1.0).abs() > MASS {
                notes.push(format!("the {told} had the mass {mass:.6} and were divided by it"));
            }
            values.iter_mut().for_each(|v| *v /= mass);
        } else if (mass - 1.0).abs() <= MASS {
        } else if counts && !any_mass {
            return Err(fail(format!(
                "whole numbers with the sum {sum} are counts, no density; divide them by the sum times the cell volume, \
                 {}, or set normalise = true in [data]; a histogram of edges and counts has standard errors, too",
                sum * grid.cell_volume()
            )));
        } else if !any_mass && !(1.0 / FACTOR..=FACTOR).contains(&mass) {
            return Err(fail(format!(
                "the mass is {mass:.6}, that of a density is 1; divide the values by the sum times the cell volume, \
                 or set normalise = true in [data]"
            )));
        } else if mass < 1.0 && leaves(grid, &values) > LEAVES * (1.0 - mass) {
            notes.push(format!(
                "the data's mass is {mass:.6}, not 1: the box seems to cut the density, which is compared as it is; \
                 set normalise = true in [data] if the rest is lost in another way"
            ));
        } else {
            notes.push(format!(
                "the data's mass is {mass:.6}, not 1: no model has that mass, and the {told} were divided by it, so that \
                 their shape is compared"
            ));
            values.iter_mut().for_each(|v| *v /= mass);
        }
        if objective == "kl" && !section.source().has("objective") {
            notes.push("the usual objective is kl where the mass is not 1: its minimum does not depend on the mass".into());
        }
        Ok(Data { values: State::new(values), truth: None, noise: Noise::Unknown, notes, axes: None, cells: Cells::Centres })
    }
}

/// Whether values are whole numbers with more than one thing counted.
fn are_counts(values: &[f64]) -> bool {
    values.iter().all(|v| v.fract() == 0.0) && values.iter().sum::<f64>() > 1.5
}

/// Share of the missing mass that has to lie behind the faces of the box for the box to be what cut it off.
const LEAVES: f64 = 0.7;

/// Mass behind the faces of the box if the density went on there as Gaussians do: its value there times its scatter.
fn leaves(grid: &Grid, values: &[f64]) -> f64 {
    let total: f64 = values.iter().map(|v| v.abs()).sum();
    let volume = grid.cell_volume();
    let mut behind = 0.0;
    for axis in 0..grid.dim() {
        let at = |i: usize| grid.center(i)[axis];
        let mean = (0..values.len()).map(|i| values[i].abs() * at(i)).sum::<f64>() / total;
        let scatter = (0..values.len()).map(|i| values[i].abs() * (at(i) - mean).powi(2)).sum::<f64>() / total;
        let h = grid.spacing()[axis];
        let (lower, upper) = (grid.lower()[axis] + h, grid.upper()[axis] - h);
        let face: f64 = (0..values.len()).filter(|&i| at(i) < lower || at(i) > upper).map(|i| values[i]).sum();
        behind += face * volume / h * scatter.sqrt();
    }
    behind
}
