//! Data of every kind, a file each, and the formats of their files.

pub mod formats;
mod recording;

use wngd::adjoint::State;
use wngd::identify::View;
use wngd::models::GaussianSmoothing;

use crate::error::ExperimentError;
use crate::facts::Fact;
use crate::ground::Ground;
use crate::models::{Model, ModelChoice};
use crate::source::Section;

pub use recording::{Points, Recording};

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

/// What data are observed with.
pub struct Observing<'a> {
    /// The experiment's ground.
    pub ground: &'a Ground,
    /// The model, with its options and where they stand.
    pub model: (&'a dyn Model, &'a dyn ModelChoice, &'a Section<'a>),
    /// Points that [`DataChoice::points`] read.
    pub points: Option<Points>,
}

/// A kind of data with its options.
pub trait DataChoice: Send + Sync {
    /// What they are, for people.
    fn fact(&self) -> Fact;
    /// Whether they are a density on the grid, not a plain vector.
    fn is_density(&self) -> bool {
        true
    }
    /// Name of the usual objective.
    fn usual_objective(&self) -> &'static str {
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
    members: [truth, samples, trajectory, density, values]
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
