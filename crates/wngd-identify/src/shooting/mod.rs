//! Shooting for ordered data: x_{i+1} = Φ_Δt(x_i; θ).
//!
//! One step is exact on clean data at any Δt that the flow can be followed over; noise of the observations biases it
//! (errors in variables), so that what is left of the residuals is looked at: their covariance from one step to the next
//! tells observation noise from dynamical noise, and random functions of the points tell whether a term is missing.
//! With noise, windows of several points with free states take its place.

mod expected;
mod noise;
mod pairs;
mod residuals;
mod solve;
mod windows;

pub(crate) use expected::expected;
pub(crate) use noise::{Origin, origin};
pub use solve::Shooting;
