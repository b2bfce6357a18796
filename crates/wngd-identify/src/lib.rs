//! Parameters of a dynamical system from points that it passed through.
//!
//! [`answer`] runs all estimators that apply to a [`Sample`] of [`Dynamics`] and says which to believe and whether the model fits:
//! [`WeakStationary`], the stationary equation in weak form, for points in any order; [`WeakInTime`], [`Shooting`] and [`Smoother`] for
//! points in order; [`SimulatedMoments`] where variables were not measured and there is no order. Points that are too many to be held are
//! a [`Stream`], which [`answer_streamed`] reads in parts.
//!
//! ```
//! use wngd_identify::{Dynamics, Question, Sample, Verdict, answer, simulate};
//! use wngd_models::flow::system;
//!
//! let roessler = system("roessler").expect("a known name");
//! let points = simulate(roessler.field.as_ref(), &roessler.theta, &roessler.start, 0.1, 4000, 100.0)?;
//! let sample = Sample::new(points, 3, vec![4000], Some(0.1))?;
//! let dynamics = Dynamics::written(&roessler.written()?, vec![0.25, 0.15, 5.0], None)?;
//! let found = answer(&dynamics, &sample, &Question::default())?;
//! assert_eq!(found.verdict, Verdict::Fits);
//! assert!((found.estimate().theta[2] - 5.7).abs() < 1e-5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`identify`] is another way: a fit of the stationary density on a grid, then indirect inference, which takes out the bias of the
//! discretisation. At the fit θ₀ the gradient of the objective vanishes for the data. With q = WZ at θ₀ held fixed, the
//! estimate θ is where it vanishes for trajectories simulated at θ too: |c| qᵀ(ρ_simulated(θ) − ρ*) = 0,
//! p moments of the invariant measure that the adjoint chose. The model's curvature H at θ₀ stands for
//! their Jacobian, so that a correction costs simulations and no fit. Fits of simulated trajectories
//! would do the same at many times the cost, and converge more slowly: their response to θ is
//! not the identity but H⁻¹ times the full Hessian, inverted.
//!
//! [`identify`] does that; [`simulate`] and [`Trajectory`] make trajectories, [`View`] makes densities of them,
//! [`time_scale`] tells how fast a system is and [`scheme_at`] which discretisation suits it.
//!
//! ```
//! use wngd_identify::{Problem, Settings, identify, simulate};
//! use wngd_linalg::Grid;
//! use wngd_models::{box_of, flow::system};
//! use wngd_opt::KeepNothing;
//!
//! let oscillator = system("van-der-pol").expect("a known name");
//! let points = simulate(oscillator.field.as_ref(), &[1.3], &oscillator.start, 0.1, 6000, 50.0)?;
//! let (lower, upper) = box_of(&points, 2, 0.1)?;
//! let grid = Grid::new(&lower, &upper, &[20, 20])?;
//! let problem = Problem::new(oscillator.field, vec![1.0], None)?;
//! let settings = Settings { dt: Some(0.1), ..Settings::default() };
//! let found = identify(&problem, &points, grid, &settings, &KeepNothing, &mut |_| {})?;
//! assert!((found.theta[0] / 1.3 - 1.0).abs() < 0.01);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # References
//! Gouriéroux, Monfort and Renault 1993, doi:10.1002/jae.3950080507; Gallant and Tauchen 1996,
//! doi:10.1017/S0266466600006976.
#![forbid(unsafe_code)]

mod answer;
mod checks;
mod choice;
mod cloud;
mod correct;
mod distribution;
mod driven;
mod dynamics;
mod error;
mod estimate;
mod estimates;
mod event;
mod flow_map;
mod found;
mod hotelling;
mod identify;
mod level;
mod noise;
mod points;
mod problem;
mod residuals;
mod rounding;
mod sample;
mod scale;
mod score;
mod shifts;
mod shooting;
mod simulate;
mod simulated;
mod smoother;
mod spread;
mod stoppable;
mod stream;
mod streamed;
mod view;
mod weak;
mod weak_time;

pub use answer::{Answer, ESTIMATORS, NoiseLevel, Question, Verdict, answer, answer_with, side_by_side};
pub use dynamics::Dynamics;
pub use error::{IdentifyError, PointsError, SampleError, SettingsError, SimulateError};
pub use estimate::{Estimate, Misfit, REJECTED};
pub use estimates::Estimates;
pub use event::Event;
pub use found::{Correction, Identification};
pub use identify::identify;
pub use points::{Clock, InMemory, Points, Rows};
pub use problem::{Problem, Settings};
pub use residuals::{StepResiduals, moment_residuals, step_residuals};
pub use sample::Sample;
pub use scale::{scheme_at, time_scale};
pub use score::Identifiability;
pub use shifts::SHIFT;
pub use shooting::Shooting;
pub use simulate::{Noise, Trajectory, perturbed, simulate};
pub use simulated::SimulatedMoments;
pub use smoother::Smoother;
pub use stream::Stream;
pub use streamed::answer_streamed;
pub use view::View;
pub use weak::{NoiseVariance, Undetermined, WeakStationary};
pub use weak_time::WeakInTime;
