//! A component ready to be evaluated, and the parameters it is made from, in the coordinates of the fit.

use crate::dense;

/// Weights, means and covariances in the coordinates of the fit.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub dim: usize,
    pub weights: Vec<f64>,
    /// A mean per component.
    pub means: Vec<Vec<f64>>,
    /// A d x d matrix per component.
    pub covariances: Vec<Vec<f64>>,
}

impl Parameters {
    pub(crate) fn components(&self) -> usize {
        self.weights.len()
    }

    /// The components; none where a weight or covariance is out of its domain.
    pub(crate) fn prepare(&self) -> Option<Vec<Component>> {
        (0..self.components())
            .map(|k| Component::new(self.weights[k], &self.means[k], &self.covariances[k], self.dim))
            .collect()
    }

    /// The same with the components in another order.
    pub(crate) fn permuted(&self, order: &[usize]) -> Self {
        Self {
            dim: self.dim,
            weights: order.iter().map(|&k| self.weights[k]).collect(),
            means: order.iter().map(|&k| self.means[k].clone()).collect(),
            covariances: order.iter().map(|&k| self.covariances[k].clone()).collect(),
        }
    }
}

/// w N(x; μ, LLᵀ).
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub weight: f64,
    pub mean: Vec<f64>,
    /// L, a lower triangle.
    pub lower: Vec<f64>,
    /// L⁻¹.
    pub inverse: Vec<f64>,
    /// ln w − ln det L − d/2 ln 2π.
    pub log_scale: f64,
    /// Whether L is diagonal.
    pub diagonal: bool,
}

impl Component {
    fn new(weight: f64, mean: &[f64], covariance: &[f64], dim: usize) -> Option<Self> {
        if !(weight > 0.0) || mean.iter().any(|m| !m.is_finite()) {
            return None;
        }
        let lower = dense::cholesky(covariance, dim)?;
        let inverse = dense::invert_lower(&lower, dim);
        let log_determinant: f64 = (0..dim).map(|a| lower[a * dim + a].ln()).sum();
        let log_scale = weight.ln() - log_determinant - 0.5 * dim as f64 * (2.0 * std::f64::consts::PI).ln();
        let diagonal = (0..dim).all(|a| (0..a).all(|b| lower[a * dim + b] == 0.0));
        Some(Self { weight, mean: mean.to_vec(), lower, inverse, log_scale, diagonal })
    }

    /// ln w N(x), and L⁻¹(x − μ) into `y`.
    pub(crate) fn log_density(&self, x: &[f64], y: &mut [f64]) -> f64 {
        let dim = x.len();
        let mut log = self.log_scale;
        for a in 0..dim {
            y[a] = (0..=a).map(|b| self.inverse[a * dim + b] * (x[b] - self.mean[b])).sum();
            log -= 0.5 * y[a] * y[a];
        }
        log
    }
}

/// ln Σ eᵗ without overflow; the terms become shares of the sum.
pub(crate) fn log_sum(terms: &mut [f64]) -> f64 {
    let largest = terms.iter().fold(f64::NEG_INFINITY, |m, &t| m.max(t));
    if largest == f64::NEG_INFINITY {
        terms.fill(0.0);
        return largest;
    }
    terms.iter_mut().for_each(|t| *t = (*t - largest).exp());
    let sum: f64 = terms.iter().sum();
    terms.iter_mut().for_each(|t| *t /= sum);
    largest + sum.ln()
}
