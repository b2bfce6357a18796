//! Natural gradient descent in density space.
//!
//! One line: θ → ρ, Z → metric → least squares → step → trace. An
//! [`Objective`] compares a model's state with data, a [`Metric`] whitens the
//! Jacobian, a [`DirectionSolver`] solves min ‖b + Yη‖, a [`StepRule`] chooses
//! the length, and [`Descent`] repeats. The parts are orthogonal: any objective
//! with any metric, any direction with any step.
//!
//! ```
//! use wngd_adjoint::{ForwardModel, Linearization, ModelError, State};
//! use wngd_linalg::faer::Mat;
//! use wngd_opt::{Armijo, Descent, L2, LeastSquaresMisfit, Natural, Silent, Stop};
//!
//! /// y = θ₀ exp(−θ₁ x) at x = 0, 1, …, 7.
//! struct Decay;
//! impl ForwardModel for Decay {
//!     type Jacobian = Mat<f64>;
//!     fn dim_param(&self) -> usize { 2 }
//!     fn dim_state(&self) -> usize { 8 }
//!     fn state(&self, t: &[f64]) -> Result<State, ModelError> {
//!         Ok(State::new((0..8).map(|x| t[0] * (-t[1] * x as f64).exp()).collect()))
//!     }
//!     fn linearize(&self, t: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
//!         let e = |x: usize| (-t[1] * x as f64).exp();
//!         let jacobian = Mat::from_fn(8, 2, |x, j| if j == 0 { e(x) } else { -t[0] * x as f64 * e(x) });
//!         Ok(Linearization { state: self.state(t)?, jacobian })
//!     }
//! }
//! let objective = LeastSquaresMisfit::plain(Decay.state(&[2.0, 0.5])?.values)?;
//! let fit = Descent::new(&Decay, &objective).direction(&Natural::new(L2))
//!     .run_with(&[1.0, 1.0], &mut Armijo::new(1.0, 1e-4), &mut Silent)?;
//! assert_eq!(fit.status.name(), "converged");
//! assert!((fit.last().theta[1] - 0.5).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod basin;
mod by_rows;
pub mod objective;

mod curvature;
mod descent;
mod direction;
mod error;
mod estimate;
mod goodness;
mod held;
mod keep;
mod matrix_free;
mod metric;
mod natural;
mod prior;
mod profile;
mod quadratic;
mod stationarity;
mod step;
mod uncertainty;

pub use curvature::gauss_newton_curvature;
pub use descent::{Descent, Iteration, Observer, Outcome, Progress, Silent, StandardErrors, Status, Stop};
pub use direction::{Direction, DirectionSolver, PreparedDirection, Standard};
pub use error::{DescentError, DirectionError, MetricError, ObjectiveError};
pub use estimate::{EstimateReport, Estimator};
pub use goodness::{GoodnessOfFit, goodness_of_fit};
pub use keep::{Finished, Keep, KeepNothing};
pub use matrix_free::MatrixFree;
pub use metric::{
    FaceDensity, FaceDensityFn, FisherRao, L2, LocalMetric, Metric, Point, Sobolev, SobolevOrder, Wasserstein2,
    Whitened,
};
pub use natural::{Natural, Route};
pub use objective::{
    KullbackLeibler, LeastSquaresMisfit, LinearisedWasserstein, NegativeSobolev, Objective, Wasserstein,
};
pub use prior::{PriorTerm, PriorTerms};
pub use profile::{Crossing, ProfileError, ProfileLikelihood, ProfilePoint};
pub use quadratic::LocalModel;
pub use stationarity::Stationarity;
pub use step::{Armijo, ArmijoStart, Fixed, LevenbergMarquardt, Step, StepOutcome, StepRule, Trial, TrialValue};
pub use uncertainty::{
    LinearMap, Sampled, Uncertainty, UncertaintyError, sampling_covariance, sandwich_covariance, standard_errors,
    uncertainty,
};
pub use wngd_transport as transport;
