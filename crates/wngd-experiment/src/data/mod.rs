//! Data of every kind, a file each, and the formats of their files.

mod bins;
mod ends;
mod far;
pub mod formats;
mod points;
mod recording;
mod streaming;

use wngd::adjoint::State;
use wngd::identify::View;
use wngd::models::GaussianSmoothing;
use wngd::prelude::{Grid, ModelError};

use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::grid::GridSection;
use crate::ground::Ground;
use crate::models::{Model, ModelChoice};
use crate::source::Section;
use formats::{Array, Dialect};

pub use points::Points;
pub use recording::Recording;
pub use streaming::InParts;

/// The data with their origin.
pub struct Data {
    /// ρ*, or plain values, with logarithms where they come from a model.
    pub values: State,
    /// Values of the free parameters that made the data, where known.
    pub truth: Option<Vec<f64>>,
    /// Where the noise of the data comes from.
    pub noise: Noise,
    /// What should be told about the data: points outside the box, mass.
    pub notes: Vec<String>,
    /// Names of the axes, where they have names of their own.
    pub axes: Option<Vec<String>>,
    /// What a value of the data is.
    pub cells: Cells,
}

/// What a value of the data in a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// A density at its centre, or a plain value.
    Centres,
    /// A share of something counted: a mean over the cell.
    Counted {
        /// Whether something outside the box was left out, so that only what lies within it can be compared.
        cut: bool,
    },
}

/// Samples in cells.
pub struct Counts {
    /// How many there are in the box; the effective number if they have weights.
    pub number: f64,
    /// Their density, before it was smoothed.
    pub density: Vec<f64>,
    /// What smoothed it.
    pub smoothing: Option<GaussianSmoothing>,
}

/// Where the noise of data comes from.
pub enum Noise {
    /// There is none, or it is not known.
    Unknown,
    /// Independent samples.
    Independent(Counts),
    /// Successive points, which are correlated.
    Trajectory {
        /// The points, row-major.
        points: Vec<f64>,
        /// How they are seen.
        view: View,
    },
}

/// What of a density an objective takes as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes {
    /// Negative entries, as subtracting a background leaves them.
    pub negative: bool,
    /// Any mass: its minimum is at the same shape.
    pub any_mass: bool,
}

/// What data are observed with.
pub struct Observing<'a> {
    /// The experiment's ground.
    pub ground: &'a Ground,
    /// The model, with its options and where they stand.
    pub model: (&'a dyn Model, &'a dyn ModelChoice, &'a Section<'a>),
    /// The objective's name, and what it takes as it is.
    pub objective: (&'a str, Takes),
    /// Points that [`DataChoice::points`] read.
    pub points: Option<Points>,
    /// What [`DataChoice::load`] read.
    pub loaded: Option<Array>,
}

/// Data as a function of parameters.
pub type Made = Box<dyn Fn(&[f64]) -> Result<State, ModelError>>;

/// A model that data were made by, where it is not the one that is fitted: the same free parameters, others held at
/// other values.
pub struct Maker {
    /// Values of the free parameters in the data.
    pub theta: Vec<f64>,
    /// The data at other values.
    pub state: Made,
}

/// A kind of data with its options.
pub trait DataChoice: Send + Sync {
    /// What they are, for people.
    fn fact(&self) -> Fact;
    /// Whether they are a density on the grid, not a plain vector.
    fn is_density(&self) -> bool {
        true
    }
    /// Whether they are counts.
    fn is_counted(&self) -> bool {
        false
    }
    /// What made them, where the free parameters of these names are parameters of it.
    ///
    /// # Errors
    /// Options that make no sense.
    fn maker(
        &self,
        section: &Section<'_>,
        ground: &Ground,
        names: &[String],
    ) -> Result<Option<Maker>, ExperimentError> {
        let _ = (section, ground, names);
        Ok(None)
    }
    /// Whether they may lie on periodic axes.
    fn wraps(&self) -> bool {
        false
    }
    /// Reads files that tell more than the data: the grid, the usual objective.
    ///
    /// # Errors
    /// Files that cannot be read or hold something else.
    fn load(&self, section: &Section<'_>, dim: usize) -> Result<Option<Array>, ExperimentError> {
        let _ = (section, dim);
        Ok(None)
    }
    /// The grid that they tell.
    ///
    /// # Errors
    /// Data that lie on no grid.
    fn lattice(&self, section: &Section<'_>, loaded: Option<&Array>) -> Result<Option<Grid>, ExperimentError> {
        let _ = (section, loaded);
        Ok(None)
    }
    /// Name of the usual objective for them.
    fn usual_objective(&self, grid: &GridSection, loaded: Option<&Array>) -> &'static str {
        let _ = (grid, loaded);
        "l2"
    }
    /// Where points come from that tell box and time scale, and how they are seen, if the data are such points.
    ///
    /// # Errors
    /// Options that make no sense.
    fn recording(&self, section: &Section<'_>) -> Result<Option<(Recording, View)>, ExperimentError> {
        let _ = section;
        Ok(None)
    }
    /// Reads those points.
    ///
    /// # Errors
    /// Files that cannot be read or hold something else.
    fn points(&self, section: &Section<'_>, dim: usize) -> Result<Option<Points>, ExperimentError> {
        let Some((recording, _)) = self.recording(section)? else { return Ok(None) };
        recording.read(dim).map(Some).map_err(|error| section.source().about("data.trajectory", error))
    }
    /// The data as the model's state is compared with them.
    ///
    /// # Errors
    /// Files that cannot be read, data that do not fit.
    fn observe(&self, section: &Section<'_>, with: Observing<'_>) -> Result<Data, ExperimentError>;
}

crate::registry::family! {
    /// The kinds of data; the key of a kind names the file, or the parameters, that they come from.
    dyn DataChoice, what: "kind of data", key: "data",
    members: [truth, samples, histogram, trajectory, density, values]
}

/// Reads `[data]`: exactly one kind, with its own options.
///
/// # Errors
/// None or several kinds, options of others.
pub fn read(section: &Section<'_>) -> Result<Box<dyn DataChoice>, ExperimentError> {
    let given: Vec<_> = FAMILY.entries.iter().filter(|entry| section.has(entry.name)).collect();
    let [entry] = given[..] else {
        return Err(section.error("", format!("give exactly one of {}", FAMILY.names().join(", "))));
    };
    if let Some(stray) = section.keys().find(|key| !entry.has(key))
        && let owners @ [_, ..] = &FAMILY.owners(stray)[..]
    {
        return Err(section.error(stray, format!("only {} has it; remove it", owners.join(" or "))));
    }
    if entry.has("separator") {
        // Before the rest, so that a wrong type is told with its key.
        Dialect::read(section)?;
    }
    (entry.read)(section)
}

/// How many points of a trajectory are in the box.
pub fn counts(inside: usize, outside: usize) -> Vec<String> {
    let mut notes = vec![format!("{inside} points of the trajectory in the box")];
    if outside > 0 {
        notes.push(format!("{outside} points outside the box are left out"));
    }
    notes
}
