use wngd_linalg::dense::{dot, norm, small_svd};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{LinalgError, LinearOp};

use super::{Found, Memory, Prepared, progress};
use crate::error::DirectionError;

/// Rank of the approximation unless told otherwise.
const RANK: usize = 16;
/// Conjugate-gradient steps after which the iteration is given up.
const MAX_STEPS: usize = 400;

/// G ≈ U diag(Λ) Uᵀ from a random test matrix.
pub(super) struct Nystrom {
    /// U, p x r.
    vectors: Mat<f64>,
    /// Λ, decreasing.
    values: Vec<f64>,
}

impl Nystrom {
    /// The Nyström approximation GΩ(ΩᵀGΩ)⁻¹ΩᵀG is YᵀQQᵀY with Q an orthonormal basis of YΩ: in this form
    /// there is nothing to shift or to invert.
    ///
    /// # Cost
    /// r tangent and r adjoint solves in two blocks.
    fn new(y: &dyn LinearOp, omega: Mat<f64>) -> Result<Self, LinalgError> {
        let mut image = Mat::zeros(y.nrows(), omega.ncols());
        y.apply(image.as_mut(), omega.as_ref());
        let q = image.qr().compute_thin_Q();
        let mut w = Mat::zeros(y.ncols(), q.ncols());
        y.apply_transpose(w.as_mut(), q.as_ref());
        let (vectors, sigma, _) = small_svd(w.as_ref())?;
        Ok(Self { vectors, values: sigma.iter().map(|s| s * s).collect() })
    }

    fn largest(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    /// U(Λ + μ)⁻¹Uᵀv + (I − UUᵀ)v/(λ_r + μ).
    fn apply_inverse(&self, v: &[f64], mu: f64) -> Vec<f64> {
        let rest = 1.0 / (self.values.last().copied().unwrap_or(0.0) + mu);
        let along = apply_transpose_vec(&self.vectors, v);
        let scaled: Vec<f64> = along.iter().zip(&self.values).map(|(a, l)| a * (1.0 / (l + mu) - rest)).collect();
        apply_vec(&self.vectors, &scaled).iter().zip(v).map(|(u, v)| u + rest * v).collect()
    }
}

impl<J: LinearOp> Prepared<'_, J> {
    /// Conjugate gradients on (G + μ)η = Yᵀb, preconditioned.
    pub(super) fn nystrom(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let p = self.y.ncols();
        let rank = self.options.probes.unwrap_or(RANK).min(p);
        let g = self.gradient(memory);
        let approximation = match memory.nystrom.take() {
            Some(approximation) => approximation,
            None => Nystrom::new(&self.y, self.options.draw.block(p, 0, rank))?,
        };
        let mu = self.mu(damping, approximation.largest());
        if mu == 0.0 && approximation.values.last().is_none_or(|v| *v == 0.0) {
            memory.nystrom = Some(approximation);
            return Err(DirectionError::NeedsDamping { estimator: "nystrom" });
        }
        let mut eta = vec![0.0; p];
        let mut r = g.clone();
        let mut s = approximation.apply_inverse(&r, mu);
        let mut d = s.clone();
        let mut size = dot(&r, &s);
        let (mut decreases, mut steps, mut error) = (vec![0.0], 0, 1.0);
        if size == 0.0 {
            error = 0.0;
        }
        while error > self.options.tolerance && steps < MAX_STEPS {
            let mut hd = apply_transpose_vec(&self.y, &apply_vec(&self.y, &d));
            hd.iter_mut().zip(&d).for_each(|(h, d)| *h += mu * d);
            let alpha = size / dot(&d, &hd);
            if !alpha.is_finite() {
                break;
            }
            eta.iter_mut().zip(&d).for_each(|(e, d)| *e += alpha * d);
            r.iter_mut().zip(&hd).for_each(|(r, h)| *r -= alpha * h);
            decreases.push(decreases[steps] + 0.5 * alpha * size);
            steps += 1;
            s = approximation.apply_inverse(&r, mu);
            let next = dot(&r, &s);
            let bound = if mu > 0.0 { 0.5 * norm(&r).powi(2) / mu } else { f64::INFINITY };
            error = progress::relative_error(progress::gap(&decreases, bound), decreases[steps]);
            d.iter_mut().zip(&s).for_each(|(d, s)| *d = s + next / size * *d);
            size = next;
        }
        let values = (approximation.largest().sqrt(), (approximation.values.last().copied().unwrap_or(0.0)).sqrt());
        memory.nystrom = Some(approximation);
        Ok(Found { eta, probes: rank, iterations: steps, mu, error, singular_values: values, reason: None })
    }
}
