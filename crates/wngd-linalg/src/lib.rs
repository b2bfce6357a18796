//! Linear algebra of natural gradients in density space.
//!
//! The staggered divergence B = −∇·(√ρ ·) on a grid, the pseudo-inverse of the
//! weighted Laplacian BBᵀ, and least squares that decide ranks and report what
//! they did. No model, no optimiser.
//!
//! ```
//! use faer::Mat;
//! use wngd_linalg::{LeastSquares, PivotedQr};
//!
//! // A straight line through three points, with a third column that repeats the second:
//! let a = Mat::from_fn(3, 3, |i, j| if j == 0 { 1.0 } else { i as f64 });
//! let fit = PivotedQr::default().solve(&a, &[1.0, 3.0, 5.0], None)?;
//! assert_eq!(fit.rank, 2);
//! // The minimum-norm solution shares the slope 2 between the twins.
//! assert!((fit.x[0] - 1.0).abs() < 1e-14 && (fit.x[1] - 1.0).abs() < 1e-14 && (fit.x[2] - 1.0).abs() < 1e-14);
//! # Ok::<(), wngd_linalg::LinalgError>(())
//! ```
//!
//! Parallel loops split their work by shape, never by thread count: results have
//! the same bits for any number of threads.
#![forbid(unsafe_code)]

pub mod dense;
pub mod lstsq;
pub mod operator;

mod cholesky;
mod divergence;
mod dominant_lu;
mod elimination;
mod error;
mod forest;
mod gram;
mod grid;
mod krylov;
mod laplacian;
mod multigrid;
mod ordering;
mod sparse;
mod sparse_lu;
mod spectral;

pub use cholesky::{Cholesky, Ordering, SymbolicCholesky};
pub use divergence::{ACTIVE_DENSITY, Divergence, FaceMean, check_density, face_densities, floor_density};
pub use dominant_lu::DominantLu;
pub use error::LinalgError;
pub use faer;
pub use gram::NormalSums;
pub use grid::{FaceBlock, Grid, MAX_CELLS};
pub use krylov::{BiCgStab, KrylovOptions, KrylovReport, KrylovStats, flow_order};
pub use laplacian::{
    EliminationChoice, EliminationKind, FactoredLaplacian, IterativeLaplacian, LaplacianPlan, LaplacianReport,
    MassLeak, WeightedLaplacian, valley_depth,
};
pub use lstsq::{
    Algorithm, Bidiagonalization, GradientProblem, GradientSolution, KrylovProgress, KrylovSolution, LeastSquares,
    Lsmr, LstsqSolution, NormalEquations, PivotedQr, RightHandSide, Svd, solve_information,
};
pub use operator::{Factorization, LinearOp, RowSource};
pub use ordering::nested_dissection;
pub use sparse::SparseMatrix;
pub use sparse_lu::{LuOrdering, SparseLu, SparseLuReport};
pub use spectral::NeumannLaplacian;
