//! Points as a density on a grid.

use wngd_adjoint::{ForwardModel, Linearization};
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LinearOp};
use wngd_models::{Binning, GaussianSmoothing, LongRun, TrajectoryDensity, bin_trajectory, long_run_covariance};
use wngd_opt::{Objective, gauss_newton_curvature, sandwich_covariance};

use crate::error::IdentifyError;

/// How points become a density on a grid.
#[derive(Debug, Clone, Copy, Default)]
pub struct View {
    /// How a point is put on cells.
    pub binning: Binning,
    /// Standard deviation of a Gaussian that the density is smoothed by, in cells; 0 for none.
    pub smoothing: f64,
}

impl View {
    /// The Gaussian on a grid.
    fn kernel(&self, grid: &Grid) -> Result<GaussianSmoothing, IdentifyError> {
        let widths: Vec<f64> = grid.spacing().iter().map(|h| self.smoothing * h).collect();
        GaussianSmoothing::new(grid, &widths).map_err(IdentifyError::Smoothing)
    }

    /// The density of points (row-major), with the counts inside and outside the box.
    ///
    /// # Errors
    /// Unusable points; a smoothing that is negative or not finite.
    pub fn density(&self, grid: &Grid, points: &[f64]) -> Result<TrajectoryDensity, IdentifyError> {
        let mut seen = bin_trajectory(grid, points, self.binning, 0, 1)?;
        self.kernel(grid)?.apply(&mut seen.density);
        Ok(seen)
    }

    /// Covariance of argmin f for a trajectory: the sandwich of the curvature H of f and the scatter of its
    /// gradient between stretches of the trajectory, since successive points are correlated.
    ///
    /// `functionals`: q = WZ (k x p), whose means over the density are the gradient up to a constant.
    pub(crate) fn covariance(
        &self,
        grid: &Grid,
        points: &[f64],
        curvature: &Mat<f64>,
        mut functionals: Mat<f64>,
    ) -> Result<LongRun, IdentifyError> {
        let kernel = self.kernel(grid)?;
        // qᵀ(Sρ) = (Sᵀq)ᵀρ.
        for j in 0..functionals.ncols() {
            kernel.apply_transpose(functionals.col_as_slice_mut(j));
        }
        let noise = long_run_covariance(grid, points, self.binning, functionals.as_ref())?;
        Ok(LongRun { covariance: sandwich_covariance(curvature, &noise.covariance)?, ..noise })
    }

    /// Covariance of a fit to the density of `points` that ended at θ: from the curvature of the objective and the scatter
    /// of its gradient between stretches of the trajectory.
    ///
    /// # Cost
    /// One linearisation, one application of the curvature, p passes over the points.
    ///
    /// # Errors
    /// Unusable points, failed evaluations, parameters that the density does not determine.
    pub fn covariance_at<M: ForwardModel>(
        &self,
        grid: &Grid,
        points: &[f64],
        model: &M,
        objective: &dyn Objective,
        theta: &[f64],
    ) -> Result<LongRun, IdentifyError> {
        let Linearization { state, jacobian } = model.linearize(theta)?;
        let z = jacobian.into_dense();
        let functionals = objective.curvature(&state, z.clone())?;
        let curvature = gauss_newton_curvature(&z, &functionals, objective.cell_volume());
        self.covariance(grid, points, &curvature, functionals)
    }
}
