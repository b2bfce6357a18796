//! The natural gradient of a metric, with the whitened Jacobian stored.

use wngd_linalg::dense::{column_norms, gram, norm};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::apply_vec;
use wngd_linalg::{
    GradientProblem, LaplacianReport, LeastSquares, LinearOp, Lsmr, MassLeak, NormalEquations, PivotedQr, Svd,
};

use crate::by_rows::{By, PreparedByRows};
use crate::direction::{Direction, DirectionSolver, PreparedDirection, check_whitening, damping_weights};
use crate::error::DirectionError;
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
        let by = match self.route {
            Route::Information => Some(By::Information),
            Route::Qr => Some(By::Qr),
            Route::Svd | Route::Lsmr => None,
        };
        let jacobian = match by {
            Some(by) => match PreparedByRows::new(local.factored(), jacobian, &b, u, weight, by)? {
                Ok(sums) => return Ok(Box::new(sums.on(local))),
                Err(jacobian) => jacobian,
            },
            None => jacobian,
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
