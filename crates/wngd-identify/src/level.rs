//! A grid with model and metric on it, and fits on it.

use std::sync::Arc;

use wngd_adjoint::{ForwardModel, Linearization, ModelError};
use wngd_adjoint::{SolveCounts, State};
use wngd_linalg::faer::Mat;
use wngd_linalg::{Grid, LinearOp};
use wngd_models::flow::{Discretisation, StationaryDensity};
use wngd_models::{GaussianSmoothing, TrajectoryDensity};
use wngd_opt::{Armijo, Descent, Natural, NegativeSobolev, Outcome, Sobolev, SobolevOrder, Stop};
use wngd_opt::{Iteration, Keep};

use crate::error::IdentifyError;
use crate::problem::Problem;
use crate::view::View;

/// Marquardt damping of the directions.
const DAMPING: f64 = 1e-3;
/// Fraction of the promised decrease that a step must bring.
const C1: f64 = 1e-4;
/// Relative step at which a fit ends: below the noise, and above the kinks of the discretisation.
const RELATIVE_STEP: f64 = 3e-4;
/// Iterations of one fit.
const ITERATIONS: usize = 40;

/// What the fits on one grid share.
pub(crate) struct Level {
    pub(crate) model: Blurred,
    pub(crate) view: View,
    direction: Natural<Sobolev>,
}

impl Level {
    /// `noise`: standard deviation of the observations' noise per axis.
    pub(crate) fn new(
        problem: &Problem,
        grid: Grid,
        scheme: Discretisation,
        view: View,
        noise: &[f64],
    ) -> Result<Self, IdentifyError> {
        let metric = Sobolev::new(&grid, SobolevOrder::HomogeneousMinusOne);
        // The model sees what the data has gone through.
        let widths: Vec<f64> = noise.iter().zip(grid.spacing()).map(|(n, h)| n.hypot(view.smoothing * h)).collect();
        let blur = GaussianSmoothing::new(&grid, &widths).map_err(IdentifyError::Noise)?;
        let (field, free) = (Arc::clone(&problem.field), Some(problem.free.clone()));
        let density = StationaryDensity::new(field, grid, scheme, free, problem.theta.clone())?;
        let direction = Natural { damping: DAMPING, ..Natural::new(metric) };
        Ok(Self { model: Blurred { density, blur }, view, direction })
    }

    pub(crate) fn grid(&self) -> &Grid {
        self.model.density.grid()
    }

    pub(crate) fn objective(&self, density: Vec<f64>) -> Result<NegativeSobolev, IdentifyError> {
        Ok(NegativeSobolev::new(self.grid(), density)?)
    }

    /// The density of points, with the counts inside and outside the box.
    pub(crate) fn bin(&self, points: &[f64]) -> Result<TrajectoryDensity, IdentifyError> {
        self.view.density(self.grid(), points)
    }

    /// A fit, number `index` of the descents that are kept.
    pub(crate) fn fit(
        &self,
        density: Vec<f64>,
        theta: &[f64],
        (keep, index): (&dyn Keep, usize),
        watch: &mut dyn FnMut(&Iteration),
    ) -> Result<Outcome, IdentifyError> {
        let stop =
            Stop { iterations: ITERATIONS, relative_objective: 0.0, relative_step: RELATIVE_STEP, gradient: 0.0 };
        let objective = self.objective(density)?;
        let (model, direction) = (&self.model, &self.direction);
        let descent = Descent::new(model, &objective).direction(direction).stop(stop);
        Ok(descent.run_or_resume(index, theta, &mut Armijo::new(1.0, C1), keep, watch)?)
    }
}

/// A stationary density seen through a Gaussian: noise of the observations, smoothing of the data.
pub(crate) struct Blurred {
    pub(crate) density: StationaryDensity,
    blur: GaussianSmoothing,
}

impl ForwardModel for Blurred {
    type Jacobian = Mat<f64>;

    fn dim_param(&self) -> usize {
        self.density.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.density.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.density.parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        let mut state = self.density.state(theta)?;
        self.blur.apply(&mut state.values);
        Ok(state)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
        let Linearization { mut state, jacobian } = self.density.linearize(theta)?;
        let mut jacobian = jacobian.into_dense();
        self.blur.apply(&mut state.values);
        (0..jacobian.ncols()).for_each(|j| self.blur.apply(jacobian.col_as_slice_mut(j)));
        Ok(Linearization { state, jacobian })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.density.solve_counts()
    }
}
