//! Natural gradient descent for inverse problems whose data is a density, Wasserstein first.
//!
//! A model maps parameters θ to a density ρ(θ) on a grid; data give ρ*; natural
//! gradient descent minimises d(ρ(θ), ρ*) along the direction that is steepest in
//! a metric of *density* space rather than of parameter space.
//!
//! ```
//! use std::sync::Arc;
//! use wngd::prelude::*;
//!
//! let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[40, 40])?;
//! let mixture = |mean: [f64; 2]| MixtureParameters {
//!     weights: vec![0.3, 0.7],
//!     means: vec![mean.to_vec(), vec![3.0, 2.0]],
//!     covariances: Covariances::Identity,
//! };
//! // Data: the same mixture with its first mean elsewhere.
//! let truth = GaussianMixture::new(grid.clone(), mixture([1.0, 3.0]), &["means[0]"])?;
//! let objective = LeastSquaresMisfit::new(&grid, truth.state(&[1.0, 3.0])?.values)?;
//!
//! let model = GaussianMixture::new(grid.clone(), mixture([4.2, 4.0]), &["means[0]"])?;
//! let direction = Natural::new(Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?)));
//! let fit = Descent::new(&model, &objective).direction(&direction).stop(Stop { iterations: 60, ..Stop::default() })
//! .run_with(&[4.2, 4.0], &mut Fixed { length: 55.0 }, &mut Silent)?;
//! assert!((fit.last().theta[0] - 1.0).abs() < 1e-4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Which crate
//! This facade adds no logic; each part also stands alone:
//! [`linalg`] (geometry and least squares), [`adjoint`] (models and their
//! sensitivities, for your own PDE code), [`models`] (mixtures, data on grids),
//! [`opt`] (descent), [`fit`] (mixtures to samples), [`identify`] (dynamical systems from points on their attractors), [`transport`] (exact ½W₂²
//! between histograms).
#![forbid(unsafe_code)]

mod error;

pub use error::Error;
pub use wngd_adjoint as adjoint;
pub use wngd_fit as fit;
pub use wngd_identify as identify;
pub use wngd_linalg as linalg;
pub use wngd_models as models;
pub use wngd_opt as opt;
pub use wngd_transport as transport;

/// The names most programs need.
pub mod prelude {
    pub use wngd_adjoint::{
        FnModel, ForwardModel, Linearization, ModelError, Normalised, State, dot_test, taylor_test,
    };
    pub use wngd_linalg::{FaceMean, Grid, LaplacianPlan, LinearOp};
    pub use wngd_models::{Covariances, Estimate, GaussianMixture, MixtureParameters, density_of_samples};
    pub use wngd_opt::{
        Armijo, Descent, DirectionSolver, FaceDensity, FisherRao, Fixed, Keep, KeepNothing, KullbackLeibler, L2,
        LeastSquaresMisfit, LevenbergMarquardt, LinearisedWasserstein, MatrixFree, Natural, NegativeSobolev, Objective,
        Observer, Outcome, Route, Silent, Sobolev, SobolevOrder, Standard, Status, Stop, Wasserstein, Wasserstein2,
    };
}
