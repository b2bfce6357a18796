//! Models θ → ρ with exact sensitivities, usable on their own.
//!
//! [`ForwardModel`] is an explicit map with its Jacobian; [`ImplicitConstraint`]
//! a state defined by g(ρ, θ) = 0, of which [`Implicit`] makes a forward model
//! with tangent and adjoint solves. [`taylor_test`] and [`dot_test`] are the
//! checks that every model here passes; run them on yours.
//!
//! No grid, metric or objective: plain ℝᵖ → ℝᵏ.
//!
//! ```
//! use wngd_adjoint::{Factorization, Implicit, ImplicitConstraint, ForwardModel, ModelError, dot_test, taylor_test};
//! use wngd_linalg::faer::{Mat, MatMut};
//!
//! /// ρ³ + ρ = θ, componentwise: g = ρ³ + ρ − θ.
//! struct Cubic;
//! struct Diagonal(Vec<f64>);
//! impl Factorization for Diagonal {
//!     fn dim(&self) -> usize { self.0.len() }
//!     fn apply_inverse(&self, mut b: MatMut<'_, f64>) {
//!         for j in 0..b.ncols() { for i in 0..b.nrows() { b[(i, j)] /= self.0[i]; } }
//!     }
//!     fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) { self.apply_inverse(b) }
//! }
//! impl ImplicitConstraint for Cubic {
//!     type StateFactor = Diagonal;
//!     type ParamJacobian = Mat<f64>;
//!     fn dim_param(&self) -> usize { 3 }
//!     fn dim_state(&self) -> usize { 3 }
//!     fn residual(&self, rho: &[f64], theta: &[f64]) -> Result<Vec<f64>, ModelError> {
//!         Ok(rho.iter().zip(theta).map(|(r, t)| r.powi(3) + r - t).collect())
//!     }
//!     fn solve_state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
//!         Ok(theta.iter().map(|&t| (0..50).fold(t, |r, _| r - (r.powi(3) + r - t) / (3.0 * r * r + 1.0))).collect())
//!     }
//!     fn factor_state_jacobian(&self, rho: &[f64], _: &[f64]) -> Result<Diagonal, ModelError> {
//!         Ok(Diagonal(rho.iter().map(|r| 3.0 * r * r + 1.0).collect()))
//!     }
//!     fn param_jacobian(&self, _: &[f64], _: &[f64]) -> Result<Mat<f64>, ModelError> {
//!         Ok(Mat::from_fn(3, 3, |i, j| if i == j { -1.0 } else { 0.0 }))
//!     }
//! }
//! let model = Implicit::new(Cubic);
//! let theta = [1.0, -2.0, 0.5];
//! assert!(taylor_test(&model, &theta, &[1.0, 0.7, -0.4])?.rate > 1.9);
//! assert!(dot_test(&model.linearize(&theta)?.jacobian, 7) < 1e-14);
//! # Ok::<(), ModelError>(())
//! ```
#![forbid(unsafe_code)]

mod checks;
mod error;
mod implicit;
mod model;

pub use checks::{TaylorTest, dot_test, taylor_test, taylor_test_scalar};
pub use error::ModelError;
pub use implicit::{Implicit, ImplicitConstraint, ImplicitJacobian};
pub use model::{ForwardModel, Linearization, SolveCounts, State};
pub use wngd_linalg::{Factorization, LinearOp};
