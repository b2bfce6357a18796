//! A W₂ direction in space: a mixture of two Gaussians, the mean of one of them free.

use std::error::Error;
use std::sync::Arc;

use wngd::models::MixtureParameters;
use wngd::prelude::*;

use super::process::timed;

/// Seconds of a direction on n³ cells by the information matrix.
pub(super) fn seconds(n: usize, repeat: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let grid = Grid::new(&[-5.0; 3], &[9.0; 3], &[n; 3])?;
    let mixture = |shift: f64| {
        let parameters = MixtureParameters {
            weights: vec![0.4, 0.6],
            means: vec![vec![0.5 + shift, 1.0 - shift, 1.5], vec![3.0, 2.5, 2.0]],
            covariances: Covariances::Isotropic(vec![1.5, 2.0]),
        };
        GaussianMixture::new(grid.clone(), parameters, &["means[0]"])
    };
    let (model, truth) = (mixture(0.0)?, mixture(0.3)?);
    let theta = model.theta();
    let objective = LeastSquaresMisfit::new(&grid, truth.state(&truth.theta())?.values)?;
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?));
    let solver = Natural { metric, route: Route::Information, damping: 0.0 };
    timed(repeat, || {
        let Linearization { state, jacobian } = model.linearize(&theta)?;
        let (_, u) = objective.derivative(&state)?;
        let point = wngd::opt::Point { theta: &theta, state: &state, iteration: 0, rounding: &[] };
        let prepared = solver.prepare(&point, jacobian, &u, grid.cell_volume())?;
        Ok(prepared.direction(0.0)?.eta)
    })
}
