//! Nyström's approximation of the information matrix.

use wngd_linalg::dense::{beside, small_svd};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{LinalgError, LinearOp};

/// G ≈ U diag(Λ) Uᵀ from a random test matrix Ω.
///
/// The Nyström approximation GΩ(ΩᵀGΩ)⁻¹ΩᵀG is YᵀQQᵀY with Q an orthonormal basis of YΩ: in this form
/// there is nothing to shift or to invert, and columns can be added.
pub(super) struct Nystrom {
    /// Q, rows x r.
    range: Mat<f64>,
    /// YᵀQ, p x r.
    products: Mat<f64>,
    /// U, p x r.
    vectors: Mat<f64>,
    /// Λ, decreasing.
    pub(super) values: Vec<f64>,
}

impl Nystrom {
    pub(super) fn empty(y: &dyn LinearOp) -> Self {
        let (rows, p) = (y.nrows(), y.ncols());
        let none = |n| Mat::zeros(n, 0);
        Self { range: none(rows), products: none(p), vectors: none(p), values: Vec::new() }
    }

    pub(super) fn rank(&self) -> usize {
        self.values.len()
    }

    /// # Cost
    /// One tangent and one adjoint solve per new column, each in one block.
    pub(super) fn extend(&mut self, y: &dyn LinearOp, omega: Mat<f64>) -> Result<(), LinalgError> {
        let mut image = Mat::zeros(y.nrows(), omega.ncols());
        y.apply(image.as_mut(), omega.as_ref());
        let known = beside(self.range.as_ref(), image.as_ref());
        let q = known.qr().compute_thin_Q();
        let new = q.subcols(self.rank(), omega.ncols()).to_owned();
        let mut w = Mat::zeros(y.ncols(), new.ncols());
        y.apply_transpose(w.as_mut(), new.as_ref());
        // Q of [Q_old, image] repeats the old columns up to their signs, which the products do not feel.
        self.range = beside(self.range.as_ref(), new.as_ref());
        self.products = beside(self.products.as_ref(), w.as_ref());
        let (vectors, sigma, _) = small_svd(self.products.as_ref())?;
        self.vectors = vectors;
        self.values = sigma.iter().map(|s| s * s).collect();
        Ok(())
    }

    pub(super) fn largest(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    /// U(Λ + μ)⁻¹Uᵀv + (I − UUᵀ)v/(λ_r + μ).
    pub(super) fn apply_inverse(&self, v: &[f64], mu: f64) -> Vec<f64> {
        let rest = 1.0 / (self.values.last().copied().unwrap_or(0.0) + mu);
        let along = apply_transpose_vec(&self.vectors, v);
        let scaled: Vec<f64> = along.iter().zip(&self.values).map(|(a, l)| a * (1.0 / (l + mu) - rest)).collect();
        apply_vec(&self.vectors, &scaled).iter().zip(v).map(|(u, v)| u + rest * v).collect()
    }
}
