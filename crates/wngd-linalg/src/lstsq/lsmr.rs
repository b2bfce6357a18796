use super::bidiagonal::Bidiagonalization;
use super::gradient::{GradientProblem, GradientSolution, NormalInverse, Scaled};
use super::{Algorithm, LeastSquares, LstsqSolution, check_problem, normalise, residuals};
use crate::dense::norm;
use crate::error::{LinalgError, check_vector};
use crate::operator::{LinearOp, apply_transpose_vec, apply_vec};

/// Damped, matrix-free least squares by LSMR.
///
/// Needs only products with A and Aᵀ; from x = 0 it converges to the
/// minimum-norm solution. The reported rank is min(m, p): an iteration cannot
/// see dependence, only a growing condition estimate.
///
/// # Cost
/// One product with A and one with Aᵀ an iteration; about as many iterations as
/// distinct clusters of singular values.
///
/// # References
/// Fong and Saunders 2011, doi:10.1137/10079687X.
#[derive(Debug, Clone, Copy)]
pub struct Lsmr {
    /// Stop at ‖Aᵀr‖ ≤ tolerance ‖A‖ ‖r‖, or ‖r‖ ≤ tolerance (‖b‖ + ‖A‖ ‖x‖).
    pub tolerance: f64,
    /// Iteration limit; `None` means 10 p + 100.
    pub max_iterations: Option<usize>,
}

impl Default for Lsmr {
    fn default() -> Self {
        Self { tolerance: 1e-13, max_iterations: None }
    }
}

impl LeastSquares for Lsmr {
    fn solve(&self, a: &dyn LinearOp, b: &[f64], damping: Option<&[f64]>) -> Result<LstsqSolution, LinalgError> {
        check_problem(a, b, damping)?;
        let (m, p) = (a.nrows(), a.ncols());
        // Damping per column: the stacked operator [A; diag(d)].
        let forward = |x: &[f64]| {
            let mut y = apply_vec(a, x);
            if let Some(d) = damping {
                y.extend(d.iter().zip(x).map(|(d, x)| d * x));
            }
            y
        };
        let backward = |y: &[f64]| {
            let mut x = apply_transpose_vec(a, &y[..m]);
            if let Some(d) = damping {
                x.iter_mut().zip(d).zip(&y[m..]).for_each(|((x, d), y)| *x += d * y);
            }
            x
        };
        let limit = self.max_iterations.unwrap_or(10 * p + 100);
        let mut u = b.to_vec();
        u.resize(m + damping.map_or(0, <[f64]>::len), 0.0);
        let b_norm = norm(b);
        let mut beta = normalise(&mut u);
        let mut v = backward(&u);
        let mut alpha = normalise(&mut v);
        let mut x = vec![0.0; p];
        let (mut iterations, mut a_norm2, mut condition) = (0, alpha * alpha, 1.0);
        let mut relative = if alpha * beta == 0.0 { 0.0 } else { 1.0 };
        let (mut zetabar, mut alphabar) = (alpha * beta, alpha);
        let (mut rho, mut rhobar, mut cbar, mut sbar) = (1.0f64, 1.0f64, 1.0f64, 0.0f64);
        let mut h = v.clone();
        let mut hbar = vec![0.0; p];
        let (mut betadd, mut betad) = (beta, 0.0f64);
        let (mut rhodold, mut tautildeold, mut thetatilde, mut zeta) = (1.0f64, 0.0f64, 0.0f64, 0.0f64);
        let (mut largest_rhobar, mut smallest_rhobar) = (0.0f64, f64::INFINITY);
        while relative > self.tolerance && iterations < limit {
            iterations += 1;
            let mut next = forward(&v);
            next.iter_mut().zip(&u).for_each(|(n, u)| *n -= alpha * u);
            u = next;
            beta = normalise(&mut u);
            if beta > 0.0 {
                let mut next = backward(&u);
                next.iter_mut().zip(&v).for_each(|(n, v)| *n -= beta * v);
                v = next;
                alpha = normalise(&mut v);
            } else {
                alpha = 0.0;
            }
            // Plane rotations: bidiagonal → R, then R → Rbar.
            let rho_old = rho;
            rho = alphabar.hypot(beta);
            let (c, s) = (alphabar / rho, beta / rho);
            let theta_new = s * alpha;
            alphabar = c * alpha;
            let (rhobar_old, zeta_old) = (rhobar, zeta);
            let thetabar = sbar * rho;
            let rho_temp = cbar * rho;
            rhobar = (cbar * rho).hypot(theta_new);
            cbar = cbar * rho / rhobar;
            sbar = theta_new / rhobar;
            zeta = cbar * zetabar;
            zetabar *= -sbar;
            let factor = thetabar * rho / (rho_old * rhobar_old);
            hbar.iter_mut().zip(&h).for_each(|(hb, h)| *hb = h - factor * *hb);
            let step = zeta / (rho * rhobar);
            x.iter_mut().zip(&hbar).for_each(|(x, hb)| *x += step * hb);
            let shift = theta_new / rho;
            h.iter_mut().zip(&v).for_each(|(h, v)| *h = v - shift * *h);
            // ‖r‖ by the recurrences of the paper, section 5.
            let betahat = c * betadd;
            betadd *= -s;
            let thetatilde_old = thetatilde;
            let rhotilde_old = rhodold.hypot(thetabar);
            let (ctilde, stilde) = (rhodold / rhotilde_old, thetabar / rhotilde_old);
            thetatilde = stilde * rhobar;
            rhodold = ctilde * rhobar;
            betad = -stilde * betad + ctilde * betahat;
            tautildeold = (zeta_old - thetatilde_old * tautildeold) / rhotilde_old;
            let taud = (zeta - thetatilde * tautildeold) / rhodold;
            let r_norm = (betad - taud).hypot(betadd);
            a_norm2 += beta * beta + alpha * alpha;
            let a_norm = a_norm2.sqrt();
            largest_rhobar = largest_rhobar.max(rhobar_old);
            if iterations > 1 {
                smallest_rhobar = smallest_rhobar.min(rhobar_old);
            }
            condition = largest_rhobar.max(rho_temp) / smallest_rhobar.min(rho_temp);
            let test_gradient = zetabar.abs() / (a_norm * r_norm);
            let test_residual = r_norm / (b_norm + a_norm * norm(&x));
            relative = test_gradient.min(test_residual);
            if !relative.is_finite() {
                relative = 0.0; // exact solution: zero residual
            }
        }
        let (residual, optimality) = residuals(a, b, damping, &x, a_norm2.sqrt());
        if relative > self.tolerance {
            return Err(LinalgError::IterationLimit {
                what: "LSMR",
                iterations,
                residual: relative,
                tolerance: self.tolerance,
            });
        }
        // Squares of finite numbers may be none; what follows from them then is nothing.
        check_vector("the squared norms of LSMR", &[a_norm2, b_norm], 2)?;
        check_vector("the solution by LSMR", &x, p)?;
        Ok(LstsqSolution { x, rank: m.min(p), condition, residual, optimality, algorithm: Algorithm::Lsmr, iterations })
    }

    /// By the same Golub–Kahan iteration begun from the gradient, on columns scaled to unit norm where they are stored.
    /// The minimum norm of dependent columns is that of the scaled unknowns.
    fn solve_gradient(&self, problem: &GradientProblem<'_>) -> Result<GradientSolution, LinalgError> {
        let measured = problem.measure()?;
        let (p, scale) = (problem.a.ncols(), &measured.scale);
        let system = Scaled { a: problem.a, scale, damping: problem.damping };
        let limit = self.max_iterations.unwrap_or(10 * p + 100);
        let over =
            |g: &[f64]| -> Vec<f64> { g.iter().zip(scale).map(|(g, s)| if *s > 0.0 { g / s } else { 0.0 }).collect() };
        let iterate = |g: &[f64]| -> Result<(Vec<f64>, f64, usize), LinalgError> {
            let gradient = over(g);
            let mut basis = Bidiagonalization::from_gradient(&system, &gradient)?;
            let goal = self.tolerance * norm(&gradient);
            while !basis.is_complete() && basis.len() < limit && basis.progress(0.0).normal_residual > goal {
                basis.extend(&system);
            }
            let found = basis.solve(0.0)?;
            if found.normal_residual > goal.max(1e-8 * norm(&gradient)) && !basis.is_complete() {
                return Err(LinalgError::IterationLimit {
                    what: "LSMR",
                    iterations: basis.len(),
                    residual: found.normal_residual / norm(&gradient),
                    tolerance: self.tolerance,
                });
            }
            let (largest, smallest) = found.singular_values;
            let condition = if smallest > 0.0 { largest / smallest } else { f64::INFINITY };
            Ok((over(&found.x), condition, basis.len()))
        };
        let (first, condition, iterations) = iterate(problem.gradient)?;
        // Corrections that fail are none.
        let apply = Box::new(|g: &[f64]| iterate(g).map_or_else(|_| vec![0.0; p], |found| found.0));
        let rank = problem.a.nrows().min(p);
        let algorithm = Algorithm::Lsmr;
        let inverse = NormalInverse { apply, rank, condition, algorithm, from_vector: Some(first), iterations };
        problem.solve_by(inverse, &measured)
    }
}
