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
    scatter: Option<Vec<f64>>,
    plan: OnceLock<Arc<LaplacianPlan>>,
    standard_plan: OnceLock<Arc<LaplacianPlan>>,
}

impl Ground {
    /// A grid, or none, with states that are densities, or plain values.
    pub fn new(grid: Option<Grid>, density: bool) -> Self {
        Self {
            grid,
            density,
            periodic: Vec::new(),
            scatter: None,
            plan: OnceLock::new(),
            standard_plan: OnceLock::new(),
        }
    }

    /// The same with periodic axes.
    pub fn with_periodic(self, periodic: Vec<bool>) -> Self {
        Self { periodic, ..self }
    }

    /// The same, knowing the standard deviation of the data along each axis: a unit of length that axes of unlike units
    /// have in common.
    pub fn with_scatter_of(self, density: &[f64]) -> Self {
        let scatter = self.grid.as_ref().map(|grid| scatter(grid, density));
        Self { scatter, ..self }
    }

    /// Whether the data's scatter is known.
    pub fn has_scatter(&self) -> bool {
        self.scatter.is_some()
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
        analysed(&self.plan, self.grid(section, key)?, section)
    }

    /// The same with axes on which the data have scatter 1; their own axes where that is not known.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn standard_plan(&self, section: &Section<'_>, key: &str) -> Result<Arc<LaplacianPlan>, ExperimentError> {
        let Some(scatter) = &self.scatter else { return self.plan(section, key) };
        let grid = self.grid(section, key)?;
        let scaled = |ends: &[f64]| ends.iter().zip(scatter).map(|(x, s)| x / s).collect::<Vec<_>>();
        let standard = Grid::new(&scaled(grid.lower()), &scaled(grid.upper()), grid.cells())
            .map_err(|error| section.source().error("grid", error.to_string()))?;
        analysed(&self.standard_plan, &standard, section)
    }
}

fn analysed(
    known: &OnceLock<Arc<LaplacianPlan>>,
    grid: &Grid,
    section: &Section<'_>,
) -> Result<Arc<LaplacianPlan>, ExperimentError> {
    if let Some(plan) = known.get() {
        return Ok(plan.clone());
    }
    let plan = LaplacianPlan::new(grid).map_err(|error| section.source().error("grid.cells", error.to_string()))?;
    Ok(known.get_or_init(|| Arc::new(plan)).clone())
}

/// Standard deviation of a density along each axis; no less than a cell's own.
fn scatter(grid: &Grid, density: &[f64]) -> Vec<f64> {
    let mass: f64 = density.iter().map(|rho| rho.max(0.0)).sum();
    let mean_of = |what: &dyn Fn([f64; 3]) -> f64| {
        let weighted = density.iter().enumerate().map(|(i, rho)| rho.max(0.0) / mass * what(grid.center(i)));
        weighted.sum::<f64>()
    };
    let along = |axis: usize| {
        let mean = mean_of(&|x| x[axis]);
        let variance = mean_of(&|x| (x[axis] - mean).powi(2));
        variance.max(grid.spacing()[axis].powi(2) / 12.0).sqrt()
    };
    (0..grid.dim()).map(along).collect()
}
