use wngd_linalg::{Bidiagonalization, LinearOp};

use super::{Found, Memory, Prepared, progress};
use crate::error::DirectionError;

/// Steps beyond which an iteration is given up; the error estimate then says how far it came.
const MAX_STEPS: usize = 400;
/// From this many steps on the small problem is solved only after every fifth.
const MANY: usize = 80;

impl<J: LinearOp> Prepared<'_, J> {
    /// Golub–Kahan steps until the error is small enough; the basis is kept for other dampings.
    pub(super) fn krylov(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let mut basis = match memory.basis.take() {
            Some(basis) => basis,
            None => Bidiagonalization::new(&self.y, &self.b)?,
        };
        let found = grow(&mut basis, &self.y, self.options.tolerance, |largest| self.mu(damping, largest));
        memory.basis = Some(basis);
        found
    }
}

/// Grows a basis until the solution for μ = `damping(σ₁²)` has the tolerance.
pub(super) fn grow(
    basis: &mut Bidiagonalization,
    a: &dyn LinearOp,
    tolerance: f64,
    damping: impl Fn(f64) -> f64,
) -> Result<Found, DirectionError> {
    loop {
        let steps = basis.len();
        let last = basis.is_complete() || steps >= MAX_STEPS;
        if last || steps < MANY || steps.is_multiple_of(5) {
            let mu = damping(basis.largest_singular_value()?.powi(2));
            let solution = basis.solve(mu)?;
            let (_, smallest) = solution.singular_values;
            // ½ rᵀ(G + μ)⁻¹r for the residual r: a bound by μ, an estimate by the smallest value seen.
            let floor = mu + smallest * smallest;
            let bound = if floor > 0.0 { 0.5 * solution.normal_residual.powi(2) / floor } else { f64::INFINITY };
            let gap = if basis.is_complete() { 0.0 } else { progress::gap(&basis.decreases(mu), bound) };
            let error = if gap == 0.0 { 0.0 } else { progress::relative_error(gap, solution.decrease) };
            if last || error <= tolerance {
                return Ok(Found {
                    eta: solution.x,
                    probes: 0,
                    iterations: steps,
                    mu,
                    error,
                    singular_values: solution.singular_values,
                    reason: None,
                });
            }
        }
        basis.extend(a);
    }
}
