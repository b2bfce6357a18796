use faer::Mat;

use super::{Algorithm, LeastSquares, LstsqSolution, check_problem, residuals};
use crate::dense::{norm, small_svd, tall_qr};
use crate::error::LinalgError;
use crate::operator::LinearOp;

/// Truncated singular value decomposition: minimum-norm solution on the
/// singular values above `tolerance` times the largest.
///
/// Unlike [`PivotedQr`](super::PivotedQr) the decision is made on A as it is,
/// columns not scaled, so parameters of very different units are better scaled
/// by the caller.
///
/// # Cost
/// 2 m p² for R by row blocks, then O(p³).
#[derive(Debug, Clone, Copy, Default)]
pub struct Svd {
    /// Relative tolerance; `None` means max(m, p) ε.
    pub tolerance: Option<f64>,
}

impl LeastSquares for Svd {
    fn solve(&self, a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<LstsqSolution, LinalgError> {
        check_problem(a, b, damping)?;
        let owned;
        let dense = match a.as_dense() {
            Some(dense) => dense,
            None => {
                owned = a.to_dense();
                owned.as_ref()
            }
        };
        let (m, p) = (dense.nrows(), dense.ncols());
        let reduced = tall_qr(dense, b, damping);
        let (u, s, v): (Mat<f64>, Vec<f64>, Mat<f64>) = small_svd(reduced.r.as_ref())?;
        let largest = s.first().copied().unwrap_or(0.0);
        let cut = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON) * largest;
        let rank = s.iter().filter(|&&value| value > cut).count();
        let mut x = vec![0.0; p];
        for (i, &value) in s.iter().take(rank).enumerate() {
            let along: f64 = (0..u.nrows()).map(|r| u[(r, i)] * reduced.qtb[r]).sum::<f64>() / value;
            for (j, x) in x.iter_mut().enumerate() {
                *x += v[(j, i)] * along;
            }
        }
        let condition = if rank < p { f64::INFINITY } else { s.last().map_or(1.0, |small| largest / small) };
        let (residual, optimality) = residuals(a, b, damping, &x, norm(&s));
        Ok(LstsqSolution { x, rank, condition, residual, optimality, algorithm: Algorithm::Svd, iterations: 0 })
    }
}
