//! Dynamical systems dx/dt = v(x; θ) and the stationary densities of their noisy or restarted flows.
//!
//! [`VelocityField`] is the interface to a system ([`GenericField`] if its derivatives are to be automatic), [`system`] a list of well-known ones,
//! [`StationaryDensity`] the model θ → ρ on a grid with tangent and adjoint solves.
//!
//! ```
//! use wngd_adjoint::{ForwardModel, taylor_test};
//! use wngd_linalg::Grid;
//! use wngd_models::flow::{Discretisation, StationaryDensity, system};
//!
//! let vdp = system("van-der-pol").expect("a known name");
//! let grid = Grid::new(&vdp.lower, &vdp.upper, &[20, 24])?;
//! let scheme = Discretisation::ScharfetterGummel { diffusion: 0.2, restart: 1e-3 };
//! let model = StationaryDensity::new(vdp.field, grid.clone(), scheme, None, vdp.theta)?;
//! let rho = model.state(&[1.0])?.values;
//! assert!((grid.cell_volume() * rho.iter().sum::<f64>() - 1.0).abs() < 1e-12);
//! assert!(taylor_test(&model, &[1.0], &[0.5])?.rate > 1.9);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "autodiff")]
mod automatic;
mod constraint;
mod discretisation;
#[cfg(feature = "autodiff")]
mod expression;
mod field;
mod finite_volume;
mod parameters;
mod perturbation;
mod polynomial;
mod semi_lagrangian;
mod sensitivity;
mod solver;
mod stationary;
mod systems;

#[cfg(feature = "autodiff")]
pub use automatic::{Automatic, GenericField};
pub use constraint::FlowConstraint;
pub use discretisation::Discretisation;
#[cfg(feature = "autodiff")]
pub use expression::{Equations, ExpressionError, ExpressionField, Family, Line, Monomial, PolynomialForm};
pub use field::{FieldCheck, VelocityField, check_field};
pub use finite_volume::FaceSensitivity;
pub use perturbation::HatPerturbation;
pub use polynomial::Polynomial;
pub use sensitivity::FlowSensitivity;
pub use solver::{FlowFactor, FlowReport, Solver, SolverUsed};
pub use stationary::StationaryDensity;
pub use systems::{Chen, DoubleWell, Lorenz63, Roessler, SYSTEM_NAMES, System, Thomas, VanDerPol, system};
