use faer::{Mat, MatRef};

use super::gradient::{GradientProblem, GradientSolution, NormalInverse};
use super::sums::{damped, taken_up};
use super::{Algorithm, LeastSquares, LstsqSolution, check_problem, residuals};
use crate::dense::{gram, symmetric_eigen};
use crate::error::{LinalgError, check_vector};
use crate::gram::NormalSums;
use crate::operator::{Entries, LinearOp, apply_transpose_vec};

/// Least squares through the normal equations (information matrix) G = AᵀA.
///
/// Half the flops of QR at the price of squaring the condition number; rank
/// decisions are made on G scaled to unit diagonal.
///
/// # Cost
/// m p² + p³/3 flops.
#[derive(Debug, Clone, Copy, Default)]
pub struct NormalEquations {
    /// Relative pivot tolerance on the scaled G; `None` means max(m, p) ε.
    pub tolerance: Option<f64>,
}

impl LeastSquares for NormalEquations {
    fn solve(&self, a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<LstsqSolution, LinalgError> {
        check_problem(a, b, damping)?;
        let entries = Entries::of(a);
        let dense = entries.as_ref();
        let (m, p) = (dense.nrows(), dense.ncols());
        let g = gram(dense);
        let a_norm = (0..p).map(|i| g[(i, i)]).sum::<f64>().sqrt();
        let g = damped(g, damping);
        let rhs = apply_transpose_vec(a, b);
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON);
        let solution = solve_information(g.as_ref(), &rhs, Some(tolerance))?;
        let (residual, optimality) = residuals(a, b, damping, &solution.x, a_norm);
        check_vector("the solution by normal equations", &solution.x, p)?;
        Ok(LstsqSolution {
            x: solution.x,
            rank: solution.rank,
            condition: solution.condition.sqrt(),
            residual,
            optimality,
            algorithm: Algorithm::NormalEquations,
            iterations: 0,
        })
    }

    /// Columns whose squares would overflow or underflow are scaled before G is formed.
    fn solve_gradient(&self, problem: &GradientProblem<'_>) -> Result<GradientSolution, LinalgError> {
        let measured = problem.measure()?;
        let entries = Entries::of(problem.a);
        let dense = entries.as_ref();
        let (m, p) = (dense.nrows(), dense.ncols());
        // Powers of two: no rounding.
        let units: Vec<f64> = measured.norms.iter().map(|&s| unit(s)).collect();
        let mut g = if units.iter().all(|u| *u == 1.0) {
            gram(dense)
        } else {
            gram(Mat::from_fn(m, p, |i, j| dense[(i, j)] / units[j]).as_ref())
        };
        if let Some(d) = problem.damping {
            for i in 0..p {
                g[(i, i)] += (d[i] / units[i]).powi(2);
            }
        }
        // Entries of G carry rounding of sums over all rows.
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON);
        let factor = InformationFactor::new(g.as_ref(), tolerance)?;
        let (rank, algorithm) = (factor.rank, Algorithm::NormalEquations);
        let condition =
            if units.iter().all(|u| *u == 1.0) { factor.condition.sqrt() } else { factor.unscaled_condition(&units) };
        let apply = Box::new(move |g: &[f64]| {
            let scaled: Vec<f64> = g.iter().zip(&units).map(|(g, u)| g / u).collect();
            let x = factor.solve(&scaled);
            x.iter().zip(&units).map(|(x, u)| x / u).collect()
        });
        let inverse = NormalInverse { apply, rank, condition, algorithm, from_vector: None, iterations: 0 };
        problem.solve_by(inverse, &measured)
    }
}

impl NormalEquations {
    /// As [`solve_gradient`](LeastSquares::solve_gradient) for an A that is known by what its rows add up to and by its
    /// products alone.
    ///
    /// # Shapes
    /// A: m x p; `sums`: of p columns. With `damping` its squares are added to AᵀA here.
    ///
    /// # Errors
    /// As `solve_gradient`; [`LinalgError::NotFinite`] for columns whose squares are no numbers.
    pub fn solve_from_sums(
        &self,
        problem: &GradientProblem<'_>,
        sums: &NormalSums,
    ) -> Result<GradientSolution, LinalgError> {
        let (m, p) = (problem.a.nrows(), problem.a.ncols());
        let (measured, g) = taken_up(problem, sums)?;
        let factor = InformationFactor::new(g.as_ref(), self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON))?;
        let (rank, condition) = (factor.rank, factor.condition.sqrt());
        let apply = Box::new(move |g: &[f64]| factor.solve(g));
        let algorithm = Algorithm::NormalEquations;
        let inverse = NormalInverse { apply, rank, condition, algorithm, from_vector: None, iterations: 0 };
        problem.solve_by(inverse, &measured)
    }
}

/// 1, or the power of two below a norm whose square is near overflow or underflow.
fn unit(norm: f64) -> f64 {
    if norm == 0.0 || (1e-100..1e100).contains(&norm) {
        1.0
    } else {
        2f64.powi(norm.log2().clamp(-1000.0, 1000.0) as i32)
    }
}

/// Solution of a symmetric positive semidefinite system.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricSolution {
    /// Minimum-norm solution x (p).
    pub x: Vec<f64>,
    /// Numerical rank of G.
    pub rank: usize,
    /// Condition number of G: exact up to p = 200, estimated above, infinite if the rank is deficient.
    pub condition: f64,
}

/// Solves `G x = g` for a symmetric positive semidefinite G by Cholesky with
/// diagonal pivoting of G scaled to unit diagonal; minimum norm where G is singular.
///
/// # Shapes
/// G: p x p (lower triangle read); `rhs`: p.
///
/// # Cost
/// p³/3 flops, more where the rank is deficient.
///
/// # Errors
/// Wrong shape, NaN, a solution beyond the range of numbers, or no convergence of the eigenvalue iteration behind the condition number.
pub fn solve_information(
    g: MatRef<'_, f64>,
    rhs: &[f64],
    tolerance: Option<f64>,
) -> Result<SymmetricSolution, LinalgError> {
    let p = g.nrows();
    check_vector("right-hand side", rhs, p)?;
    if g.ncols() != p {
        return Err(LinalgError::Shape { what: "a row of the information matrix", expected: p, found: g.ncols() });
    }
    for i in 0..p {
        for j in 0..=i {
            if !g[(i, j)].is_finite() {
                return Err(LinalgError::NotFinite { what: "information matrix row", index: i, value: g[(i, j)] });
            }
        }
    }
    let factor = InformationFactor::new(g, tolerance.unwrap_or(p as f64 * f64::EPSILON))?;
    let x = factor.solve(rhs);
    check_vector("the solution of the information matrix", &x, p)?;
    Ok(SymmetricSolution { x, rank: factor.rank, condition: factor.condition })
}

/// G⁺ by Cholesky with diagonal pivoting of G scaled to unit diagonal.
struct InformationFactor {
    /// Full rank: G = D UᵀU D. Less: G ≈ Q T Tᵀ Qᵀ, Q p x rank.
    parts: Parts,
    scale: Vec<f64>,
    rank: usize,
    /// Of G.
    condition: f64,
}

enum Parts {
    Full(Mat<f64>),
    Cut { q: Mat<f64>, t: Mat<f64> },
}

impl InformationFactor {
    fn new(g: MatRef<'_, f64>, tolerance: f64) -> Result<Self, LinalgError> {
        let p = g.nrows();
        let scale: Vec<f64> = (0..p).map(|i| g[(i, i)].max(0.0).sqrt()).collect();
        let scaled = Mat::from_fn(p, p, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            if scale[i] > 0.0 && scale[j] > 0.0 { g[(i, j)] / (scale[i] * scale[j]) } else { 0.0 }
        });
        // The unpivoted blocked factorisation is several times faster and enough
        // whenever every pivot stays far from the tolerance.
        if scale.iter().all(|&s| s > 0.0)
            && let Ok(llt) = scaled.llt(faer::Side::Lower)
        {
            let l = llt.L();
            let smallest = (0..p).map(|i| l[(i, i)].powi(2)).fold(f64::INFINITY, f64::min);
            if smallest > 10.0 * tolerance {
                let upper = Mat::from_fn(p, p, |i, j| if i <= j { l[(j, i)] } else { 0.0 });
                let condition = if p <= 200 {
                    let (values, _) = symmetric_eigen(g)?;
                    match (values.first(), values.last()) {
                        (Some(&small), Some(&large)) if small > 0.0 => large / small,
                        (None, _) => 1.0,
                        _ => f64::INFINITY,
                    }
                } else {
                    let r = Mat::from_fn(p, p, |i, j| upper[(i, j)] * scale[j]);
                    super::triangular_condition(r.as_ref()).powi(2)
                };
                return Ok(Self { parts: Parts::Full(upper), scale, rank: p, condition });
            }
        }
        let (l, rank) = pivoted_cholesky(scaled, tolerance);
        // G = (D L)(D L)ᵀ up to the cut, so G⁺ = Q T⁻ᵀ… with D L = Q T: minimum norm.
        let w = Mat::from_fn(p, rank, |i, j| l[(i, j)] * scale[i]);
        let condition = if rank < p { f64::INFINITY } else { l_condition(&l, &scale) };
        let qr = w.qr();
        let parts = Parts::Cut { q: qr.compute_thin_Q(), t: qr.thin_R().to_owned() };
        Ok(Self { parts, scale, rank, condition })
    }

    fn solve(&self, rhs: &[f64]) -> Vec<f64> {
        match &self.parts {
            Parts::Full(upper) => {
                let mut x: Vec<f64> = rhs.iter().zip(&self.scale).map(|(r, s)| r / s).collect();
                crate::dense::solve_upper(upper.as_ref(), &mut x, true);
                crate::dense::solve_upper(upper.as_ref(), &mut x, false);
                x.iter_mut().zip(&self.scale).for_each(|(x, s)| *x /= s);
                x
            }
            Parts::Cut { q, t } => {
                let mut y: Vec<f64> =
                    (0..self.rank).map(|i| (0..rhs.len()).map(|r| q[(r, i)] * rhs[r]).sum()).collect();
                // (Q T Tᵀ Qᵀ)⁺ = Q T⁻ᵀ T⁻¹ Qᵀ
                crate::dense::solve_upper(t.as_ref(), &mut y, false);
                crate::dense::solve_upper(t.as_ref(), &mut y, true);
                (0..rhs.len()).map(|r| (0..self.rank).map(|i| q[(r, i)] * y[i]).sum()).collect()
            }
        }
    }

    /// Condition number of the matrix behind G, whose columns were divided by `units` before.
    fn unscaled_condition(&self, units: &[f64]) -> f64 {
        let Parts::Full(upper) = &self.parts else { return f64::INFINITY };
        let p = units.len();
        let r = Mat::from_fn(p, p, |i, j| upper[(i, j)] * self.scale[j] * units[j]);
        match crate::dense::small_svd(r.as_ref()) {
            Ok((_, s, _)) => match (s.first(), s.last()) {
                (Some(large), Some(small)) => large / small,
                _ => 1.0,
            },
            Err(_) => f64::INFINITY,
        }
    }
}

/// Condition number of G = (D L)(D L)ᵀ from the singular values of D L.
fn l_condition(l: &Mat<f64>, scale: &[f64]) -> f64 {
    let w = Mat::from_fn(l.nrows(), l.ncols(), |i, j| l[(i, j)] * scale[i]);
    match crate::dense::small_svd(w.as_ref()) {
        Ok((_, s, _)) => match (s.first(), s.last()) {
            (Some(large), Some(small)) => (large / small).powi(2),
            _ => 1.0,
        },
        Err(_) => f64::INFINITY,
    }
}

/// Cholesky with diagonal pivoting: G ≈ L Lᵀ with L p x rank in original row order.
fn pivoted_cholesky(g: Mat<f64>, tolerance: f64) -> (Mat<f64>, usize) {
    let p = g.nrows();
    let mut diagonal: Vec<f64> = (0..p).map(|i| g[(i, i)]).collect();
    let mut done = vec![false; p];
    let mut l = Mat::<f64>::zeros(p, p);
    let mut rank = 0;
    while rank < p {
        let mut best = None;
        for i in 0..p {
            if !done[i] && best.is_none_or(|b: usize| diagonal[i] > diagonal[b]) {
                best = Some(i);
            }
        }
        let Some(pivot) = best else { break };
        if !(diagonal[pivot] > tolerance) {
            break;
        }
        done[pivot] = true;
        let root = diagonal[pivot].sqrt();
        l[(pivot, rank)] = root;
        for i in 0..p {
            if !done[i] {
                let known: f64 = (0..rank).map(|c| l[(i, c)] * l[(pivot, c)]).sum();
                let value = (g[(i, pivot)] - known) / root;
                l[(i, rank)] = value;
                diagonal[i] -= value * value;
            }
        }
        rank += 1;
    }
    (l.as_ref().subcols(0, rank).to_owned(), rank)
}
