//! Directions by what the rows of a Jacobian add up to, which are made and not kept.

use wngd_linalg::dense::norm;
use wngd_linalg::faer::{Mat, MatMut, MatRef};
use wngd_linalg::operator::apply_vec;
use wngd_linalg::{
    FactoredLaplacian, GradientProblem, LaplacianReport, LinearOp, MassLeak, NormalEquations, NormalSums, PivotedQr,
};

use crate::direction::{Direction, PreparedDirection, damping_weights};
use crate::error::DirectionError;
use crate::metric::LocalMetric;
use crate::prior::PriorTerms;

/// Squares of columns that are neither lost nor beyond the range of numbers.
const SQUARES: std::ops::Range<f64> = 1e-200..1e200;

/// G = YᵀY and Yᵀb by sums over rows, without its metric.
pub(crate) struct PreparedByRows<J> {
    jacobian: J,
    sums: NormalSums,
    leak: MassLeak,
    b: Vec<f64>,
    gradient: Vec<f64>,
    weight: f64,
    by: By,
}

/// What solves by sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// The information matrix.
    Information,
    /// Its Cholesky factor as R of a QR, where that is as good as the QR of stored columns.
    Qr,
}

impl By {
    fn takes_shape(self, rows: usize, columns: usize) -> bool {
        self == Self::Information || PivotedQr::begins_with_sums(rows, columns)
    }

    fn takes(self, sums: &NormalSums) -> bool {
        self == Self::Information || PivotedQr::default().takes_sums(sums)
    }
}

impl<J: LinearOp> PreparedByRows<J> {
    /// Takes the sums of the whitened rows; gives the Jacobian back where it is stored anyway or has no rows, where the
    /// metric has no factor that takes rows, where squares would lose a column, and where a QR asks for stored columns.
    ///
    /// # Shapes
    /// `b`: the whitened derivative; `u`: k, the derivative.
    pub(crate) fn new(
        factored: Option<&FactoredLaplacian>,
        jacobian: J,
        b: &[f64],
        u: &[f64],
        weight: f64,
        by: By,
    ) -> Result<Result<Self, J>, DirectionError> {
        let (Some(factored), Some(rows), None) = (factored, jacobian.as_rows(), jacobian.as_dense()) else {
            return Ok(Err(jacobian));
        };
        let p = jacobian.ncols();
        if !by.takes_shape(jacobian.nrows(), p) {
            return Ok(Err(jacobian));
        }
        let found = factored
            .whitened_sums(rows, p, b)
            .filter(|(sums, _)| (0..p).all(|j| sums.gram[(j, j)] == 0.0 || SQUARES.contains(&sums.gram[(j, j)])))
            .filter(|(sums, _)| by.takes(sums));
        let Some((sums, leak)) = found else { return Ok(Err(jacobian)) };
        let gradient = LocalMetric::gradient(factored, &jacobian, u);
        Ok(Ok(Self { jacobian, sums, leak, b: b.to_vec(), gradient, weight, by }))
    }

    /// With the metric.
    pub(crate) fn on<'a>(self, metric: Box<dyn LocalMetric + 'a>) -> ByRows<'a, J> {
        let laplacian = metric.laplacian();
        ByRows { metric, made: self, priors: Vec::new(), laplacian }
    }
}

/// A prepared direction: the information matrix, and Y as products.
pub(crate) struct ByRows<'a, J> {
    metric: Box<dyn LocalMetric + 'a>,
    made: PreparedByRows<J>,
    /// Rows of priors: the parameter and its entry.
    priors: Vec<(usize, f64)>,
    laplacian: Option<LaplacianReport>,
}

/// Y = L Z, with a row for each prior.
struct Whitened<'a, J> {
    metric: &'a dyn LocalMetric,
    jacobian: &'a J,
    priors: &'a [(usize, f64)],
}

impl<J: LinearOp> LinearOp for Whitened<'_, J> {
    fn nrows(&self) -> usize {
        self.jacobian.nrows() + self.priors.len()
    }
    fn ncols(&self) -> usize {
        self.jacobian.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        let mut z = Mat::zeros(self.jacobian.nrows(), x.ncols());
        self.jacobian.apply(z.as_mut(), x);
        let (mut top, mut bottom) = out.split_at_row_mut(z.nrows());
        top.copy_from(self.metric.whiten(z).y);
        for (i, &(parameter, entry)) in self.priors.iter().enumerate() {
            (0..x.ncols()).for_each(|c| bottom[(i, c)] = entry * x[(parameter, c)]);
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        let (top, bottom) = y.split_at_row(self.jacobian.nrows());
        let mut out = out;
        self.jacobian.apply_transpose(out.as_mut(), self.metric.whiten_transpose(top.to_owned()).as_ref());
        for (i, &(parameter, entry)) in self.priors.iter().enumerate() {
            (0..y.ncols()).for_each(|c| out[(parameter, c)] += entry * bottom[(i, c)]);
        }
    }
}

impl<J: LinearOp> ByRows<'_, J> {
    fn whitened(&self) -> Whitened<'_, J> {
        Whitened { metric: &*self.metric, jacobian: &self.made.jacobian, priors: &self.priors }
    }

    fn norms(&self) -> Vec<f64> {
        (0..self.made.gradient.len()).map(|j| self.made.sums.gram[(j, j)].sqrt()).collect()
    }
}

impl<J: LinearOp> PreparedDirection for ByRows<'_, J> {
    /// A prior is a row more: slope/√|c| in Y, residual/√|c| in b.
    fn take_up(&mut self, priors: &PriorTerms, weight: f64) -> Result<(), DirectionError> {
        let (root, sums) = (weight.sqrt(), &mut self.made.sums);
        for term in priors.terms() {
            let (j, entry, b) = (term.parameter, term.slope / root, term.residual / root);
            self.priors.push((j, entry));
            self.made.b.push(b);
            sums.gram[(j, j)] += entry * entry;
            sums.product[j] += entry * b;
            sums.size[j] += (entry * b).abs();
            self.made.gradient[j] += term.residual * term.slope / weight;
        }
        Ok(())
    }
    fn direction(&self, damping: f64) -> Result<Direction, DirectionError> {
        self.direction_at_least(damping, &[])
    }
    fn lengths(&self) -> Option<Vec<f64>> {
        Some(self.norms())
    }
    fn direction_at_least(&self, damping: f64, lengths: &[f64]) -> Result<Direction, DirectionError> {
        let weights = (damping > 0.0).then(|| damping_weights(self.norms(), damping, lengths));
        let problem = GradientProblem {
            a: &self.whitened(),
            b: &self.made.b,
            gradient: &self.made.gradient,
            damping: weights.as_deref(),
            rounding: None,
        };
        let sums = &self.made.sums;
        Direction::descending(match self.made.by {
            By::Information => NormalEquations::default().solve_from_sums(&problem, sums)?,
            By::Qr => PivotedQr::default().solve_from_sums(&problem, sums)?,
        })
    }
    fn information(&self) -> Option<Mat<f64>> {
        let g = &self.made.sums.gram;
        Some(Mat::from_fn(g.nrows(), g.ncols(), |i, j| self.made.weight * g[(i, j)]))
    }
    fn curvature(&self, eta: &[f64]) -> f64 {
        self.made.weight * norm(&apply_vec(&self.whitened(), eta)).powi(2)
    }
    fn mass_leak(&self) -> Option<&MassLeak> {
        Some(&self.made.leak)
    }
    fn gradient(&self) -> Option<&[f64]> {
        Some(&self.made.gradient)
    }
    fn laplacian(&self) -> Option<&LaplacianReport> {
        self.laplacian.as_ref()
    }
}
