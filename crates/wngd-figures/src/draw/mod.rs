//! The figures, a file each.

mod basins;
mod binned;
mod convergence;
mod covariance;
mod densities;
mod density;
mod estimators;
mod identifiability;
mod landscape;
mod likelihood_contour;
mod parameters;
mod paths;
mod profile;
mod pulls;
mod quadratic;
mod residuals;
mod samples;
mod trajectories;

pub use basins::{BasinMap, BasinPanel};
pub use binned::{Bin, BinnedFit, Curve};
pub use convergence::{Convergence, Series};
pub use covariance::ParameterCovariance;
pub use densities::Densities;
pub use density::Density;
pub use estimators::{EstimatorCurve, EstimatorPanel, Estimators};
pub use identifiability::Spectrum;
pub use landscape::{Landscape, Trace};
pub use likelihood_contour::{ContourLine, LikelihoodContours};
pub use parameters::ParameterTrace;
pub use paths::{MeanPaths, Paths};
pub use profile::LikelihoodProfile;
pub use pulls::{PullPanel, Pulls};
pub use quadratic::{LocalModel, Profile, QuadraticModels, QuadraticPanel};
pub use residuals::Residuals;
pub use samples::{Cloud, SampleFit};
pub use trajectories::{Stretch, Trajectories};
