//! Stopping rule, and what the solves report.

use std::sync::atomic::{AtomicU64, AtomicUsize};

/// Tolerance and limits of a [`BiCgStab`](crate::BiCgStab).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KrylovOptions {
    /// Relative residual ‖b − Ax‖/‖b‖ to reach. Where rounding in the residual itself is
    /// larger, reaching that rounding counts as convergence.
    pub tolerance: f64,
    /// Iterations allowed per right-hand side.
    pub max_iterations: usize,
}

impl Default for KrylovOptions {
    fn default() -> Self {
        Self { tolerance: 1e-12, max_iterations: 1000 }
    }
}

/// What one block of solves took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KrylovReport {
    /// Most iterations of any column.
    pub iterations: usize,
    /// Largest true relative residual of any column.
    pub residual: f64,
    /// Columns that missed the tolerance.
    pub missed: usize,
}

/// What all solves with one [`BiCgStab`](crate::BiCgStab) took so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KrylovStats {
    /// Right-hand sides solved.
    pub solves: usize,
    /// Most iterations of any right-hand side.
    pub iterations: usize,
    /// Largest true relative residual of any right-hand side.
    pub residual: f64,
    /// Right-hand sides that missed the tolerance.
    pub missed: usize,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) solves: AtomicUsize,
    pub(super) iterations: AtomicUsize,
    pub(super) missed: AtomicUsize,
    /// Bits of a non-negative number: these order as the numbers do.
    pub(super) residual: AtomicU64,
}
