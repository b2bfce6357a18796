//! Stopping rule, and what the solves report.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

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

/// What all solves with one matrix took so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KrylovStats {
    /// Right-hand sides solved.
    pub solves: usize,
    /// Most iterations of any right-hand side.
    pub iterations: usize,
    /// Largest true relative residual of any right-hand side; with multigrid, largest estimated error in the energy
    /// norm relative to the solution's.
    pub residual: f64,
    /// What it is held against.
    pub tolerance: f64,
    /// Right-hand sides that missed the tolerance.
    pub missed: usize,
}

/// [`KrylovStats`] as they come, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    solves: AtomicUsize,
    iterations: AtomicUsize,
    missed: AtomicUsize,
    /// Bits of a non-negative number: these order as the numbers do.
    residual: AtomicU64,
}

impl Counters {
    pub(crate) fn add(&self, columns: usize, report: &KrylovReport) {
        self.solves.fetch_add(columns, Ordering::Relaxed);
        self.iterations.fetch_max(report.iterations, Ordering::Relaxed);
        self.missed.fetch_add(report.missed, Ordering::Relaxed);
        self.residual.fetch_max(report.residual.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn stats(&self, tolerance: f64) -> KrylovStats {
        KrylovStats {
            solves: self.solves.load(Ordering::Relaxed),
            iterations: self.iterations.load(Ordering::Relaxed),
            residual: f64::from_bits(self.residual.load(Ordering::Relaxed)),
            tolerance,
            missed: self.missed.load(Ordering::Relaxed),
        }
    }
}
