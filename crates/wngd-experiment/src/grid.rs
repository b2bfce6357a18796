//! `[grid]`: the box and its cells.

use schemars::JsonSchema;
use serde::Deserialize;
use wngd::models::box_of;
use wngd::prelude::Grid;

use crate::error::ExperimentError;
use crate::source::Section;

/// Room around a trajectory, as a share of its range, on either side.
pub const MARGIN: f64 = 0.1;
/// Cells per axis for a trajectory, by dimension.
pub const CELLS: [usize; 3] = [256, 64, 24];

/// The box and its cells.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GridSection {
    /// lower corner of the box, 1 to 3 numbers; for a trajectory its range, moved out by a tenth
    pub lower: Option<Vec<f64>>,
    /// upper corner of the box
    pub upper: Option<Vec<f64>>,
    /// cells per axis (one number for all, or a list), at most 5·10⁷ in all; for a trajectory 256, 64, 24 in 1, 2, 3
    /// dimensions
    pub cells: Option<Cells>,
    /// which axes are periodic, `[true]` for an angle: a mixture's components are wrapped around them
    pub periodic: Option<Vec<bool>>,
}

/// Cells of a grid.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a whole number or a list of whole numbers is needed")]
pub enum Cells {
    /// As many on every axis.
    Same(usize),
    /// One number per axis.
    Each(Vec<usize>),
}

impl GridSection {
    /// How many axes the section says there are, with the key that says so.
    pub fn dimension(&self) -> Option<(&'static str, usize)> {
        match (&self.lower, &self.cells) {
            (Some(lower), _) => Some(("lower", lower.len())),
            (None, Some(Cells::Each(cells))) => Some(("cells", cells.len())),
            _ => None,
        }
    }

    /// The periodic axes, if any axis is.
    ///
    /// # Errors
    /// Another number of values than of axes.
    pub fn periodic(&self, section: &Section<'_>, dim: usize) -> Result<Option<Vec<bool>>, ExperimentError> {
        match &self.periodic {
            Some(axes) if axes.len() != dim => {
                Err(section.error("periodic", format!("{} values for {dim} axes; give one per axis", axes.len())))
            }
            Some(axes) if axes.contains(&true) => Ok(Some(axes.clone())),
            _ => Ok(None),
        }
    }

    /// Volume of a cell, if the section tells it.
    pub fn cell_volume(&self) -> Option<f64> {
        let (lower, upper) = (self.lower.as_ref()?, self.upper.as_ref()?);
        let cells = match self.cells.as_ref()? {
            Cells::Same(n) => vec![*n; lower.len()],
            Cells::Each(cells) => cells.clone(),
        };
        let axes = lower.iter().zip(upper).zip(&cells);
        Some(axes.map(|((lower, upper), n)| (upper - lower) / *n as f64).product())
    }

    /// Refuses a box where the data have one.
    ///
    /// # Errors
    /// A corner or a number of cells that is given.
    pub fn left_out(&self, section: &Section<'_>) -> Result<(), ExperimentError> {
        let given = [("lower", self.lower.is_some()), ("upper", self.upper.is_some()), ("cells", self.cells.is_some())];
        match given.iter().find(|(_, given)| *given) {
            Some((key, _)) => Err(section.error(key, "the edges of the histogram make the grid; remove it")),
            None => Ok(()),
        }
    }

    /// The grid; what is left open comes from the points of a trajectory.
    ///
    /// # Errors
    /// Corners or cells that are missing or make no grid.
    pub fn build(&self, section: &Section<'_>, dim: usize, points: Option<&[f64]>) -> Result<Grid, ExperimentError> {
        let (lower, upper) = match (&self.lower, &self.upper, points) {
            (Some(lower), Some(upper), _) => (lower.clone(), upper.clone()),
            (None, None, Some(points)) => box_of(points, dim, MARGIN)?,
            (Some(_), None, _) => return Err(section.error("upper", "a box needs both corners")),
            (None, Some(_), _) => return Err(section.error("lower", "a box needs both corners")),
            (None, None, None) => {
                let problem = "only a trajectory gives the box by itself; give lower, upper and cells";
                return Err(section.error("lower", problem));
            }
        };
        let cells = match (&self.cells, points) {
            (Some(Cells::Same(n)), _) => vec![*n; lower.len()],
            (Some(Cells::Each(cells)), _) => cells.clone(),
            (None, Some(_)) => vec![CELLS[lower.len().clamp(1, 3) - 1]; lower.len()],
            (None, None) => return Err(section.error("cells", "give the cells per axis")),
        };
        let grid = Grid::new(&lower, &upper, &cells).map_err(|error| {
            // A grid that its corners alone allow is refused for its cells.
            let cells_at_fault = Grid::new(&lower, &upper, &vec![2; lower.len()]).is_ok();
            section.error(if cells_at_fault { "cells" } else { "" }, error.to_string())
        })?;
        if grid.len() < 2 {
            return Err(section.error("cells", "one cell has no shape to fit; give at least 2 cells"));
        }
        Ok(grid)
    }
}
