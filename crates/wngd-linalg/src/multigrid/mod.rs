//! Conjugate gradients with a multigrid cycle for weighted Laplacians of the plane.
//!
//! Coarse points are every second cell along an axis. Interpolation follows the weights (Dendy 1982,
//! doi:10.1016/0021-9991(82)90057-2): a fine value is what the equation in its cell makes of the coarse values beside
//! it, so that densities over hundreds of decades, with drifts that coarse grids do not resolve, are smoothed and
//! interpolated as they are. Coarse operators are Galerkin products, kept as Laplacians of nine-point graphs.
//! Axes with narrower cells are coarsened first.

mod coarsest;
mod conjugate;
mod galerkin;
mod hierarchy;
mod interpolation;
mod level;
#[cfg(test)]
mod tests;

pub(crate) use conjugate::{Solved, Stop};
pub(crate) use hierarchy::Multigrid;
