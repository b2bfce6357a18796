//! Sparse Cholesky with a reusable symbolic part, in parts that share no entry, and blocked triangular solves.

mod front;
mod numeric;
mod panel;
mod part;
mod symbolic;
#[cfg(test)]
mod tests;

pub(crate) use front::{RowsToSolve, SolvedRows};
pub use numeric::Cholesky;
pub use symbolic::{Ordering, SymbolicCholesky};

/// Right-hand sides per panel of a blocked triangular solve. A panel is
/// row-major, so that one row of it is one register block.
pub(crate) const PANEL: usize = 16;
