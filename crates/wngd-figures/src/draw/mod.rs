//! The figures, a file each.

mod basins;
mod convergence;
mod densities;
mod density;
mod estimators;
mod forest;
mod identifiability;
mod landscape;
mod likelihood_contour;
mod parameters;
mod profile;
mod pulls;
mod quadratic;
mod trajectories;

pub use basins::{BasinMap, BasinPanel};
pub use convergence::{Convergence, Series};
pub use densities::Densities;
pub use density::Density;
pub use estimators::{EstimatorCurve, EstimatorPanel, Estimators};
pub use forest::{Forest, ForestPanel};
pub use identifiability::Spectrum;
pub use landscape::{Landscape, Trace};
pub use likelihood_contour::{ContourLine, LikelihoodContours};
pub use parameters::ParameterTrace;
pub use profile::LikelihoodProfile;
pub use pulls::{PullPanel, Pulls};
pub use quadratic::{LocalModel, Profile, QuadraticModels, QuadraticPanel};
pub use trajectories::{Stretch, Trajectories};
