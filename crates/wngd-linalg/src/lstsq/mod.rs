//! Least squares with rank decisions, minimum norm and a report.

mod accurate;
mod bidiagonal;
mod gradient;
mod lsmr;
mod measure;
mod normal;
mod qr;
mod sums;
mod svd;

pub use bidiagonal::{Bidiagonalization, KrylovProgress, KrylovSolution};
pub use gradient::{GradientProblem, GradientSolution, RightHandSide};
pub use lsmr::Lsmr;
pub use normal::{NormalEquations, SymmetricSolution, solve_information};
pub use qr::PivotedQr;
pub use svd::Svd;

use rayon::prelude::*;

use crate::dense::{column_slice, dot, norm};
use crate::error::{LinalgError, check_vector};
use crate::operator::{LinearOp, apply_transpose_vec, apply_vec};

/// Which algorithm produced a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Algorithm {
    /// Householder QR by row blocks, then column-pivoted QR of R.
    PivotedQr,
    /// Cholesky factor of the Gram matrix as preconditioner of conjugate gradients
    /// on the least-squares problem, run to rounding.
    CholeskyQr,
    /// Singular value decomposition, truncated.
    Svd,
    /// Golub–Kahan iteration LSMR.
    Lsmr,
    /// Normal equations with pivoted Cholesky.
    NormalEquations,
}

impl std::fmt::Display for Algorithm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Algorithm::PivotedQr => "pivoted-qr",
            Algorithm::CholeskyQr => "cholesky-qr",
            Algorithm::Svd => "svd",
            Algorithm::Lsmr => "lsmr",
            Algorithm::NormalEquations => "normal-equations",
        })
    }
}

/// A least-squares solution with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct LstsqSolution {
    /// The solution x (p), of minimum norm where the rank is deficient.
    pub x: Vec<f64>,
    /// Numerical rank of A, columns compared after scaling to unit norm.
    pub rank: usize,
    /// Estimate of the 2-norm condition number of A (with damping rows, if any).
    /// Infinite where the rank is deficient.
    pub condition: f64,
    /// ‖A x − b‖₂.
    pub residual: f64,
    /// ‖Aᵀ(A x − b) + d²x‖₂ / (‖A‖_F ‖b‖₂): 0 up to rounding for a solution.
    pub optimality: f64,
    /// Algorithm that gave the solution.
    pub algorithm: Algorithm,
    /// Iterations of an iterative algorithm, 0 for direct ones.
    pub iterations: usize,
}

/// Solves min ‖A x − b‖² + Σ dᵢ² xᵢ².
///
/// # Shapes
/// A: m x p with any m and p; `b`: m; `damping`: p non-negative weights d, or `None`.
pub trait LeastSquares: Sync {
    /// Solves the problem.
    ///
    /// # Errors
    /// Wrong shapes, NaN or infinities in A, b or the damping; iteration limit.
    fn solve(&self, a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<LstsqSolution, LinalgError>;
    /// Solves a problem whose gradient Aᵀb is known better than b tells it, as accurately as that.
    ///
    /// # Errors
    /// As [`solve`](Self::solve).
    fn solve_gradient(&self, problem: &GradientProblem<'_>) -> Result<GradientSolution, LinalgError>;
}

fn check_shapes(a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<(), LinalgError> {
    check_vector("right-hand side", b, a.nrows())?;
    damping.map_or(Ok(()), |d| check_vector("damping", d, a.ncols()))
}

fn check_column(column: &[f64], index: usize) -> Result<(), LinalgError> {
    match column.iter().copied().find(|v| !v.is_finite()) {
        Some(value) => Err(LinalgError::NotFinite { what: "matrix column", index, value }),
        None => Ok(()),
    }
}

fn check_problem(a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<(), LinalgError> {
    check_shapes(a, b, damping)?;
    if let Some(dense) = a.as_dense() {
        let bad = (0..dense.ncols())
            .into_par_iter()
            .find_map_first(|index| check_column(&column_slice(dense, index), index).err());
        if let Some(error) = bad {
            return Err(error);
        }
    }
    Ok(())
}

/// Scales a vector to unit norm and returns its norm; leaves zero alone.
fn normalise(v: &mut [f64]) -> f64 {
    let size = norm(v);
    if size > 0.0 {
        v.iter_mut().for_each(|x| *x /= size);
    }
    size
}

/// Residual norm and relative optimality of `x`.
fn residuals(a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>, x: &[f64], a_norm: f64) -> (f64, f64) {
    let mut r = apply_vec(a, x);
    for (ri, bi) in r.iter_mut().zip(b) {
        *ri -= bi;
    }
    let mut g = apply_transpose_vec(a, &r);
    if let Some(d) = damping {
        for ((gi, di), xi) in g.iter_mut().zip(d).zip(x) {
            *gi += di * di * xi;
        }
    }
    let scale = a_norm * norm(b);
    (norm(&r), if scale > 0.0 { norm(&g) / scale } else { 0.0 })
}

/// Condition number of an upper-triangular R by power iterations on RᵀR and its inverse.
///
/// # Cost
/// O(p²); an estimate from below, usually within a few per cent.
fn triangular_condition(r: faer::MatRef<'_, f64>) -> f64 {
    let p = r.ncols();
    if p == 0 {
        return 1.0;
    }
    let start: Vec<f64> = (0..p).map(|i| 1.0 + 0.5 * (1.0 + 2.399963 * i as f64).sin()).collect();
    let power = |step: &dyn Fn(&mut Vec<f64>)| {
        let mut v = start.clone();
        let mut value = 0.0;
        for _ in 0..40 {
            let size = norm(&v);
            v.iter_mut().for_each(|x| *x /= size);
            step(&mut v);
            let next = norm(&v);
            let settled = (next - value).abs() <= 1e-3 * next;
            value = next;
            if settled || !next.is_finite() || next == 0.0 {
                break;
            }
        }
        value.sqrt()
    };
    let largest = power(&|v| {
        let mut w = vec![0.0; p];
        for j in 0..p {
            w[..=j].iter_mut().zip(&column_slice(r, j)[..=j]).for_each(|(w, r)| *w += r * v[j]);
        }
        *v = (0..p).map(|j| column_slice(r, j)[..=j].iter().zip(&w).map(|(r, w)| r * w).sum()).collect();
    });
    let inverse = power(&|v| {
        crate::dense::solve_upper(r, v, true);
        crate::dense::solve_upper(r, v, false);
    });
    largest * inverse
}

/// Conjugate gradients on min ‖A R⁻¹ y − b‖², with R close to the QR factor of A.
///
/// Returns `x`, the iterations and whether the normal residual fell to rounding.
fn refine_with_preconditioner(
    a: &dyn LinearOp,
    b: &[f64],
    damping: Option<&[f64]>,
    r_factor: faer::MatRef<'_, f64>,
    max_iterations: usize,
) -> (Vec<f64>, usize, bool) {
    let p = a.ncols();
    let mut y = vec![0.0; p];
    let mut residual = b.to_vec();
    let mut damped_residual = vec![0.0; p];
    let precondition = |residual: &[f64], damped: &[f64]| {
        let mut s = apply_transpose_vec(a, residual);
        if let Some(d) = damping {
            s.iter_mut().zip(d).zip(damped).for_each(|((s, d), r)| *s += d * r);
        }
        crate::dense::solve_upper(r_factor, &mut s, true);
        s
    };
    let mut s = precondition(&residual, &damped_residual);
    // In these coordinates A R⁻¹ is close to orthonormal, so ‖s‖ is the part of b left to explain.
    let goal = 4.0 * f64::EPSILON * norm(b);
    let mut direction = s.clone();
    let mut gamma = dot(&s, &s);
    let mut iterations = 0;
    let mut previous = f64::INFINITY;
    while iterations < max_iterations {
        let size = gamma.sqrt();
        // Stop at rounding: below the goal, or when a step no longer gains.
        if size <= goal || size >= 0.5 * previous {
            break;
        }
        previous = size;
        let mut x = direction.clone();
        crate::dense::solve_upper(r_factor, &mut x, false);
        let q = apply_vec(a, &x);
        let damped: Vec<f64> = damping.map_or_else(Vec::new, |d| d.iter().zip(&x).map(|(d, x)| d * x).collect());
        let alpha = gamma / (dot(&q, &q) + dot(&damped, &damped));
        if !alpha.is_finite() {
            break;
        }
        y.iter_mut().zip(&direction).for_each(|(y, d)| *y += alpha * d);
        residual.iter_mut().zip(&q).for_each(|(r, q)| *r -= alpha * q);
        damped_residual.iter_mut().zip(&damped).for_each(|(r, q)| *r -= alpha * q);
        s = precondition(&residual, &damped_residual);
        let next = dot(&s, &s);
        let beta = next / gamma;
        gamma = next;
        direction.iter_mut().zip(&s).for_each(|(d, s)| *d = s + beta * *d);
        iterations += 1;
    }
    let converged = gamma.sqrt() <= 1e3 * goal;
    crate::dense::solve_upper(r_factor, &mut y, false);
    (y, iterations, converged)
}

/// A test problem checker that users of the trait can apply to their own solvers:
/// the solution's optimality residual, in units of rounding.
///
/// Returns ‖Aᵀ(Ax − b) + d²x‖ / (ε max(m, p) ‖A‖_F (‖A‖_F ‖x‖ + ‖b‖)), LAPACK's scaled
/// ratio; values below about 30 pass.
pub fn scaled_optimality(a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>, x: &[f64]) -> f64 {
    let dense = a.to_dense();
    let a_norm = dense.norm_l2().max(damping.map_or(0.0, norm));
    let (_, relative) = residuals(a, b, damping, x, 1.0);
    let gradient = relative * norm(b);
    let size = a_norm * (a_norm * norm(x) + norm(b));
    if size == 0.0 { 0.0 } else { gradient / (f64::EPSILON * a.nrows().max(a.ncols()) as f64 * size) }
}

#[cfg(test)]
mod tests;
