//! Directions of W₂ where a void parts the density.
#![allow(clippy::unwrap_used)]
// References keep the digits they were computed with.
#![allow(clippy::excessive_precision)]

use std::sync::Arc;

use wngd::opt::Point;
use wngd::prelude::*;

/// Two normal modes 34 scatters apart: on a line the flux of a tangent is its cumulative sum, and the direction was
/// solved from that in 120 decimal digits.
#[test]
fn directions_across_a_void_are_those_of_a_hundred_digits() {
    let grid = Grid::new(&[-40.0], &[40.0], &[160]).unwrap();
    let mixture = |weight: f64, means: [f64; 2]| {
        let parameters = MixtureParameters {
            weights: vec![weight, 1.0 - weight],
            means: means.iter().map(|m| vec![*m]).collect(),
            covariances: Covariances::Diagonal(vec![vec![1.0]; 2]),
        };
        GaussianMixture::new(grid.clone(), parameters, &["weights", "means"]).unwrap()
    };
    let (model, data) = (mixture(0.3, [-17.0, 17.0]), mixture(0.4, [-16.5, 16.0]));
    let data = data.state(&data.theta()).unwrap();
    let objective = LeastSquaresMisfit::new(&grid, data.values).unwrap();
    let theta = model.theta();
    let linear = model.linearize(&theta).unwrap();
    let (_, u) = objective.derivative(&linear.state).unwrap();
    let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid).unwrap()));
    let expected = [-5.416197637375175e-63, 0.026418172245569273, -0.06570430212204666];
    for route in [Route::Qr, Route::Svd, Route::Information] {
        let rule = Natural { metric: &metric, route, damping: 0.0 };
        let prepared = rule.prepare(&point, linear.jacobian.clone(), &u, objective.cell_volume()).unwrap();
        assert_eq!(prepared.laplacian().unwrap().voids, 1);
        let direction = prepared.direction(0.0).unwrap();
        assert_eq!(direction.rank, 3, "{route:?}");
        for (found, expected) in direction.eta.iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-12, "{route:?}: {found:e} for {expected:e}");
        }
    }
}
