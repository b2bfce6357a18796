//! Priors of a model at one point: residuals whose half squares are added to the objective.

use wngd_adjoint::{ForwardModel, Prior};
use wngd_linalg::faer::Mat;

/// A term ½r² in one parameter, r linear with a slope near the point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PriorTerm {
    /// Number of the parameter.
    pub parameter: usize,
    /// r, the root of the prior's weight included.
    pub residual: f64,
    /// Its derivative.
    pub slope: f64,
}

/// The terms of all priors at θ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriorTerms(Vec<PriorTerm>);

impl PriorTerms {
    /// Of a model; none for a model without priors.
    pub fn at<M: ForwardModel>(model: &M, theta: &[f64]) -> Self {
        Self::of(&model.priors(), theta)
    }

    /// Of a list of priors.
    pub fn of(priors: &[Prior], theta: &[f64]) -> Self {
        let term = |prior: &Prior| {
            let (residual, slope) = prior.residual(theta);
            PriorTerm { parameter: prior.parameter, residual, slope }
        };
        Self(priors.iter().map(term).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The terms.
    pub fn terms(&self) -> &[PriorTerm] {
        &self.0
    }

    /// Σ ½r², what they add to the objective.
    pub fn value(&self) -> f64 {
        self.0.iter().map(|term| 0.5 * term.residual * term.residual).sum()
    }

    /// Adds their gradient.
    pub fn add_gradient(&self, gradient: &mut [f64]) {
        self.0.iter().for_each(|term| gradient[term.parameter] += term.residual * term.slope);
    }

    /// Adds `factor` times their Gauss–Newton curvature to a matrix p x p.
    pub fn add_curvature(&self, matrix: &mut Mat<f64>, factor: f64) {
        self.0.iter().for_each(|term| matrix[(term.parameter, term.parameter)] += factor * term.slope * term.slope);
    }
}
