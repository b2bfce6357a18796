use wngd_linalg::dense::{beside, gram, solve_upper, symmetric_eigen, tall_qr};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};
use wngd_linalg::{Bidiagonalization, LeastSquares, LinearOp, PivotedQr, solve_information};

use super::krylov;
use super::operator::{Damped, RightPreconditioned};
use super::prepared::{Found, Memory, Prepared};
use crate::error::DirectionError;

/// Probes that an adaptive sketch starts with.
const FIRST: usize = 32;
/// Error from which a sketched right-hand side has lost its gradient.
const LOST: f64 = 0.9;
/// Probes per parameter for the preconditioner: its condition number is about (1 + ½)/(1 − ½).
const OVERSAMPLING: usize = 4;

impl<J: LinearOp> Prepared<'_, J> {
    /// (SY/√m)ᵀ (p x m) and Sb/√m for probes `first..first + count`, unscaled.
    fn sketch(&self, first: usize, count: usize) -> (Mat<f64>, Vec<f64>) {
        let xi = self.options.draw.block(self.y.nrows(), first, count);
        let mut products = Mat::zeros(self.y.ncols(), count);
        self.y.apply_transpose(products.as_mut(), xi.as_ref());
        (products, apply_transpose_vec(&xi, &self.b))
    }

    /// Sketched least squares, or the exact gradient with the sketched G; probes are doubled until the
    /// error is small enough or tangents would be cheaper.
    pub(super) fn sketched(
        &self,
        memory: &mut Memory,
        damping: f64,
        exact_gradient: bool,
    ) -> Result<Found, DirectionError> {
        let p = self.y.ncols();
        let g = self.gradient(memory);
        let fixed = self.options.probes;
        let (mut products, mut sb) = self.sketch(0, fixed.unwrap_or(FIRST));
        loop {
            let m = products.ncols();
            let scale = 1.0 / (m as f64).sqrt();
            // S Y/√m, m x p.
            let sy = Mat::from_fn(m, p, |i, j| scale * products[(j, i)]);
            let scaled_b: Vec<f64> = sb.iter().map(|v| scale * v).collect();
            let outer = if m < p { gram(sy.transpose().to_owned().as_ref()) } else { gram(sy.as_ref()) };
            let (values, _) = symmetric_eigen(outer.as_ref())?;
            let (smallest, largest) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
            let mu = self.mu(damping, largest);
            let inverse = SketchedInverse { sy: &sy, outer: &outer, mu };
            let eta = if mu == 0.0 && !exact_gradient {
                PivotedQr::default().solve(&sy, &scaled_b, None)?.x
            } else if mu == 0.0 && m < p {
                return Err(DirectionError::NeedsDamping { estimator: "sketched-gram" });
            } else {
                let rhs = if exact_gradient { g.clone() } else { apply_transpose_vec(&sy, &scaled_b) };
                inverse.apply(&rhs)?
            };
            // Without damping and with fewer probes than parameters the sketch says nothing of the rest.
            let error = if mu == 0.0 && m < p {
                1.0
            } else {
                // The closure cannot fail where the solve above did not.
                self.posterior(&eta, &g, mu, |r| inverse.apply(r).unwrap_or_else(|_| vec![f64::NAN; p]))
            };
            let enough = fixed.is_some() || error <= self.options.tolerance || 2 * m >= p.max(2 * FIRST);
            if enough && fixed.is_none() && !exact_gradient && error > LOST {
                // b is nearly orthogonal to the columns of Y, and a sketch of it says nothing of the gradient.
                let found = self.sketched(memory, damping, true)?;
                let reason =
                    Some(format!("{m} sketched rows lost the gradient: sketched-gram, which knows it, answered"));
                return Ok(Found { reason, ..found });
            }
            if enough {
                let reason = (fixed.is_none() && error > self.options.tolerance).then(|| {
                    format!("{m} probes miss the tolerance, and {p} tangents would cost less than more of them")
                });
                let singular_values = (largest.max(0.0).sqrt(), if m < p { 0.0 } else { smallest.max(0.0).sqrt() });
                return Ok(Found { eta, probes: m, iterations: 0, mu, error, singular_values, reason });
            }
            let (more, more_b) = self.sketch(m, m);
            products = beside(products.as_ref(), more.as_ref());
            sb.extend(more_b);
        }
    }

    /// Sketch-to-precondition: Golub–Kahan on [Y; √μ]R⁻¹ with R from a QR of [SY/√m; √μ].
    pub(super) fn preconditioned(&self, memory: &mut Memory, damping: f64) -> Result<Found, DirectionError> {
        let p = self.y.ncols();
        let m = self.options.probes.unwrap_or(OVERSAMPLING * p).max(p);
        let (products, _) = self.sketch(0, m);
        let scale = 1.0 / (m as f64).sqrt();
        let sy = Mat::from_fn(m, p, |i, j| scale * products[(j, i)]);
        let largest = match self.options.reference {
            None if damping > 0.0 => symmetric_eigen(gram(sy.as_ref()).as_ref())?.0.last().copied().unwrap_or(0.0),
            _ => 0.0,
        };
        let mu = self.mu(damping, largest);
        let root = mu.sqrt();
        let diagonal = vec![root; p];
        let r = tall_qr(sy.as_ref(), &vec![0.0; m], (mu > 0.0).then_some(&diagonal[..])).r;
        let sizes: Vec<f64> = (0..p).map(|i| r[(i, i)].abs()).collect();
        let top = sizes.iter().copied().fold(0.0, f64::max);
        if !sizes.iter().all(|s| *s > f64::EPSILON * p as f64 * top) {
            return Err(DirectionError::NeedsDamping { estimator: "preconditioned" });
        }
        let damped = Damped { matrix: &self.y, root };
        let system = RightPreconditioned { matrix: &damped, r: &r };
        let mut b = self.b.clone();
        b.resize(self.y.nrows() + p, 0.0);
        let mut gradient = self.gradient(memory);
        solve_upper(r.as_ref(), &mut gradient, true);
        let mut basis = Bidiagonalization::new(&system, &b, &gradient)?;
        let mut found = krylov::grow(&mut basis, &system, self.options.tolerance, |_| 0.0)?;
        solve_upper(r.as_ref(), &mut found.eta, false);
        Ok(Found { probes: m, mu, ..found })
    }
}

/// (YᵀSᵀSY/m + μ)⁻¹ through the smaller of its two Gram matrices.
struct SketchedInverse<'a> {
    sy: &'a Mat<f64>,
    /// SY(SY)ᵀ/m if m < p, else its p x p counterpart.
    outer: &'a Mat<f64>,
    mu: f64,
}

impl SketchedInverse<'_> {
    fn apply(&self, v: &[f64]) -> Result<Vec<f64>, DirectionError> {
        let mut core = self.outer.clone();
        for i in 0..core.nrows() {
            core[(i, i)] += self.mu;
        }
        if self.sy.nrows() >= self.sy.ncols() {
            return Ok(solve_information(core.as_ref(), v, None)?.x);
        }
        // Woodbury: (v − Aᵀ(AAᵀ + μ)⁻¹Av)/μ.
        let inner = solve_information(core.as_ref(), &apply_vec(self.sy, v), None)?.x;
        let back = apply_transpose_vec(self.sy, &inner);
        Ok(v.iter().zip(back).map(|(v, b)| (v - b) / self.mu).collect())
    }
}
