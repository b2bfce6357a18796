//! Y and what is kept of it for several dampings.

use std::sync::Mutex;

use wngd_adjoint::Probes;
use wngd_linalg::dense::{dot, gram, symmetric_eigen};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{Bidiagonalization, GradientProblem, LaplacianReport, LeastSquares, LinearOp, PivotedQr};

use super::approximation::Nystrom;
use super::operator::WhitenedJacobian;
use super::progress;
use crate::error::DirectionError;
use crate::estimate::Estimator;

pub(super) struct Options {
    pub(super) estimator: Estimator,
    pub(super) reason: Option<String>,
    pub(super) reference: Option<f64>,
    pub(super) tolerance: f64,
    pub(super) probes: Option<usize>,
    pub(super) draw: Probes,
}

/// What serves several dampings at one point.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) basis: Option<Bidiagonalization>,
    pub(super) nystrom: Option<Nystrom>,
    pub(super) gradient: Option<Vec<f64>>,
    pub(super) stored: Option<Mat<f64>>,
}

pub(super) struct Prepared<'a, J> {
    pub(super) options: Options,
    pub(super) y: WhitenedJacobian<'a, J>,
    pub(super) b: Vec<f64>,
    /// The derivative as the metric's tangents feel it: Yᵀb = Zᵀu.
    pub(super) u: Vec<f64>,
    pub(super) weight: f64,
    pub(super) laplacian: Option<LaplacianReport>,
    pub(super) memory: Mutex<Memory>,
}

/// A direction (with the sign of −b) and what is known about it.
pub(super) struct Found {
    pub(super) eta: Vec<f64>,
    pub(super) probes: usize,
    pub(super) iterations: usize,
    pub(super) mu: f64,
    pub(super) error: f64,
    pub(super) singular_values: (f64, f64),
    pub(super) reason: Option<String>,
}

impl<J: LinearOp> Prepared<'_, J> {
    /// Yᵀb = Zᵀu, once, without the rounding of b.
    pub(super) fn gradient(&self, memory: &mut Memory) -> Vec<f64> {
        memory.gradient.get_or_insert_with(|| self.y.gradient(&self.u)).clone()
    }

    /// Y by p tangents, once, and the gradient with it.
    pub(super) fn store<'m>(&self, memory: &'m mut Memory) -> &'m Mat<f64> {
        memory.stored.get_or_insert_with(|| {
            let z = self.y.tangents();
            memory.gradient.get_or_insert_with(|| self.y.gradient_of(&z, &self.u));
            self.y.whiten(z)
        })
    }

    pub(super) fn mu(&self, damping: f64, largest: f64) -> f64 {
        damping * self.options.reference.unwrap_or(largest)
    }

    pub(super) fn exact(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        self.store(memory);
        let gradient = self.gradient(memory);
        let y = self.store(memory);
        let p = y.ncols();
        let largest = match self.options.reference {
            Some(value) => value,
            None if damping > 0.0 => symmetric_eigen(gram(y.as_ref()).as_ref())?.0.last().copied().unwrap_or(0.0),
            None => 0.0,
        };
        let mu = damping * largest;
        let weights = (mu > 0.0).then(|| vec![mu.sqrt(); p]);
        let problem =
            GradientProblem { a: y, b: &self.b, gradient: &gradient, damping: weights.as_deref(), rounding: None };
        let found = PivotedQr::default().solve_gradient(&problem)?;
        Ok(Found {
            eta: found.x,
            probes: p,
            iterations: 0,
            mu,
            error: found.condition.min(1.0 / f64::EPSILON) * f64::EPSILON,
            singular_values: (found.condition, 1.0),
            reason: None,
        })
    }

    /// (G + μ)η − Yᵀb: one tangent and one adjoint solve.
    pub(super) fn residual(&self, eta: &[f64], gradient: &[f64], mu: f64) -> Vec<f64> {
        let mut r = apply_transpose_vec(&self.y, &apply_vec(&self.y, eta));
        r.iter_mut().zip(eta).zip(gradient).for_each(|((r, e), g)| *r += mu * e - g);
        r
    }

    /// Relative error of η in the norm of G + μ, by the residual and an approximate inverse: one tangent
    /// and one adjoint solve.
    pub(super) fn posterior(
        &self,
        eta: &[f64],
        gradient: &[f64],
        mu: f64,
        inverse: impl Fn(&[f64]) -> Vec<f64>,
    ) -> f64 {
        let r = self.residual(eta, gradient, mu);
        progress::relative_error(0.5 * dot(&r, &inverse(&r)).abs(), 0.5 * dot(gradient, eta).abs())
    }
}
