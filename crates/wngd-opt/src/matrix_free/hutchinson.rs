use wngd_linalg::LinearOp;
use wngd_linalg::dense::{norm, small_svd};
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};

use super::prepared::{Found, Memory, Prepared};
use crate::error::DirectionError;

/// Probes unless told otherwise.
const PROBES: usize = 64;

impl<J: LinearOp> Prepared<'_, J> {
    /// η with min ‖b + H_m(Y)η‖ and H_m(Y) = (1/m) Σ (L h)(hᵀZ), for W₂ the published (1/m) Σ B†h hᵀZ
    /// in half-whitened coordinates. The m + 1 solves include the gradient, which only the error needs.
    pub(super) fn hutchinson(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let m = self.options.probes.unwrap_or(PROBES);
        let h = self.options.draw.block(self.y.dim_state(), 0, m);
        let products = self.y.adjoint(h.as_ref());
        // L H = Q R: min ‖Qᵀb + (1/m) R (ZᵀH)ᵀη‖ has the same solutions, with few rows.
        let qr = self.y.whiten(h).qr();
        let (q, r) = (qr.compute_thin_Q(), qr.thin_R().to_owned());
        let small = &r * products.transpose() * wngd_linalg::faer::Scale(1.0 / m as f64);
        let rhs = apply_transpose_vec(&q, &self.b);
        // Few rows, p columns: the singular value decomposition gives minimum norm and any damping.
        let (left, sigma, right) = small_svd(small.as_ref())?;
        let largest = sigma.first().copied().unwrap_or(0.0);
        let mu = self.mu(damping, largest * largest);
        let floor = f64::EPSILON * small.nrows().max(small.ncols()) as f64 * largest;
        let weights: Vec<f64> = apply_transpose_vec(&left, &rhs)
            .iter()
            .zip(&sigma)
            .map(|(c, s)| if *s > floor { c * s / (s * s + mu) } else { 0.0 })
            .collect();
        let eta = apply_vec(&right, &weights);
        // No approximate inverse comes with it: the residual is compared with the gradient.
        let g = self.gradient(memory);
        let residual = self.residual(&eta, &g, mu);
        let error = if norm(&g) > 0.0 { norm(&residual) / norm(&g) } else { 0.0 };
        let smallest = sigma.last().copied().unwrap_or(0.0);
        let reason = Some("as published; its error is the relative residual".to_string());
        Ok(Found { eta, probes: m, iterations: 0, mu, error, singular_values: (largest, smallest), reason })
    }
}
