use faer::Mat;

use crate::dense::{dot, norm, small_svd};
use crate::error::{LinalgError, check_vector};
use crate::lstsq::normalise;
use crate::operator::{LinearOp, apply_transpose_vec, apply_vec};

/// Golub–Kahan bidiagonalisation A V = U B from a right-hand side b, grown step by step.
///
/// One basis serves every damping: min ‖A x − b‖² + μ‖x‖² over the span of V is a small problem in
/// B. The v are kept and made orthogonal to all earlier ones, which keeps B as accurate as if the u
/// were orthogonal, too; the u are not kept.
///
/// # Cost
/// One product with A and one with Aᵀ a step (and one with Aᵀ at the start), p numbers of memory a step.
///
/// # References
/// Golub and Kahan 1965, doi:10.1137/0702016; Simon and Zha 2000 for the one-sided
/// orthogonalisation, doi:10.1137/S1064827597327309; Paige and Saunders 1982 for the beginning with Aᵀb,
/// doi:10.1145/355984.355989.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wngd_linalg::Bidiagonalization;
/// use wngd_linalg::operator::apply_transpose_vec;
/// let a = Mat::from_fn(6, 3, |i, j| ((i + 1) as f64).powi(j as i32));
/// let b = [2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
/// let mut basis = Bidiagonalization::new(&a, &b, &apply_transpose_vec(&a, &b))?;
/// while !basis.is_complete() {
///     basis.extend(&a);
/// }
/// let line = basis.solve(0.0)?;
/// assert!((line.x[0] - 1.0).abs() < 1e-10 && (line.x[1] - 1.0).abs() < 1e-10);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Bidiagonalization {
    /// ‖Aᵀb‖.
    gradient: f64,
    /// Diagonal α₁ … α_{j+1} and subdiagonal β₂ … β_{j+1} of B. α₁ is 0 where b is not used: B has no first row then.
    alpha: Vec<f64>,
    beta: Vec<f64>,
    u: Vec<f64>,
    /// v₁ … v_{j+1}.
    v: Vec<Vec<f64>>,
    /// A v₁, until the first step takes it.
    image: Option<Vec<f64>>,
    complete: bool,
}

/// Share of ‖A v₁‖ that b must have along the columns of A: below it the rounding of b drowns Aᵀb.
const ALONG: f64 = 1e-3;

/// A solution in the span of a [`Bidiagonalization`].
#[derive(Debug, Clone, PartialEq)]
pub struct KrylovSolution {
    /// x, p values.
    pub x: Vec<f64>,
    /// ‖Aᵀ(A x − b) + μ x‖.
    pub normal_residual: f64,
    /// ½‖b‖² − ½‖A x − b‖² − ½μ‖x‖²: what x gains over 0.
    pub decrease: f64,
    /// Largest and smallest singular value of B, estimates of A's from inside.
    pub singular_values: (f64, f64),
}

/// How far the solutions in a [`Bidiagonalization`] have come for one damping.
#[derive(Debug, Clone, PartialEq)]
pub struct KrylovProgress {
    /// [`KrylovSolution::decrease`] after 0, 1, … j steps.
    pub decreases: Vec<f64>,
    /// ‖Aᵀ(A x − b) + μ x‖ after the last.
    pub normal_residual: f64,
    /// Smallest pivot of the triangular factor of [B; √μ]: its smallest singular value from above.
    pub smallest_pivot: f64,
}

impl Bidiagonalization {
    /// The empty basis of b with its gradient Aᵀb, as accurately as that is known: one product with A.
    ///
    /// Where b is nearly orthogonal to the columns of A, as derivatives of divergences are at thin densities, it
    /// begins with the gradient alone.
    ///
    /// # Errors
    /// A right-hand side or gradient of another length or with NaN.
    pub fn new(a: &dyn LinearOp, b: &[f64], gradient: &[f64]) -> Result<Self, LinalgError> {
        check_vector("right-hand side", b, a.nrows())?;
        let mut basis = Self::from_gradient(a, gradient)?;
        let mut u = b.to_vec();
        let size = normalise(&mut u);
        let image = basis.image.as_ref().map_or(0.0, |image| norm(image));
        if size > 0.0 && basis.gradient / size >= ALONG * image {
            basis.alpha[0] = basis.gradient / size;
            basis.u = u;
        }
        Ok(basis)
    }

    /// The empty basis of a gradient g = Aᵀb whose b is not known or not to be used: one product with A.
    ///
    /// # Errors
    /// A gradient of another length or with NaN.
    pub fn from_gradient(a: &dyn LinearOp, gradient: &[f64]) -> Result<Self, LinalgError> {
        check_vector("gradient", gradient, a.ncols())?;
        let mut v = gradient.to_vec();
        let gradient = normalise(&mut v);
        let complete = gradient == 0.0;
        let image = (!complete).then(|| apply_vec(a, &v));
        let u = vec![0.0; a.nrows()];
        Ok(Self { gradient, alpha: vec![0.0], beta: Vec::new(), u, v: vec![v], image, complete })
    }

    /// Steps taken.
    pub fn len(&self) -> usize {
        self.beta.len()
    }

    /// Whether no step has been taken.
    pub fn is_empty(&self) -> bool {
        self.beta.is_empty()
    }

    /// Whether the span holds the solution for every damping.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// One more step; nothing if the basis is complete.
    pub fn extend(&mut self, a: &dyn LinearOp) {
        if self.complete {
            return;
        }
        let j = self.len();
        let mut u = self.image.take().unwrap_or_else(|| apply_vec(a, &self.v[j]));
        let image = norm(&u);
        u.iter_mut().zip(&self.u).for_each(|(u, old)| *u -= self.alpha[j] * old);
        let beta = normalise(&mut u);
        self.beta.push(beta);
        let mut v = apply_transpose_vec(a, &u);
        let before = norm(&v);
        for _ in 0..2 {
            for earlier in &self.v {
                let along = dot(earlier, &v);
                v.iter_mut().zip(earlier).for_each(|(v, e)| *v -= along * e);
            }
        }
        let mut alpha = normalise(&mut v);
        // What is left of a vector inside the span is rounding.
        if beta <= 4.0 * f64::EPSILON * image || alpha <= 4.0 * f64::EPSILON * before || self.v.len() == a.ncols() {
            alpha = 0.0;
            self.complete = true;
        }
        self.alpha.push(alpha);
        self.u = u;
        self.v.push(v);
    }

    /// B as a dense matrix, j + 1 x j.
    fn matrix(&self) -> Mat<f64> {
        Mat::from_fn(self.len() + 1, self.len(), |r, c| match r.checked_sub(c) {
            Some(0) => self.alpha[c],
            Some(1) => self.beta[c],
            _ => 0.0,
        })
    }

    /// Largest singular value of B, an estimate of ‖A‖₂ from below; 0 before the first step.
    ///
    /// # Cost
    /// O(j) for each of at most 50 power iterations.
    pub fn largest_singular_value(&self) -> f64 {
        let j = self.len();
        let mut v = vec![1.0; j];
        let mut largest = 0.0;
        for _ in 0..if j > 0 { 50 } else { 0 } {
            let size = norm(&v);
            v.iter_mut().for_each(|v| *v /= size);
            // BᵀBv with the two diagonals of B.
            let bv: Vec<f64> = (0..=j)
                .map(|i| {
                    let above = if i > 0 { self.beta[i - 1] * v[i - 1] } else { 0.0 };
                    above + if i < j { self.alpha[i] * v[i] } else { 0.0 }
                })
                .collect();
            let next = norm(&bv);
            v = (0..j).map(|i| self.alpha[i] * bv[i] + self.beta[i] * bv[i + 1]).collect();
            let settled = next - largest <= 1e-6 * next;
            largest = next;
            if settled || largest == 0.0 {
                break;
            }
        }
        largest
    }

    /// How far the solutions for damping μ have come, without forming one.
    ///
    /// # Cost
    /// O(j): the pivots of BᵀB + μ, without subtractions.
    pub fn progress(&self, mu: f64) -> KrylovProgress {
        let mut found =
            KrylovProgress { decreases: vec![0.0], normal_residual: self.gradient, smallest_pivot: f64::INFINITY };
        // pivot = β² + rest; what a row leaves for the next one is μ + α² rest/pivot.
        let (mut rest, mut reached, mut total) = (mu + self.alpha[0].powi(2), self.gradient, 0.0);
        for (beta, alpha) in self.beta.iter().zip(&self.alpha[1..]) {
            let pivot = beta * beta + rest;
            if pivot > 0.0 {
                total += 0.5 * reached * reached / pivot;
                found.normal_residual = (alpha * beta * reached / pivot).abs();
                found.smallest_pivot = found.smallest_pivot.min(pivot.sqrt());
                reached *= -alpha * beta / pivot;
                rest = mu + alpha * alpha * rest / pivot;
            }
            found.decreases.push(total);
        }
        found
    }

    /// The best x in the span for damping μ ≥ 0.
    ///
    /// Singular values of B below rounding of the largest are left out.
    ///
    /// # Cost
    /// The decomposition of a j x j bidiagonal matrix and j p operations.
    ///
    /// # Errors
    /// The decomposition not converging.
    pub fn solve(&self, mu: f64) -> Result<KrylovSolution, LinalgError> {
        let j = self.len();
        let p = self.v[0].len();
        if j == 0 {
            let x = vec![0.0; p];
            return Ok(KrylovSolution {
                x,
                normal_residual: self.gradient,
                decrease: 0.0,
                singular_values: (0.0, 0.0),
            });
        }
        let (left, sigma, right) = small_svd(self.matrix().as_ref())?;
        let floor = f64::EPSILON * (j + 1) as f64 * sigma[0];
        let weights: Vec<f64> = (0..j)
            .map(|l| {
                let s = sigma[l];
                if !(s > floor) {
                    return 0.0;
                }
                // e₁ of ‖b‖ where b began the basis, which keeps the digits of small s; else ‖g‖ e₁.
                let along = if self.alpha[0] > 0.0 { s * left[(0, l)] / self.alpha[0] } else { right[(0, l)] };
                self.gradient * along / (s * s + mu)
            })
            .collect();
        let y: Vec<f64> = (0..j).map(|r| (0..j).map(|l| right[(r, l)] * weights[l]).sum()).collect();
        let mut x = vec![0.0; p];
        for (y, v) in y.iter().zip(&self.v) {
            x.iter_mut().zip(v).for_each(|(x, v)| *x += y * v);
        }
        // Products of finite numbers may be none.
        check_vector("the Krylov solution", &x, p)?;
        Ok(KrylovSolution {
            x,
            normal_residual: self.alpha[j] * (self.beta[j - 1] * y[j - 1]).abs(),
            decrease: 0.5 * self.gradient * y[0],
            singular_values: (sigma[0], sigma[j - 1]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lstsq::{LeastSquares, Svd};

    /// m x p with singular values that fall by `condition`, in turned bases.
    fn matrix(m: usize, p: usize, condition: f64) -> Mat<f64> {
        let wave = |n: usize, k: usize, f: f64| Mat::from_fn(n, k, |i, j| (f * ((i + 1) * (j + 2)) as f64).sin());
        let (u, v) = (wave(m, p, 0.37).qr().compute_thin_Q(), wave(p, p, 0.73).qr().compute_thin_Q());
        let scaled = Mat::from_fn(m, p, |i, j| u[(i, j)] * condition.powf(-(j as f64) / (p - 1) as f64));
        &scaled * v.transpose()
    }

    #[test]
    fn every_damping_is_solved_from_one_basis() {
        let a = matrix(60, 20, 1e5);
        let b: Vec<f64> = (0..60).map(|i| (0.9 * i as f64).cos()).collect();
        let mut basis = Bidiagonalization::new(&a, &b, &apply_transpose_vec(&a, &b)).unwrap();
        while !basis.is_complete() {
            basis.extend(&a);
        }
        assert!(basis.len() <= 21);
        for mu in [0.0, 1e-8, 1e-4, 1.0] {
            let weights = vec![f64::sqrt(mu); 20];
            let exact = Svd { tolerance: None }.solve(&a, &b, Some(&weights)).unwrap().x;
            let found = basis.solve(mu).unwrap();
            let error: Vec<f64> = exact.iter().zip(&found.x).map(|(a, b)| a - b).collect();
            assert!(norm(&error) < 1e-9 * norm(&exact), "mu {mu}: {}", norm(&error) / norm(&exact));
        }
    }

    #[test]
    fn residual_and_decrease_are_those_of_the_problem() {
        let a = matrix(50, 18, 1e3);
        let b: Vec<f64> = (0..50).map(|i| (0.4 * i as f64).sin()).collect();
        let mut basis = Bidiagonalization::new(&a, &b, &apply_transpose_vec(&a, &b)).unwrap();
        let mut last = 0.0;
        for _ in 0..8 {
            basis.extend(&a);
            let mu = 1e-3;
            let found = basis.solve(mu).unwrap();
            let mut r = apply_vec(&a, &found.x);
            r.iter_mut().zip(&b).for_each(|(r, b)| *r -= b);
            let mut g = apply_transpose_vec(&a, &r);
            g.iter_mut().zip(&found.x).for_each(|(g, x)| *g += mu * x);
            assert!((norm(&g) - found.normal_residual).abs() < 1e-12 * norm(&b));
            let value = 0.5 * (dot(&b, &b) - dot(&r, &r) - mu * dot(&found.x, &found.x));
            assert!((value - found.decrease).abs() < 1e-12 * dot(&b, &b));
            assert!(found.decrease > last);
            last = found.decrease;
            let progress = basis.progress(mu);
            assert_eq!(progress.decreases.len(), basis.len() + 1);
            assert!((progress.decreases[basis.len()] - last).abs() < 1e-12 * dot(&b, &b));
            assert!((progress.normal_residual - found.normal_residual).abs() < 1e-12 * norm(&b));
            let largest = basis.largest_singular_value();
            assert!((largest / found.singular_values.0 - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_zero_right_hand_side_is_complete_at_once() {
        let a = matrix(10, 4, 10.0);
        let basis = Bidiagonalization::new(&a, &[0.0; 10], &[0.0; 4]).unwrap();
        assert!(basis.is_complete());
        assert_eq!(basis.solve(0.0).unwrap().x, [0.0; 4]);
    }
}
