//! Simulated moments: parameters at which simulations look like the data.
//!
//! The moments are means of cos and sin of w·x for random w, of points or, where there is an order, of points some steps apart,
//! of those variables that were measured. Replicates are simulated at θ as the data were sampled, and θ goes where their
//! moments are the data's, in the metric of the covariance of the difference: Gauss–Newton steps with derivatives by
//! differences between simulations of the same random numbers. Noise of the observations needs no simulation: it damps a
//! moment by exp(−½ wᵀSw). There are more moments than parameters; what is left of their difference is the misfit. How much means of
//! points in order scatter is told by whole replicates: what ends a record is in its mean, and no window shows it.
//!
//! Nothing but a simulation is asked of the model: variables may be hidden, order absent.
//!
//! # References
//! McFadden 1989, doi:10.2307/1913621; Duffie and Singleton 1993, doi:10.2307/2951768 (simulated moments); Carrasco and Florens
//! 2000, doi:10.1017/S0266466600166010 (characteristic functions as moments).

mod estimate;
mod features;
mod jacobian;
mod moments;
mod motion;
mod replicates;
mod search;
mod settle;

pub use estimate::SimulatedMoments;

/// The name of the estimator.
pub(crate) const NAME: &str = "simulated-moments";
