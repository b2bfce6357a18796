//! Parametric densities θ → ρ with exact sensitivities.
//!
//! [`flow`] holds dynamical systems and their stationary densities on a grid.
//!
//! Results have the same bits for any number of threads.
#![forbid(unsafe_code)]

pub mod flow;
