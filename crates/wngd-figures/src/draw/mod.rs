//! The figures, a file each.

mod basins;
mod convergence;
mod densities;
mod density;
mod estimators;
mod identifiability;
mod landscape;
mod parameters;
mod quadratic;
mod trajectories;

pub use basins::{BasinMap, BasinPanel};
pub use convergence::{Convergence, Series};
pub use densities::Densities;
pub use density::Density;
pub use estimators::{EstimatorCurve, EstimatorPanel, Estimators};
pub use identifiability::Spectrum;
pub use landscape::{Landscape, Trace};
pub use parameters::ParameterTrace;
pub use quadratic::{LocalModel, Profile, QuadraticModels, QuadraticPanel};
pub use trajectories::{Stretch, Trajectories};
