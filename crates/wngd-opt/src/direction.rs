//! Directions, the rules that make them, and the standard gradient.

use wngd_linalg::dense::norm;
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::apply_transpose_vec;
use wngd_linalg::{Algorithm, GradientSolution, LaplacianReport, LinalgError, LinearOp, MassLeak};

use crate::error::DirectionError;
use crate::estimate::EstimateReport;
use crate::metric::Point;
use crate::prior::PriorTerms;

/// A descent direction with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Direction {
    /// η, p values.
    pub eta: Vec<f64>,
    /// Rank of the whitened Jacobian (p for the standard gradient).
    pub rank: usize,
    /// 2-norm condition number of the whitened Jacobian Y (that of G is its square).
    pub condition: f64,
    /// Algorithm that solved the system; `None` for the standard gradient.
    pub algorithm: Option<Algorithm>,
    /// How far the slope gᵀη is from −ηᵀ(G + damping)η, relative to the larger: 0 up to rounding for a solution,
    /// whatever solved it; 1 where the direction and its promise have nothing to do with each other.
    pub inconsistency: f64,
    /// Solves, error estimate and reasoning of a [`MatrixFree`](crate::MatrixFree) direction.
    pub estimate: Option<EstimateReport>,
}

impl Direction {
    /// Down from the solution of ‖Y x − b‖.
    pub(crate) fn descending(solution: GradientSolution) -> Result<Self, DirectionError> {
        let eta: Vec<f64> = solution.x.iter().map(|e| -e).collect();
        match eta.iter().position(|e| !e.is_finite()) {
            Some(index) => Err(DirectionError::NotFinite { index }),
            None => Ok(Self {
                eta,
                rank: solution.rank,
                condition: solution.condition,
                algorithm: Some(solution.algorithm),
                inconsistency: solution.inconsistency,
                estimate: None,
            }),
        }
    }
}

/// √λ dⱼ with dⱼ the larger of a column's norm and its floor, if there is one.
pub(crate) fn damping_weights(norms: Vec<f64>, damping: f64, floor: &[f64]) -> Vec<f64> {
    let floor = floor.iter().copied().chain(std::iter::repeat(0.0));
    norms.into_iter().zip(floor).map(|(own, floor)| damping.sqrt() * own.max(floor)).collect()
}

/// Computes directions at one point for any damping, the whitening being done once.
pub trait PreparedDirection {
    /// The direction with Marquardt damping: (G + λ diag G) η = −Zᵀu.
    ///
    /// # Errors
    /// Failed solves, a direction that is not finite.
    fn direction(&self, damping: f64) -> Result<Direction, DirectionError>;
    /// Takes up priors: their gradient and their curvature are part of every direction from now on.
    ///
    /// `weight`: |c|.
    ///
    /// # Errors
    /// [`DirectionError::Priors`] for rules that do not store the Jacobian.
    fn take_up(&mut self, priors: &PriorTerms, weight: f64) -> Result<(), DirectionError> {
        let _ = weight;
        if priors.is_empty() { Ok(()) } else { Err(DirectionError::Priors) }
    }
    /// Lengths ‖Y eⱼ‖ of the parameters, p values; `None` where they are not at hand.
    fn lengths(&self) -> Option<Vec<f64>> {
        None
    }
    /// As [`direction`](Self::direction), with λ Σ dⱼ² ηⱼ² for damping, dⱼ the larger of ‖Y eⱼ‖ and
    /// `lengths[j]`. Rules without [`lengths`](Self::lengths) damp as `direction` does.
    ///
    /// # Errors
    /// As [`direction`](Self::direction).
    fn direction_at_least(&self, damping: f64, lengths: &[f64]) -> Result<Direction, DirectionError> {
        let _ = lengths;
        self.direction(damping)
    }
    /// The information matrix |c| YᵀY (p x p), the identity for the standard gradient; `None` where it
    /// would be too costly.
    fn information(&self) -> Option<Mat<f64>>;
    /// |c| ‖Yη‖²; ‖η‖² for the standard gradient.
    fn curvature(&self, eta: &[f64]) -> f64;
    /// Mass leak removed when whitening.
    fn mass_leak(&self) -> Option<&MassLeak> {
        None
    }
    /// Yᵀb, p values: Zᵀu as the metric feels it, less what only a change of mass would bring; `None` where it is not
    /// at hand.
    fn gradient(&self) -> Option<&[f64]> {
        None
    }
    /// What the factorisation behind the metric met.
    fn laplacian(&self) -> Option<&LaplacianReport> {
        None
    }
}

/// A rule for descent directions.
pub trait DirectionSolver<J: LinearOp>: Sync {
    /// Short name, that of the metric; "none" for the standard gradient.
    fn name(&self) -> &'static str;
    /// Damping λ the rule starts with.
    fn damping(&self) -> f64 {
        0.0
    }
    /// Longest step in the metric that a search should propose by itself, [`Metric::longest_step`](crate::Metric::longest_step).
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        let _ = (state, data, weight);
        None
    }
    /// Whitens at a point.
    ///
    /// # Shapes
    /// `jacobian`: k x p; `u`: k, the objective's derivative; `weight`: |c|.
    ///
    /// # Errors
    /// Failed factorisations.
    fn prepare<'a>(
        &'a self,
        point: &Point<'_>,
        jacobian: J,
        u: &[f64],
        weight: f64,
    ) -> Result<Box<dyn PreparedDirection + 'a>, DirectionError>
    where
        J: 'a;
}

/// The standard gradient: η = −|c| Zᵀu.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standard;

struct PreparedStandard {
    eta: Vec<f64>,
}

impl<J: LinearOp> DirectionSolver<J> for Standard {
    fn name(&self) -> &'static str {
        "none"
    }
    fn prepare<'a>(
        &'a self,
        _: &Point<'_>,
        jacobian: J,
        u: &[f64],
        weight: f64,
    ) -> Result<Box<dyn PreparedDirection + 'a>, DirectionError>
    where
        J: 'a,
    {
        let eta = apply_transpose_vec(&jacobian, u).into_iter().map(|g| -weight * g).collect();
        Ok(Box::new(PreparedStandard { eta }))
    }
}

impl PreparedDirection for PreparedStandard {
    fn direction(&self, damping: f64) -> Result<Direction, DirectionError> {
        let eta: Vec<f64> = self.eta.iter().map(|e| e / (1.0 + damping)).collect();
        let rank = eta.len();
        Ok(Direction { eta, rank, condition: 1.0, algorithm: None, inconsistency: 0.0, estimate: None })
    }
    /// The standard gradient knows no curvature.
    fn take_up(&mut self, priors: &PriorTerms, _: f64) -> Result<(), DirectionError> {
        priors.terms().iter().for_each(|term| self.eta[term.parameter] -= term.residual * term.slope);
        Ok(())
    }
    fn information(&self) -> Option<Mat<f64>> {
        Some(Mat::identity(self.eta.len(), self.eta.len()))
    }
    fn curvature(&self, eta: &[f64]) -> f64 {
        norm(eta).powi(2)
    }
}

/// Whitening solves that missed their tolerance are no directions: a metric without a factor counts them.
pub(crate) fn check_whitening(laplacian: Option<&LaplacianReport>) -> Result<(), DirectionError> {
    match laplacian.and_then(|report| report.krylov).filter(|krylov| krylov.missed > 0) {
        None => Ok(()),
        Some(krylov) => Err(LinalgError::IterationLimit {
            what: "whitening of the Jacobian",
            iterations: krylov.iterations,
            residual: krylov.residual,
            tolerance: krylov.tolerance,
        }
        .into()),
    }
}
