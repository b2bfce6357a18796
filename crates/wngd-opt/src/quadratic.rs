use wngd_linalg::faer::Mat;

use crate::step::Step;

/// The local quadratic model of f that a step minimises:
/// m(h) = f(θ) + ∇fᵀh + (1/2τ) hᵀGh, minimal at h = τη (deck, Fig. 4).
#[derive(Debug, Clone)]
pub struct LocalModel {
    /// θ, p values.
    pub theta: Vec<f64>,
    /// f(θ).
    pub value: f64,
    /// ∇f(θ), p values.
    pub gradient: Vec<f64>,
    /// G, p x p; the identity for the standard gradient.
    pub information: Mat<f64>,
    /// Step length τ taken.
    pub tau: f64,
    /// Displacement taken.
    pub step: Vec<f64>,
}

impl LocalModel {
    pub(crate) fn new(theta: &[f64], value: f64, gradient: &[f64], information: Mat<f64>, step: &Step) -> Self {
        Self {
            theta: theta.to_vec(),
            value,
            gradient: gradient.to_vec(),
            information,
            tau: step.length,
            step: step.theta.iter().zip(theta).map(|(new, old)| new - old).collect(),
        }
    }

    /// m(h) for a displacement h (p values).
    pub fn at(&self, h: &[f64]) -> f64 {
        let p = h.len().min(self.gradient.len());
        let linear: f64 = (0..p).map(|i| self.gradient[i] * h[i]).sum();
        let bend: f64 = (0..p).map(|i| (0..p).map(|j| h[i] * self.information[(i, j)] * h[j]).sum::<f64>()).sum();
        self.value + linear + bend / (2.0 * self.tau)
    }
}
