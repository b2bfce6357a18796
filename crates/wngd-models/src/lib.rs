//! Models whose state is a density on a grid, and data observed on the same grid.
//!
//! [`GaussianMixture`] is explicit, and so are [`components`] of one coordinate; [`flow`] holds dynamical systems and their
//! stationary densities, defined by a constraint. [`Diffusion`] has a parameter per
//! cell: a model whose Jacobian nobody would store.
//!
//! ```
//! use wngd_adjoint::{ForwardModel, taylor_test};
//! use wngd_linalg::Grid;
//! use wngd_models::{Covariances, GaussianMixture, MixtureParameters};
//!
//! let grid = Grid::new(&[-6.0, -6.0], &[11.0, 11.0], &[40, 40])?;
//! let parameters = MixtureParameters {
//!     weights: vec![0.3, 0.7],
//!     means: vec![vec![4.2, 4.0], vec![3.0, 2.0]],
//!     covariances: Covariances::Identity,
//! };
//! let model = GaussianMixture::new(grid, parameters, &["means[0]"])?;
//! assert_eq!(model.parameter_names(), ["means[0][0]", "means[0][1]"]);
//! assert!(taylor_test(&model, &[4.2, 4.0], &[1.0, -0.5])?.rate > 1.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod components;
pub mod flow;

mod diffusion;
#[cfg(feature = "autodiff")]
mod dual;
mod long_run;
mod mixture;
mod observe;
mod smoothing;
mod trajectory;

pub use diffusion::Diffusion;
#[cfg(feature = "autodiff")]
pub use dual::dual_model;
pub use mixture::{
    Covariances, GaussianMixture, MixtureByRows, MixtureError, MixtureField, MixtureParameters, MixturePart,
    MixtureRows,
};
pub use observe::{Estimate, Observation, ObserveError, density_of_samples, density_of_weighted_samples};
pub use smoothing::{GaussianSmoothing, WidthError};
// The numbers that formulas to be differentiated are written in.
pub use long_run::{LongRun, long_run_covariance};
#[cfg(feature = "autodiff")]
pub use num_dual;
pub use trajectory::{Binning, TrajectoryDensity, TrajectoryError, bin_trajectory, box_of};
