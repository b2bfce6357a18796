use wngd_linalg::{Bidiagonalization, KrylovSolution, LinearOp};

use super::prepared::{Found, Memory, Prepared};
use super::progress;
use crate::error::DirectionError;

/// Steps beyond which an iteration is given up; the error estimate then says how far it came.
const MAX_STEPS: usize = 400;

impl<J: LinearOp> Prepared<'_, J> {
    /// Golub–Kahan steps until the error is small enough; the basis is kept for other dampings.
    pub(super) fn krylov(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let mut basis = match memory.basis.take() {
            Some(basis) => basis,
            None => Bidiagonalization::new(&self.y, &self.b, &self.gradient(memory))?,
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
        let mu = damping(basis.largest_singular_value().powi(2));
        let found = basis.progress(mu);
        // ½ rᵀ(G + μ)⁻¹r for the residual r: a bound by μ, an estimate by the smallest pivot seen.
        let floor = if mu > 0.0 { mu } else { found.smallest_pivot.powi(2) };
        let bound = 0.5 * found.normal_residual.powi(2) / floor;
        let decrease = found.decreases[basis.len()];
        let gap = if basis.is_complete() { 0.0 } else { progress::gap(&found.decreases, bound) };
        let error = if gap == 0.0 && basis.is_complete() { 0.0 } else { progress::relative_error(gap, decrease) };
        if basis.is_complete() || basis.len() >= MAX_STEPS || error <= tolerance {
            let KrylovSolution { x: eta, singular_values, .. } = basis.solve(mu)?;
            return Ok(Found { eta, probes: 0, iterations: basis.len(), mu, error, singular_values, reason: None });
        }
        basis.extend(a);
    }
}
