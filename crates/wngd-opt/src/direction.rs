use wngd_linalg::dense::{column_norms, gram, norm};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{
    Algorithm, GradientProblem, GradientSolution, LaplacianReport, LeastSquares, LinalgError, LinearOp, Lsmr, MassLeak,
    NormalEquations, PivotedQr, Svd,
};

use crate::by_rows::PreparedByRows;
use crate::error::DirectionError;
use crate::estimate::EstimateReport;
use crate::metric::{Metric, Point};
use crate::prior::PriorTerms;

/// How η = argmin ‖b + Yη‖ is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// Rank-revealing QR of Y.
    Qr,
    /// Truncated singular value decomposition of Y.
    Svd,
    /// LSMR on Y.
    Lsmr,
    /// G η = −Zᵀu with the information matrix G = YᵀY.
    Information,
}

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
    /// Longest step in the metric that a search should propose by itself, [`Metric::longest_step`].
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

/// The natural gradient of a metric: η = argmin ‖b + Yη‖.
pub struct Natural<M> {
    /// The metric on densities.
    pub metric: M,
    /// How the system is solved.
    pub route: Route,
    /// Marquardt damping λ: G + λ diag G; 0 for none.
    pub damping: f64,
}

impl<M: Metric> Natural<M> {
    /// By rank-revealing QR, without damping.
    pub fn new(metric: M) -> Self {
        Self { metric, route: Route::Qr, damping: 0.0 }
    }
}

impl<M: Metric + ?Sized> Metric for Box<M> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn crate::metric::LocalMetric + '_>, crate::error::MetricError> {
        (**self).at(point)
    }
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        (**self).longest_step(state, data, weight)
    }
}

impl<M: Metric + ?Sized> Metric for &M {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn at(&self, point: &Point<'_>) -> Result<Box<dyn crate::metric::LocalMetric + '_>, crate::error::MetricError> {
        (**self).at(point)
    }
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        (**self).longest_step(state, data, weight)
    }
}

struct PreparedNatural {
    y: Mat<f64>,
    b: Vec<f64>,
    /// Yᵀb = Zᵀu, known better than b tells it.
    gradient: Vec<f64>,
    /// |c|: the information matrix is |c| YᵀY.
    weight: f64,
    route: Route,
    /// Rounding of the columns of Z, relative to them; empty where it is that of the entries.
    rounding: Vec<f64>,
    mass_leak: Option<MassLeak>,
    laplacian: Option<LaplacianReport>,
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

impl<J: LinearOp, M: Metric> DirectionSolver<J> for Natural<M> {
    fn name(&self) -> &'static str {
        self.metric.name()
    }
    fn damping(&self) -> f64 {
        self.damping
    }
    fn longest_step(&self, state: &[f64], data: &[f64], weight: f64) -> Option<f64> {
        self.metric.longest_step(state, data, weight)
    }
    fn prepare<'a>(
        &'a self,
        point: &Point<'_>,
        jacobian: J,
        u: &[f64],
        weight: f64,
    ) -> Result<Box<dyn PreparedDirection + 'a>, DirectionError>
    where
        J: 'a,
    {
        let local = self.metric.at(point)?;
        let b = local.whiten_derivative(u);
        let jacobian = match self.route {
            Route::Information => match PreparedByRows::new(local.factored(), jacobian, &b, u, weight)? {
                Ok(sums) => return Ok(Box::new(sums.on(local))),
                Err(jacobian) => jacobian,
            },
            _ => jacobian,
        };
        let z = jacobian.into_dense();
        let gradient = local.gradient(&z, u);
        let sizes = if point.rounding.is_empty() { Vec::new() } else { column_norms(z.as_ref()) };
        let relative = |(noise, size): (&f64, f64)| if size > 0.0 { noise / size } else { 0.0 };
        let rounding = point.rounding.iter().zip(sizes).map(relative).collect();
        let whitened = local.whiten(z);
        let laplacian = local.laplacian();
        check_whitening(laplacian.as_ref())?;
        Ok(Box::new(PreparedNatural {
            y: whitened.y,
            b,
            gradient,
            weight,
            route: self.route,
            rounding,
            mass_leak: whitened.mass_leak,
            laplacian,
        }))
    }
}

impl PreparedDirection for PreparedNatural {
    /// A prior is a row more: slope/√|c| in Y, residual/√|c| in b.
    fn take_up(&mut self, priors: &PriorTerms, weight: f64) -> Result<(), DirectionError> {
        let (terms, root) = (priors.terms(), weight.sqrt());
        let rows = self.y.nrows();
        let grown =
            Mat::from_fn(rows + terms.len(), self.y.ncols(), |i, j| match i.checked_sub(rows).map(|i| &terms[i]) {
                None => self.y[(i, j)],
                Some(term) if term.parameter == j => term.slope / root,
                Some(_) => 0.0,
            });
        self.y = grown;
        self.b.extend(terms.iter().map(|term| term.residual / root));
        terms.iter().for_each(|term| self.gradient[term.parameter] += term.residual * term.slope / weight);
        Ok(())
    }
    fn direction(&self, damping: f64) -> Result<Direction, DirectionError> {
        self.direction_at_least(damping, &[])
    }
    fn lengths(&self) -> Option<Vec<f64>> {
        Some(column_norms(self.y.as_ref()))
    }
    fn direction_at_least(&self, damping: f64, lengths: &[f64]) -> Result<Direction, DirectionError> {
        let weights = (damping > 0.0).then(|| damping_weights(column_norms(self.y.as_ref()), damping, lengths));
        let solver: &dyn LeastSquares = match self.route {
            Route::Qr => &PivotedQr { tolerance: None },
            Route::Svd => &Svd { tolerance: None },
            Route::Lsmr => &Lsmr { tolerance: 1e-13, max_iterations: None },
            Route::Information => &NormalEquations { tolerance: None },
        };
        let rounding = (!self.rounding.is_empty()).then_some(&self.rounding[..]);
        let solution = solver.solve_gradient(&GradientProblem {
            rounding,
            a: &self.y,
            b: &self.b,
            gradient: &self.gradient,
            damping: weights.as_deref(),
        })?;
        Direction::descending(solution)
    }
    fn information(&self) -> Option<Mat<f64>> {
        let mut g = gram(self.y.as_ref());
        for j in 0..g.ncols() {
            for i in 0..g.nrows() {
                g[(i, j)] *= self.weight;
            }
        }
        Some(g)
    }
    fn curvature(&self, eta: &[f64]) -> f64 {
        self.weight * norm(&apply_vec(&self.y, eta)).powi(2)
    }
    fn mass_leak(&self) -> Option<&MassLeak> {
        self.mass_leak.as_ref()
    }
    fn gradient(&self) -> Option<&[f64]> {
        Some(&self.gradient)
    }
    fn laplacian(&self) -> Option<&LaplacianReport> {
        self.laplacian.as_ref()
    }
}
