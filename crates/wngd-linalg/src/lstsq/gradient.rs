//! Least squares from a gradient that is known better than the right-hand side.
//!
//! The minimiser of ‖A x − b‖² + Σ dᵢ² xᵢ² depends on b through g = Aᵀb alone. Where b spans many decades and most
//! of it is nearly orthogonal to the columns of A (the derivative of a divergence at a thin density), an
//! orthogonal factorisation of [A b] loses g to rounding of b, although g itself is known to full accuracy. The
//! factor of A is as good as ever: RᵀR x = g (semi-normal equations), corrected by the residual until it stands.
//! Where b is nearly in the range of A, its residual says more than g does, and the corrections come from there.

use rayon::prelude::*;

use super::Algorithm;
use crate::dense::{column_norms, column_slice, dot, norm};
use crate::error::{LinalgError, check_vector};
use crate::operator::{LinearOp, apply_transpose_vec, apply_vec};

/// Corrections after which a solution is left as it is.
const CORRECTIONS: usize = 12;
/// From this condition number on residuals are accumulated in twice the working precision.
const ILL_CONDITIONED: f64 = 100.0;
/// Distance of a gradient from Aᵀb, as a share of its terms, that rounding of b may explain.
const EXPLAINED: f64 = 1e-6;
/// Rows of a task when residuals are accumulated.
const ROWS: usize = 8192;

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
    pub(super) fn check(&self) -> Result<(), LinalgError> {
        super::check_problem(self.a, self.b, self.damping)?;
        check_vector("gradient", self.gradient, self.a.ncols())
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

    /// Norms of the columns of [A; D], by how much rounding of b disturbs a gradient entry (the largest
    /// Σ |aᵢⱼ bᵢ| over its norm), and the gradient. An operator without entries has unit norms and tells |gⱼ|.
    ///
    /// Where a given gⱼ is further from Aᵀb than any rounding of b explains, it is the one that is lost: to the noise of a
    /// column that is small by cancellation.
    fn scales(&self) -> (Vec<f64>, f64, Vec<f64>) {
        let Some(a) = self.a.as_dense() else {
            let spread = self.gradient.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
            return (vec![1.0; self.gradient.len()], spread, self.gradient.to_vec());
        };
        let mut scale = column_norms(a);
        let sums: Vec<(f64, f64)> = (0..a.ncols())
            .into_par_iter()
            .map(|j| {
                let column = column_slice(a, j);
                let products = column.iter().zip(self.b).map(|(a, b)| a * b);
                products.fold((0.0, 0.0), |(sum, size), product| (sum + product, size + product.abs()))
            })
            .collect();
        let gradient = self.gradient.iter().zip(&sums);
        let gradient = gradient.map(|(g, (sum, size))| if (g - sum).abs() <= EXPLAINED * size { *g } else { *sum });
        let spreads = sums.iter().zip(&scale).filter(|(_, s)| **s > 0.0).map(|((_, size), s)| size / s);
        let spread = spreads.fold(0.0, f64::max);
        if let Some(d) = self.damping {
            scale.iter_mut().zip(d).for_each(|(s, d)| *s = s.hypot(*d));
        }
        (scale, spread, gradient.collect())
    }

    /// b − A x and A x; rounded once where `accurate`.
    fn residual(&self, x: &[f64], accurate: bool) -> (Vec<f64>, Vec<(f64, f64)>) {
        let (Some(a), true) = (self.a.as_dense(), accurate) else {
            let y = apply_vec(self.a, x);
            let r = self.b.iter().zip(&y).map(|(b, y)| b - y).collect();
            return (r, y.into_iter().map(|y| (y, 0.0)).collect());
        };
        let mut y = vec![(0.0, 0.0); a.nrows()];
        y.par_chunks_mut(ROWS).enumerate().for_each(|(piece, y)| {
            for (j, &x) in x.iter().enumerate() {
                let column = &column_slice(a, j)[piece * ROWS..];
                y.iter_mut().zip(column).for_each(|(y, a)| add_product(y, *a, x));
            }
        });
        let r = self.b.iter().zip(&y).map(|(b, (high, low))| (b - high) - low).collect();
        (r, y)
    }

    /// g − Aᵀy − D²x, rounded once where `accurate`.
    fn gradient_left(&self, x: &[f64], y: &[(f64, f64)], accurate: bool) -> Vec<f64> {
        let damped = |j: usize| self.damping.map_or(0.0, |d| d[j] * d[j] * x[j]);
        let (Some(a), true) = (self.a.as_dense(), accurate) else {
            let y: Vec<f64> = y.iter().map(|y| y.0 + y.1).collect();
            let product = apply_transpose_vec(self.a, &y);
            return (0..x.len()).map(|j| self.gradient[j] - product[j] - damped(j)).collect();
        };
        (0..x.len())
            .into_par_iter()
            .map(|j| {
                let mut left = (self.gradient[j], 0.0);
                for (a, (high, low)) in column_slice(a, j).iter().zip(y) {
                    add_product(&mut left, -*a, *high);
                    left.1 -= a * low;
                }
                if let Some(d) = self.damping {
                    add_product(&mut left, -d[j] * d[j], x[j]);
                }
                left.0 + left.1
            })
            .collect()
    }

    /// A first solution, corrected until the corrections no longer shrink.
    pub(super) fn solve_by(&self, inverse: NormalInverse<'_>) -> GradientSolution {
        let (scale, spread, gradient) = self.scales();
        GradientProblem { gradient: &gradient, ..*self }.corrected(inverse, &scale, spread)
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
            last = moved;
            if moved <= f64::EPSILON * whole {
                break;
            }
        }
        let inconsistency = self.inconsistency(&x);
        GradientSolution { x, rank, condition, inconsistency, from, algorithm, iterations }
    }
}

/// Adds a product to a sum of two parts without rounding it to one (Ogita, Rump and Oishi 2005, Dot2).
fn add_product(sum: &mut (f64, f64), a: f64, b: f64) {
    let product = a * b;
    let lost = a.mul_add(b, -product);
    let next = sum.0 + product;
    let shift = next - sum.0;
    sum.1 += ((sum.0 - (next - shift)) + (product - shift)) + lost;
    sum.0 = next;
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
