use faer::linalg::cholesky::llt::factor::LltError;
use faer::{Mat, MatRef};

use super::gradient::{GradientProblem, GradientSolution, NormalInverse};
use super::sums::{damped, taken_up};
use super::{
    Algorithm, LeastSquares, LstsqSolution, check_problem, refine_with_preconditioner, residuals, triangular_condition,
};
use crate::dense::{column_norms, gram, norm, small_svd, solve_upper, tall_qr};
use crate::error::{LinalgError, check_vector};
use crate::gram::NormalSums;
use crate::operator::{Entries, LinearOp};

/// Multiple of a column's rounding below which what is left of it says nothing.
const LOST: f64 = 4.0;
/// From this many columns on the Gram matrix is worth forming for a preconditioner.
const CHOLESKY_QR_COLUMNS: usize = 48;
/// Smallest pivot of the scaled Gram matrix at which its Cholesky factor still preconditions well.
const CHOLESKY_QR_PIVOT: f64 = 1e-13;
/// Condition number of A with columns of unit norm up to which corrections need no sums in twice the working precision,
/// for which A has to be stored.
const WELL_CONDITIONED: f64 = 1e4;
/// Up to this many columns condition numbers come from singular values, above from an estimate.
const EXACT_CONDITION_COLUMNS: usize = 200;

/// Rank-revealing QR least squares with minimum-norm solutions.
///
/// A is reduced by blocks of rows to R (no copy of A as a whole), columns are
/// scaled to unit norm, R is factored with column pivoting, and columns whose
/// pivot falls below `tolerance` times the first are dependent. The solution
/// then has minimum norm among the minimisers (complete orthogonal
/// decomposition).
///
/// Tall problems with many columns start from the Cholesky factor of the Gram
/// matrix as preconditioner of conjugate gradients on the least-squares problem
/// itself: two to three passes over A at matrix-product speed reach the accuracy
/// of Householder QR. When a pivot or the convergence says that A is too
/// ill-conditioned for that, the Householder route takes over;
/// [`LstsqSolution::algorithm`] tells which one answered.
///
/// # Cost
/// m p² flops (Gram) or 2 m p² (Householder), both in parallel.
///
/// # References
/// Demmel, Grigori, Hoemmen and Langou 2012 (doi:10.1137/080731992) for the row
/// blocks; Björck 1996 (doi:10.1137/1.9781611971484), 2.7, for the decomposition.
#[derive(Debug, Clone, Copy, Default)]
pub struct PivotedQr {
    /// Relative pivot tolerance; `None` means max(m, p) ε.
    pub tolerance: Option<f64>,
}

impl LeastSquares for PivotedQr {
    fn solve(&self, a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<LstsqSolution, LinalgError> {
        check_problem(a, b, damping)?;
        let entries = Entries::of(a);
        let dense = entries.as_ref();
        if Self::begins_with_sums(dense.nrows(), dense.ncols())
            && let Some(solution) = cholesky_qr(a, dense, b, damping)
        {
            return Ok(solution);
        }
        self.householder(a, dense, b, damping)
    }

    fn solve_gradient(&self, problem: &GradientProblem<'_>) -> Result<GradientSolution, LinalgError> {
        let measured = problem.measure()?;
        let entries = Entries::of(problem.a);
        let dense = entries.as_ref();
        if Self::begins_with_sums(dense.nrows(), dense.ncols())
            && let Some(factor) = CholeskyFactor::new(dense, problem.damping)
        {
            return problem.solve_by(factor.inverse(), &measured);
        }
        let (factor, scale, r) = self.factor(dense, problem.b, problem.damping, problem.rounding);
        let (rank, condition) = (factor.rank, condition_of(r.as_ref(), factor.rank)?);
        // Beyond this condition number the semi-normal equations do not correct themselves any more.
        let from_vector = (condition > 1e7).then(|| factor.minimum_norm(&scale));
        let apply = Box::new(move |g: &[f64]| factor.normal_inverse(g, &scale));
        let algorithm = Algorithm::PivotedQr;
        let vector = from_vector.filter(|x| problem.inconsistency(x) < 1e-3);
        let inverse = NormalInverse { apply, rank, condition, algorithm, from_vector: vector, iterations: 0 };
        problem.solve_by(inverse, &measured)
    }
}

impl PivotedQr {
    /// Whether a matrix of this shape is first tried by the Cholesky factor of what its rows add up to.
    pub fn begins_with_sums(rows: usize, columns: usize) -> bool {
        columns >= CHOLESKY_QR_COLUMNS && rows >= 3 * columns
    }

    /// Whether [`solve_from_sums`](Self::solve_from_sums) is as good as a matrix that is stored: AᵀA has a Cholesky factor
    /// and A, its columns at unit norm, a condition number of at most 10 000. Damping and further rows do no harm.
    ///
    /// # Cost
    /// p³/3 flops.
    pub fn takes_sums(&self, sums: &NormalSums) -> bool {
        let factor = || CholeskyFactor::of_gram(sums.gram.clone());
        sums.gram.nrows() == sums.gram.ncols() && factor().is_ok_and(|f| f.scaled_condition() <= WELL_CONDITIONED)
    }

    /// As [`solve_gradient`](LeastSquares::solve_gradient) for an A that is known by what its rows add up to and by its
    /// products alone.
    ///
    /// # Shapes
    /// A: m x p; `sums`: of p columns. With `damping` its squares are added to AᵀA here.
    ///
    /// # Errors
    /// As `solve_gradient`; [`LinalgError::NotPositiveDefinite`] where AᵀA has no Cholesky factor that serves,
    /// [`LinalgError::NotFinite`] for columns whose squares are no numbers.
    pub fn solve_from_sums(
        &self,
        problem: &GradientProblem<'_>,
        sums: &NormalSums,
    ) -> Result<GradientSolution, LinalgError> {
        let (measured, gram) = taken_up(problem, sums)?;
        let factor = CholeskyFactor::of_gram(gram).map_err(|index| LinalgError::NotPositiveDefinite { index })?;
        problem.solve_by(factor.inverse(), &measured)
    }

    /// The pivoted factor of R with columns scaled to unit norm, the scale, and R itself.
    fn factor(
        &self,
        dense: MatRef<'_, f64>,
        b: &[f64],
        damping: Option<&[f64]>,
        rounding: Option<&[f64]>,
    ) -> (PivotedFactor, Vec<f64>, Mat<f64>) {
        let (m, p) = (dense.nrows(), dense.ncols());
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON);
        let reduced = tall_qr(dense, b, damping);
        let scale = column_norms(reduced.r.as_ref());
        let scaled =
            Mat::from_fn(reduced.r.nrows(), p, |i, j| if scale[j] > 0.0 { reduced.r[(i, j)] / scale[j] } else { 0.0 });
        // Damping rows are exact: a damped column is as large as they make it.
        let noise = |j: usize| rounding.map_or(0.0, |r| LOST * r[j]);
        let floors: Vec<f64> = (0..p)
            .map(|j| if damping.is_some_and(|d| d[j] > 0.0) { tolerance } else { tolerance.max(noise(j)) })
            .collect();
        (PivotedFactor::new(scaled, reduced.qtb, floors), scale, reduced.r)
    }

    fn householder(
        &self,
        a: &dyn LinearOp,
        dense: MatRef<'_, f64>,
        b: &[f64],
        damping: Option<&[f64]>,
    ) -> Result<LstsqSolution, LinalgError> {
        let (pivoted, scale, r) = self.factor(dense, b, damping, None);
        let rank = pivoted.rank;
        let x = pivoted.minimum_norm(&scale);
        let condition = condition_of(r.as_ref(), rank)?;
        let (residual, optimality) = residuals(a, b, damping, &x, norm(&scale));
        check_vector("the solution by QR", &x, a.ncols())?;
        Ok(LstsqSolution { x, rank, condition, residual, optimality, algorithm: Algorithm::PivotedQr, iterations: 0 })
    }
}

/// A Cholesky factor R of the Gram matrix that still preconditions well.
struct CholeskyFactor {
    r: Mat<f64>,
    /// Norm of A.
    size: f64,
    condition: f64,
}

impl CholeskyFactor {
    fn new(dense: MatRef<'_, f64>, damping: Option<&[f64]>) -> Option<Self> {
        Self::of_gram(damped(gram(dense), damping)).ok()
    }

    /// The error: a column that depends on those before it.
    fn of_gram(mut g: Mat<f64>) -> Result<Self, usize> {
        let p = g.ncols();
        let scale: Vec<f64> = (0..p).map(|i| g[(i, i)].sqrt()).collect();
        if let Some(index) = scale.iter().position(|&s| !(s > 0.0 && s.is_finite())) {
            return Err(index);
        }
        for j in 0..p {
            for i in 0..p {
                g[(i, j)] /= scale[i] * scale[j];
            }
        }
        let llt = g.llt(faer::Side::Lower).map_err(|LltError::NonPositivePivot { index }| index)?;
        let l = llt.L();
        if let Some(index) = (0..p).find(|&i| !(l[(i, i)].powi(2) > CHOLESKY_QR_PIVOT)) {
            return Err(index);
        }
        let r = Mat::from_fn(p, p, |i, j| if i <= j { l[(j, i)] * scale[j] } else { 0.0 });
        let condition = if p > EXACT_CONDITION_COLUMNS {
            triangular_condition(r.as_ref())
        } else {
            condition_of(r.as_ref(), p).map_err(|_| p)?
        };
        Ok(Self { r, size: norm(&scale), condition })
    }

    /// Condition number of A with columns of unit norm, estimated.
    fn scaled_condition(&self) -> f64 {
        let scale = column_norms(self.r.as_ref());
        let scaled = Mat::from_fn(scale.len(), scale.len(), |i, j| self.r[(i, j)] / scale[j]);
        triangular_condition(scaled.as_ref())
    }

    /// (RᵀR)⁻¹.
    fn inverse(self) -> NormalInverse<'static> {
        let Self { r, condition, .. } = self;
        let (rank, algorithm) = (r.ncols(), Algorithm::CholeskyQr);
        let apply = Box::new(move |g: &[f64]| {
            let mut x = g.to_vec();
            solve_upper(r.as_ref(), &mut x, true);
            solve_upper(r.as_ref(), &mut x, false);
            x
        });
        NormalInverse { apply, rank, condition, algorithm, from_vector: None, iterations: 0 }
    }
}

/// Condition number of R, infinite below full rank.
fn condition_of(r: MatRef<'_, f64>, rank: usize) -> Result<f64, LinalgError> {
    let p = r.ncols();
    if rank < p {
        return Ok(f64::INFINITY);
    }
    if p > EXACT_CONDITION_COLUMNS {
        return Ok(triangular_condition(r));
    }
    let (_, s, _) = small_svd(r)?;
    Ok(match (s.first(), s.last()) {
        (Some(large), Some(small)) => large / small,
        _ => 1.0,
    })
}

fn cholesky_qr(a: &dyn LinearOp, dense: MatRef<'_, f64>, b: &[f64], damping: Option<&[f64]>) -> Option<LstsqSolution> {
    let CholeskyFactor { r, size, condition } = CholeskyFactor::new(dense, damping)?;
    let (x, iterations, converged) = refine_with_preconditioner(a, b, damping, r.as_ref(), 30);
    if !converged {
        return None;
    }
    let (residual, optimality) = residuals(a, b, damping, &x, size);
    let (rank, algorithm) = (dense.ncols(), Algorithm::CholeskyQr);
    Some(LstsqSolution { x, rank, condition, residual, optimality, algorithm, iterations })
}

/// Column-pivoted QR of a small matrix, truncated: `A P = Q [R11 R12; 0 0]`.
pub(super) struct PivotedFactor {
    /// rank x p, columns in pivot order.
    r: Mat<f64>,
    /// Qᵀb, first `rank` entries.
    qtb: Vec<f64>,
    /// Original column of each pivot.
    order: Vec<usize>,
    pub(super) rank: usize,
}

impl PivotedFactor {
    /// Independent rows as they are, no column before another.
    pub(super) fn of_rows(r: Mat<f64>) -> Self {
        let (rank, p) = (r.nrows(), r.ncols());
        Self { r, qtb: Vec::new(), order: (0..p).collect(), rank }
    }

    /// Householder QR with column pivoting (norms recomputed: the matrix is small).
    ///
    /// A column whose part orthogonal to those before falls below its floor times the first pivot is dependent.
    pub(super) fn new(a: Mat<f64>, b: Vec<f64>, mut floors: Vec<f64>) -> Self {
        let (m, p) = (a.nrows(), a.ncols());
        let (mut a, mut b) = (a, b);
        let mut order: Vec<usize> = (0..p).collect();
        let mut tail: Vec<f64> = (0..p).map(|j| norm(a.col_as_slice(j))).collect();
        let mut reference = tail.clone();
        let mut first_pivot = 0.0;
        let least = floors.iter().fold(f64::INFINITY, |least: f64, floor| least.min(*floor));
        let mut rank = 0;
        for step in 0..m.min(p) {
            // First of the largest: ties must not depend on rounding of equal columns.
            let left = |j: usize| if tail[j] > floors[j] * first_pivot { tail[j] } else { 0.0 };
            // A noisy column among the first would give its noise to all later ones.
            let clean = |j: usize| floors[j] <= least && left(j) > 0.0;
            let before = |j: usize, best: usize| (clean(j), left(j)) > (clean(best), left(best));
            let best = (step..p).fold(step, |best, j| if before(j, best) { j } else { best });
            if best != step {
                for i in 0..m {
                    let swap = a[(i, step)];
                    a[(i, step)] = a[(i, best)];
                    a[(i, best)] = swap;
                }
                order.swap(step, best);
                tail.swap(step, best);
                floors.swap(step, best);
                reference.swap(step, best);
            }
            let size = norm(&a.col_as_slice(step)[step..]);
            if step == 0 {
                first_pivot = size;
            }
            if !(size > floors[step] * first_pivot) {
                break;
            }
            rank += 1;
            let pivot = if a[(step, step)] > 0.0 { -size } else { size };
            let mut v: Vec<f64> = a.col_as_slice(step)[step..].to_vec();
            v[0] -= pivot;
            let beta = 2.0 / v.iter().map(|x| x * x).sum::<f64>();
            let reflect = |column: &mut [f64]| {
                let along = beta * column.iter().zip(&v).map(|(c, v)| c * v).sum::<f64>();
                column.iter_mut().zip(&v).for_each(|(c, v)| *c -= along * v);
            };
            for j in step..p {
                reflect(&mut a.col_as_slice_mut(j)[step..]);
            }
            reflect(&mut b[step..m]);
            for j in step + 1..p {
                // Downdating loses digits; recompute once the norm has fallen by 10⁴.
                let removed = a[(step, j)];
                let left = tail[j] * tail[j] - removed * removed;
                tail[j] = if left > 1e-8 * reference[j] * reference[j] {
                    left.sqrt()
                } else {
                    reference[j] = norm(&a.col_as_slice(j)[(step + 1).min(m)..]);
                    reference[j]
                };
            }
        }
        let r = Mat::from_fn(rank, p, |i, j| if i <= j { a[(i, j)] } else { 0.0 });
        b.truncate(rank);
        Self { r, qtb: b, order, rank }
    }

    /// Minimum-norm minimiser of ‖A D⁻¹ … ‖ in the unscaled unknowns, D = diag(`scale`).
    pub(super) fn minimum_norm(&self, scale: &[f64]) -> Vec<f64> {
        if self.rank == self.order.len() {
            let mut y = self.qtb.clone();
            solve_upper(self.r.as_ref(), &mut y, false);
            return self.unscaled(y, scale);
        }
        let (q, t) = self.complete(scale);
        let mut y = self.qtb.clone();
        solve_upper(t.as_ref(), &mut y, true);
        self.expanded(&q, &y)
    }

    /// (D RᵀR D)⁺ g, D = diag(`scale`): the semi-normal equations.
    pub(super) fn normal_inverse(&self, g: &[f64], scale: &[f64]) -> Vec<f64> {
        if self.rank == self.order.len() {
            let mut y: Vec<f64> = self.order.iter().map(|&j| g[j] / scale[j]).collect();
            solve_upper(self.r.as_ref(), &mut y, true);
            solve_upper(self.r.as_ref(), &mut y, false);
            return self.unscaled(y, scale);
        }
        let (q, t) = self.complete(scale);
        let mut y: Vec<f64> =
            (0..self.rank).map(|i| self.order.iter().enumerate().map(|(row, &j)| q[(row, i)] * g[j]).sum()).collect();
        // A = U (Q T)ᵀ with orthonormal U: (AᵀA)⁺ = Q T⁻ᵀ T⁻¹ Qᵀ.
        solve_upper(t.as_ref(), &mut y, false);
        solve_upper(t.as_ref(), &mut y, true);
        self.expanded(&q, &y)
    }

    fn unscaled(&self, y: Vec<f64>, scale: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.order.len()];
        y.into_iter().zip(&self.order).for_each(|(value, &j)| x[j] = value / scale[j]);
        x
    }

    fn expanded(&self, q: &Mat<f64>, y: &[f64]) -> Vec<f64> {
        let mut x = vec![0.0; self.order.len()];
        for (row, &j) in self.order.iter().enumerate() {
            x[j] = (0..self.rank).map(|i| q[(row, i)] * y[i]).sum();
        }
        x
    }

    /// Q T = ([R11 R12] D)ᵀ, p x rank.
    fn complete(&self, scale: &[f64]) -> (Mat<f64>, Mat<f64>) {
        let w = Mat::from_fn(self.order.len(), self.rank, |j, i| self.r[(i, j)] * scale[self.order[j]]);
        let qr = w.qr();
        (qr.compute_thin_Q(), qr.thin_R().to_owned())
    }
}
