//! Least squares from a gradient that is known better than the right-hand side.
//!
//! The minimiser of ‖A x − b‖² + Σ dᵢ² xᵢ² depends on b through g = Aᵀb alone. Where b spans many decades and most
//! of it is nearly orthogonal to the columns of A (the derivative of a divergence at a thin density), an
//! orthogonal factorisation of [A b] loses g to rounding of b, although g itself is known to full accuracy. The
//! factor of A is as good as ever: RᵀR x = g (semi-normal equations), corrected by the residual until it stands.
//! Where b is nearly in the range of A, its residual says more than g does, and the corrections come from there.

use super::Algorithm;
use super::accurate::{self, TwoParts};
use super::measure::{Measured, measure};
use crate::dense::{dot, norm};
use crate::error::{LinalgError, check_vector};
use crate::operator::{LinearOp, apply_transpose_vec, apply_vec};

/// Corrections after which a solution is left as it is.
const CORRECTIONS: usize = 12;
/// From this condition number on residuals are accumulated in twice the working precision.
const ILL_CONDITIONED: f64 = 100.0;

/// min ‖A x − b‖² + Σ dᵢ² xᵢ² with its gradient at 0 known on its own.
///
/// # Shapes
/// A: m x p; `b`: m; `gradient`: p, Aᵀb up to rounding of its own terms; `damping`: p weights d ≥ 0.
#[derive(Clone, Copy)]
pub struct GradientProblem<'a> {
    /// A.
    pub a: &'a dyn LinearOp,
    /// b.
    pub b: &'a [f64],
    /// Aᵀb, as accurately as it is known.
    pub gradient: &'a [f64],
    /// d, if there is damping.
    pub damping: Option<&'a [f64]>,
    /// Rounding of the columns of A, relative to their norms, where it exceeds that of the entries: p values. A column
    /// that falls below it once the others are taken out depends on them.
    pub rounding: Option<&'a [f64]>,
}

/// What the corrections of a solution were measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightHandSide {
    /// b: Aᵀ(b − A x).
    Vector,
    /// g: g − AᵀA x, since rounding of b would drown it.
    Gradient,
}

/// A solution of a [`GradientProblem`] with what is known about it.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientSolution {
    /// x (p), of minimum norm where the rank is deficient.
    pub x: Vec<f64>,
    /// Numerical rank of A.
    pub rank: usize,
    /// Estimate of the 2-norm condition number of A (with damping rows, if any); infinite below full rank.
    pub condition: f64,
    /// |gᵀx − ‖A x‖² − Σ d²x²| relative to the larger of the two: 0 up to rounding for a solution, whatever solved it.
    pub inconsistency: f64,
    /// What the last correction was measured by.
    pub from: RightHandSide,
    /// Algorithm behind the factor.
    pub algorithm: Algorithm,
    /// Iterations and corrections.
    pub iterations: usize,
}

/// A map of p unknowns to p.
pub(super) type VectorMap<'f> = Box<dyn Fn(&[f64]) -> Vec<f64> + 'f>;

/// An approximate (AᵀA + D²)⁺ with what its making told.
pub(super) struct NormalInverse<'f> {
    pub(super) apply: VectorMap<'f>,
    pub(super) rank: usize,
    pub(super) condition: f64,
    pub(super) algorithm: Algorithm,
    /// A solution from b, for problems in which b is at least as good as g.
    pub(super) from_vector: Option<Vec<f64>>,
    /// Iterations so far.
    pub(super) iterations: usize,
}

impl GradientProblem<'_> {
    /// What its columns are like.
    ///
    /// # Errors
    /// Wrong shapes, numbers that are none.
    pub(super) fn measure(&self) -> Result<Measured, LinalgError> {
        measure(self.a, self.b, self.gradient, self.damping)
    }

    /// AᵀA + D² as a quadratic form, and its square root applied: ‖A x‖² + Σ d²x².
    fn energy(&self, x: &[f64]) -> f64 {
        let damped = self.damping.map_or(0.0, |d| d.iter().zip(x).map(|(d, x)| (d * x).powi(2)).sum());
        norm(&apply_vec(self.a, x)).powi(2) + damped
    }

    /// |gᵀx − xᵀ(AᵀA + D²)x| relative to the larger.
    pub(super) fn inconsistency(&self, x: &[f64]) -> f64 {
        let (promised, energy) = (dot(self.gradient, x), self.energy(x));
        let size = promised.abs().max(energy);
        if size > 0.0 { (promised - energy).abs() / size } else { 0.0 }
    }

    /// b − A x and A x; rounded once where `accurate`.
    fn residual(&self, x: &[f64], accurate: bool) -> (Vec<f64>, TwoParts) {
        let y = match (self.a.as_dense(), accurate) {
            (Some(a), true) => accurate::product(a, x),
            _ => TwoParts { high: apply_vec(self.a, x), low: vec![0.0; self.b.len()] },
        };
        let parts = y.high.iter().zip(&y.low);
        let r = self.b.iter().zip(parts).map(|(b, (high, low))| (b - high) - low).collect();
        (r, y)
    }

    /// g − Aᵀy − D²x, rounded once where `accurate`.
    fn gradient_left(&self, x: &[f64], y: &TwoParts, accurate: bool) -> Vec<f64> {
        let damped = |j: usize| self.damping.map_or((0.0, 0.0), |d| (d[j] * d[j], x[j]));
        if let (Some(a), true) = (self.a.as_dense(), accurate) {
            return accurate::gradient_left(a, self.gradient, y, damped);
        }
        let product = apply_transpose_vec(self.a, &y.high);
        let known = |j: usize| damped(j).0 * damped(j).1;
        (0..x.len()).map(|j| self.gradient[j] - product[j] - known(j)).collect()
    }

    /// A first solution, corrected until the corrections no longer shrink.
    ///
    /// # Errors
    /// A solution beyond the range of numbers.
    pub(super) fn solve_by(
        &self,
        inverse: NormalInverse<'_>,
        measured: &Measured,
    ) -> Result<GradientSolution, LinalgError> {
        let Measured { scale, spread, gradient, .. } = measured;
        let found = GradientProblem { gradient, ..*self }.corrected(inverse, scale, *spread);
        check_vector("the solution of the least-squares problem", &found.x, scale.len())?;
        Ok(found)
    }

    fn corrected(&self, inverse: NormalInverse<'_>, scale: &[f64], spread: f64) -> GradientSolution {
        let NormalInverse { apply, rank, condition, algorithm, from_vector, mut iterations } = inverse;
        let size = |x: &[f64]| norm(&x.iter().zip(scale).map(|(x, s)| x * s).collect::<Vec<_>>());
        let accurate = !(condition < ILL_CONDITIONED);
        let mut x = from_vector.unwrap_or_else(|| apply(self.gradient));
        let mut from = RightHandSide::Gradient;
        let mut last = f64::INFINITY;
        for _ in 0..CORRECTIONS {
            let (r, y) = self.residual(&x, accurate);
            from = if norm(&r) <= spread { RightHandSide::Vector } else { RightHandSide::Gradient };
            let left = match from {
                RightHandSide::Vector => {
                    let mut left = apply_transpose_vec(self.a, &r);
                    if let Some(d) = self.damping {
                        left.iter_mut().zip(d).zip(&x).for_each(|((l, d), x)| *l -= d * d * x);
                    }
                    left
                }
                RightHandSide::Gradient => self.gradient_left(&x, &y, accurate),
            };
            let correction = apply(&left);
            let (moved, whole) = (size(&correction), size(&x));
            // The first may mend a solution that was lost; later ones must shrink.
            if !(moved <= 0.5 * last) || !moved.is_finite() || moved == 0.0 {
                break;
            }
            x.iter_mut().zip(&correction).for_each(|(x, c)| *x += c);
            iterations += 1;
            // Corrections shrink by one factor: stop where the next one would be rounding.
            let shrunk = moved / last.min(whole);
            last = moved;
            if moved * shrunk.min(1.0) <= f64::EPSILON * whole {
                break;
            }
        }
        let inconsistency = self.inconsistency(&x);
        GradientSolution { x, rank, condition, inconsistency, from, algorithm, iterations }
    }
}

/// A with its columns divided by `scale`, damping rows below.
pub(super) struct Scaled<'a> {
    pub(super) a: &'a dyn LinearOp,
    pub(super) scale: &'a [f64],
    pub(super) damping: Option<&'a [f64]>,
}

impl LinearOp for Scaled<'_> {
    fn nrows(&self) -> usize {
        self.a.nrows() + self.damping.map_or(0, <[f64]>::len)
    }
    fn ncols(&self) -> usize {
        self.a.ncols()
    }
    fn apply(&self, out: faer::MatMut<'_, f64>, x: faer::MatRef<'_, f64>) {
        let unscaled = faer::Mat::from_fn(x.nrows(), x.ncols(), |i, j| self.divided(x[(i, j)], i));
        let (top, mut bottom) = out.split_at_row_mut(self.a.nrows());
        self.a.apply(top, unscaled.as_ref());
        if let Some(d) = self.damping {
            for j in 0..x.ncols() {
                for i in 0..x.nrows() {
                    bottom[(i, j)] = d[i] * unscaled[(i, j)];
                }
            }
        }
    }
    fn apply_transpose(&self, out: faer::MatMut<'_, f64>, y: faer::MatRef<'_, f64>) {
        let (top, bottom) = y.split_at_row(self.a.nrows());
        let mut out = out;
        self.a.apply_transpose(out.as_mut(), top);
        for j in 0..y.ncols() {
            for i in 0..self.scale.len() {
                let damped = self.damping.map_or(0.0, |d| d[i] * bottom[(i, j)]);
                out[(i, j)] = self.divided(out[(i, j)] + damped, i);
            }
        }
    }
}

impl Scaled<'_> {
    fn divided(&self, value: f64, i: usize) -> f64 {
        if self.scale[i] > 0.0 { value / self.scale[i] } else { 0.0 }
    }
}
