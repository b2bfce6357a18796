//! A density on the grid.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::adjoint::State;
use wngd::linalg::check_density;

use super::formats::{self, Input};
use super::{Cells, Data, DataChoice, Noise, Observing};
use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::registry::{Entry, entry};
use crate::source::Section;

/// Values of a density.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Options {
    /// NPY file of shape `cells`: values of the density at cell centres
    density: String,
}

pub(super) const ENTRY: Entry<dyn DataChoice> =
    entry!(Options as dyn DataChoice, "density", "values of a density in the cells");

impl DataChoice for Options {
    fn fact(&self) -> Fact {
        Fact::new("density", &self.density)
    }
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError> {
        let grid = with.ground.density(section, "density")?;
        let path = section.source().path(&self.density);
        let about = |error| section.source().about("data.density", error);
        let (shape, values) =
            Input::open(&path).and_then(|input| formats::of(&path).array(input)).map_err(about)?;
        if shape != grid.cells() {
            let (path, cells) = (path.display(), grid.cells());
            let problem = format!("{path} has shape {shape:?}, the grid has {cells:?} cells; they must agree");
            return Err(section.error("density", problem));
        }
        check_density(grid, &values)
            .map_err(|error| section.error("density", format!("{}: {error}", path.display())))?;
        let mass = grid.cell_volume() * values.iter().sum::<f64>();
        let mut notes = Vec::new();
        if (mass - 1.0).abs() > 1e-3 {
            notes.push(format!("the data's mass is {mass:.6}, not 1; it is compared as it is"));
        }
        Ok(Data { values: State::new(values), truth: None, noise: Noise::Unknown, notes, axes: None, cells: Cells::Centres })
    }
}
