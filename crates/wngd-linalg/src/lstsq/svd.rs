use faer::Mat;

use super::gradient::{GradientProblem, GradientSolution, NormalInverse, VectorMap};
use super::qr::PivotedFactor;
use super::{Algorithm, LeastSquares, LstsqSolution, check_problem, residuals};
use crate::dense::{column_norms, norm, small_svd, tall_qr};
use crate::error::{LinalgError, check_vector};
use crate::operator::{Entries, LinearOp};

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
        let entries = Entries::of(a);
        let dense = entries.as_ref();
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
        check_vector("the solution by the SVD", &x, p)?;
        Ok(LstsqSolution { x, rank, condition, residual, optimality, algorithm: Algorithm::Svd, iterations: 0 })
    }

    /// As [`solve`](LeastSquares::solve), but the rank is decided on columns scaled to unit norm, as by the other solvers.
    fn solve_gradient(&self, problem: &GradientProblem<'_>) -> Result<GradientSolution, LinalgError> {
        let measured = problem.measure()?;
        let entries = Entries::of(problem.a);
        let dense = entries.as_ref();
        let (m, p) = (dense.nrows(), dense.ncols());
        let reduced = tall_qr(dense, problem.b, problem.damping);
        let scale = column_norms(reduced.r.as_ref());
        let scaled =
            Mat::from_fn(reduced.r.nrows(), p, |i, j| if scale[j] > 0.0 { reduced.r[(i, j)] / scale[j] } else { 0.0 });
        let (_, s, v) = small_svd(scaled.as_ref())?;
        // Singular vectors mix columns: the noisiest one speaks for all.
        let noise = problem.rounding.map_or(0.0, |r| r.iter().fold(0.0, |most: f64, r| most.max(*r)));
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON).max(noise);
        let cut = tolerance * s.first().copied().unwrap_or(0.0);
        let rank = s.iter().filter(|&&value| value > cut).count();
        let (_, unscaled, _) = small_svd(reduced.r.as_ref())?;
        let condition = match (unscaled.first(), unscaled.last()) {
            _ if rank < p => f64::INFINITY,
            (Some(large), Some(small)) => large / small,
            _ => 1.0,
        };
        let apply: VectorMap<'_> = if rank == p {
            Box::new(move |g| {
                let mut x = vec![0.0; p];
                for (i, &value) in s.iter().enumerate() {
                    let along = (0..p).map(|j| v[(j, i)] * (g[j] / scale[j])).sum::<f64>() / (value * value);
                    x.iter_mut().enumerate().for_each(|(j, x)| *x += v[(j, i)] * along);
                }
                x.iter_mut().zip(&scale).for_each(|(x, s)| *x /= s);
                x
            })
        } else {
            // Minimum norm is that of the unscaled unknowns.
            let rows = Mat::from_fn(rank, p, |i, j| s[i] * v[(j, i)]);
            let factor = PivotedFactor::of_rows(rows);
            Box::new(move |g| factor.normal_inverse(g, &scale))
        };
        let algorithm = Algorithm::Svd;
        let inverse = NormalInverse { apply, rank, condition, algorithm, from_vector: None, iterations: 0 };
        problem.solve_by(inverse, &measured)
    }
}
