//! What models, objectives and metrics stand on: a grid where there is one, and what belongs to it.

use std::sync::{Arc, OnceLock};

use wngd::linalg::LaplacianPlan;
use wngd::prelude::Grid;

use crate::error::ExperimentError;
use crate::source::Section;

/// The grid of an experiment, if it has one, and whether states on it are densities.
///
/// What belongs to a grid is made when it is first asked for: a run that has no Wasserstein in it analyses no Laplacian.
#[derive(Debug)]
pub struct Ground {
    grid: Option<Grid>,
    density: bool,
    periodic: Vec<bool>,
    plan: OnceLock<Arc<LaplacianPlan>>,
}

impl Ground {
    /// A grid, or none, with states that are densities, or plain values.
    pub fn new(grid: Option<Grid>, density: bool) -> Self {
        Self { grid, density, periodic: Vec::new(), plan: OnceLock::new() }
    }

    /// The same with periodic axes.
    pub fn with_periodic(self, periodic: Vec<bool>) -> Self {
        Self { periodic, ..self }
    }

    /// Whether an axis is periodic.
    pub fn is_periodic(&self, axis: usize) -> bool {
        self.periodic.get(axis) == Some(&true)
    }

    /// Brings the coordinates of a point on periodic axes into the box.
    pub fn wrap(&self, point: &mut [f64]) {
        let Some(grid) = &self.grid else { return };
        for (axis, x) in point.iter_mut().enumerate().filter(|(axis, _)| self.is_periodic(*axis)) {
            let (lower, length) = (grid.lower()[axis], grid.upper()[axis] - grid.lower()[axis]);
            // Rounding may make a whole period of a tiny negative number.
            *x = (lower + (*x - lower).rem_euclid(length)).min(grid.upper()[axis]);
        }
    }

    /// The grid, if there is one.
    pub fn maybe_grid(&self) -> Option<&Grid> {
        self.grid.as_ref()
    }

    /// Whether states are densities.
    pub fn is_density(&self) -> bool {
        self.density
    }

    /// The grid, for something that `section` names under `key`.
    ///
    /// # Errors
    /// There is none.
    pub fn grid(&self, section: &Section<'_>, key: &str) -> Result<&Grid, ExperimentError> {
        self.grid.as_ref().ok_or_else(|| {
            section.error(key, "it needs a grid, and this experiment has none; give [grid], or take \"l2\"")
        })
    }

    /// The grid, for something that compares densities.
    ///
    /// # Errors
    /// There is none, or states are plain values.
    pub fn density(&self, section: &Section<'_>, key: &str) -> Result<&Grid, ExperimentError> {
        if !self.density {
            let problem = "it compares densities, and the data are plain values; take \"l2\"";
            return Err(section.error(key, problem));
        }
        self.grid(section, key)
    }

    /// The symbolic analysis of the grid's Laplacian, made once.
    ///
    /// # Errors
    /// No grid, or one that is too large to analyse.
    pub fn plan(&self, section: &Section<'_>, key: &str) -> Result<Arc<LaplacianPlan>, ExperimentError> {
        if let Some(plan) = self.plan.get() {
            return Ok(plan.clone());
        }
        let plan = LaplacianPlan::new(self.grid(section, key)?)
            .map_err(|error| section.source().error("grid.cells", error.to_string()))?;
        Ok(self.plan.get_or_init(|| Arc::new(plan)).clone())
    }
}
