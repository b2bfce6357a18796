use wngd_linalg::LinearOp;
use wngd_linalg::dense::{dot, norm, sum};
use wngd_linalg::faer::Mat;
use wngd_linalg::operator::apply_vec;

use crate::probes::{ProbeKind, Probes};

/// An estimate with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// Its standard error, from the scatter of the leave-one-out estimates.
    pub error: f64,
}

/// Trace and diagonal of a symmetric operator, estimated.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceEstimate {
    /// The trace.
    pub trace: Estimate,
    /// The diagonal, n values.
    pub diagonal: Vec<Estimate>,
    /// Products with the operator used.
    pub products: usize,
    /// Whether the whole space was spanned: then both are exact up to rounding.
    pub exact: bool,
}

/// The information matrix JᵀJ of a Jacobian as an operator: one tangent and one adjoint solve a product.
pub struct Gram<'a>(
    /// The Jacobian J, m x n.
    pub &'a dyn LinearOp,
);

impl LinearOp for Gram<'_> {
    fn nrows(&self) -> usize {
        self.0.ncols()
    }
    fn ncols(&self) -> usize {
        self.0.ncols()
    }
    fn apply(&self, out: wngd_linalg::faer::MatMut<'_, f64>, x: wngd_linalg::faer::MatRef<'_, f64>) {
        let mut image = Mat::zeros(self.0.nrows(), x.ncols());
        self.0.apply(image.as_mut(), x);
        self.0.apply_transpose(out, image.as_ref());
    }
    fn apply_transpose(&self, out: wngd_linalg::faer::MatMut<'_, f64>, y: wngd_linalg::faer::MatRef<'_, f64>) {
        self.apply(out, y);
    }
}

/// Trace and diagonal of a symmetric operator A from 2s products, s ≤ n.
///
/// The range of AΩ is projected out and Hutchinson's estimator used on the rest, every probe being
/// left out of the range in turn, so that each serves in both places: the variance falls like 1/s²
/// for slowly decaying spectra and exponentially for fast ones, where plain Hutchinson has 1/s.
///
/// # Shapes
/// `a`: n x n symmetric.
///
/// # Panics
/// If A is not square.
///
/// # Cost
/// 2s products with A in two blocks, O(n s²) besides.
///
/// # References
/// Epperly, Tropp and Webber 2024 (XTrace and XDiag), doi:10.1137/23M1548323.
///
/// # Example
/// ```
/// use wngd_adjoint::{Gram, estimate_trace};
/// use wngd_adjoint::faer::Mat;
/// let z = Mat::from_fn(200, 60, |i, j| (-(j as f64) / 4.0).exp() * ((i * j) as f64).sin());
/// let exact: f64 = (0..60).map(|j| z.col(j).squared_norm_l2()).sum();
/// let found = estimate_trace(&Gram(&z), 20, 1).trace;
/// assert!((found.value - exact).abs() < 0.01 * exact && found.error < 0.01 * exact);
/// ```
pub fn estimate_trace(a: &dyn LinearOp, samples: usize, seed: u64) -> TraceEstimate {
    let n = a.nrows();
    let s = samples.clamp(1, n.max(1)).min(n);
    let exact = s == n;
    let omega = Probes { kind: ProbeKind::Rademacher, seed, iteration: 0 }.block(n, 0, s);
    // The whole space needs no probe.
    let omega = if exact { Mat::identity(n, n) } else { omega };
    let mut y = Mat::zeros(n, s);
    a.apply(y.as_mut(), omega.as_ref());
    if exact {
        let point = |value| Estimate { value, error: 0.0 };
        let diagonal: Vec<f64> = (0..n).map(|i| y[(i, i)]).collect();
        let trace = point(sum(diagonal.iter().copied()));
        return TraceEstimate { trace, diagonal: diagonal.into_iter().map(point).collect(), products: s, exact };
    }
    let qr = y.qr();
    let q = qr.compute_thin_Q();
    let r = qr.thin_R().to_owned();
    let mut aq = Mat::zeros(n, s);
    a.apply(aq.as_mut(), q.as_ref());
    let h = q.transpose() * &aq;
    let w = q.transpose() * &omega;
    let inside_trace = sum((0..s).map(|i| h[(i, i)]));
    let inside: Vec<f64> = (0..n).map(|i| sum((0..s).map(|l| q[(i, l)] * aq[(i, l)]))).collect();

    let mut traces = Vec::with_capacity(s);
    let mut diagonals: Vec<Vec<f64>> = Vec::with_capacity(s);
    for i in 0..s {
        // Without probe i the range of Y loses the direction Q d, d ∝ R⁻ᵀeᵢ.
        let Some(d) = left_out(&r, i) else { continue };
        let (qd, aqd) = (apply_vec(&q, &d), apply_vec(&aq, &d));
        let along = dot(&d, w.col_as_slice(i));
        let coefficients: Vec<f64> = w.col_as_slice(i).iter().zip(&d).map(|(w, d)| w - d * along).collect();
        let (projected, image) = (apply_vec(&q, &coefficients), apply_vec(&aq, &coefficients));
        // x = (I − P)ω and Ax, from products that are there already.
        let x: Vec<f64> = omega.col_as_slice(i).iter().zip(&projected).map(|(o, p)| o - p).collect();
        let ax: Vec<f64> = y.col_as_slice(i).iter().zip(&image).map(|(y, z)| y - z).collect();
        // A probe of fixed length sees the rest in proportion to its own share there.
        let size = norm(&x).powi(2);
        let scale = if size > 0.0 { (n - s + 1) as f64 / size } else { 0.0 };
        let removed = dot(&d, &apply_vec(&h, &d));
        traces.push(inside_trace - removed + scale * dot(&x, &ax));
        // diag(P A) + ω ∘ (A − P A)ω, with PA = (AP)ᵀ: (I − P) y.
        let outside: Vec<f64> = {
            let in_range = apply_transpose_of(&q, y.col_as_slice(i));
            let inner = dot(&d, &in_range);
            let kept: Vec<f64> = in_range.iter().zip(&d).map(|(v, d)| v - d * inner).collect();
            y.col_as_slice(i).iter().zip(apply_vec(&q, &kept)).map(|(y, p)| y - p).collect()
        };
        let entry = |row: usize| inside[row] - qd[row] * aqd[row] + omega[(row, i)] * outside[row];
        diagonals.push((0..n).map(entry).collect());
    }
    if traces.is_empty() {
        // The probes span no range in which one could be left out: what is inside it is all there is.
        traces.push(inside_trace);
        diagonals.push(inside);
    }
    let diagonal = (0..n).map(|row| scatter(diagonals.iter().map(|d| d[row]))).collect();
    TraceEstimate { trace: scatter(traces.into_iter()), diagonal, products: 2 * s, exact: false }
}

/// Unit vector along R⁻ᵀeᵢ; `None` where R is singular.
fn left_out(r: &Mat<f64>, i: usize) -> Option<Vec<f64>> {
    let s = r.ncols();
    let mut d = vec![0.0; s];
    d[i] = 1.0;
    // Only entries from i on are not zero.
    for row in i..s {
        let known: f64 = (i..row).map(|l| r[(l, row)] * d[l]).sum();
        d[row] = (d[row] - known) / r[(row, row)];
    }
    let size = norm(&d);
    (size.is_finite() && size > 0.0).then(|| d.iter().map(|v| v / size).collect())
}

fn apply_transpose_of(q: &Mat<f64>, v: &[f64]) -> Vec<f64> {
    (0..q.ncols()).map(|j| dot(q.col_as_slice(j), v)).collect()
}

/// Mean and standard error.
fn scatter(values: impl Iterator<Item = f64> + Clone) -> Estimate {
    let count = values.clone().count() as f64;
    let value = sum(values.clone()) / count;
    let squares = sum(values.map(|v| (v - value).powi(2)));
    let error = if count > 1.0 { (squares / (count * (count - 1.0))).sqrt() } else { f64::INFINITY };
    Estimate { value, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Symmetric, with eigenvalues `decay`^j in a turned basis.
    fn operator(n: usize, decay: f64) -> Mat<f64> {
        let basis = Probes { kind: ProbeKind::Gaussian, seed: 5, iteration: 1 }.block(n, 0, n).qr().compute_thin_Q();
        let scaled = Mat::from_fn(n, n, |i, j| basis[(i, j)] * decay.powi(j as i32));
        &scaled * basis.transpose()
    }

    #[test]
    fn errors_are_honest_and_small() {
        // The error estimate is a standard error of few samples: over 40 seeds the actual error should
        // stay within 4 of them but for a few, and be small beside plain Hutchinson's.
        for (decay, bound) in [(0.7, 1e-2), (0.98, 0.1)] {
            let a = operator(80, decay);
            let exact: f64 = (0..80).map(|i| a[(i, i)]).sum();
            let mut outliers = 0;
            for seed in 0..40 {
                let found = estimate_trace(&a, 16, seed);
                assert_eq!((found.products, found.exact), (32, false));
                let error = (found.trace.value - exact).abs();
                assert!(error < bound * exact, "decay {decay}, seed {seed}: {error}");
                outliers += usize::from(error > 4.0 * found.trace.error);
            }
            assert!(outliers <= 4, "decay {decay}: {outliers} of 40 beyond 4 standard errors");
        }
    }

    #[test]
    fn the_mean_over_seeds_is_the_trace_and_the_diagonal() {
        let n = 30;
        let a = operator(n, 0.9);
        let runs: Vec<TraceEstimate> = (0..400).map(|seed| estimate_trace(&a, 6, seed)).collect();
        // 4.5 standard errors of the mean of 400 runs: by chance once in 4000 runs of the test.
        let near = |values: Vec<f64>, exact: f64| {
            let mean = scatter(values.into_iter());
            assert!((mean.value - exact).abs() < 4.5 * mean.error + 1e-12, "{mean:?} against {exact}");
        };
        near(runs.iter().map(|r| r.trace.value).collect(), (0..n).map(|i| a[(i, i)]).sum());
        for i in 0..n {
            near(runs.iter().map(|r| r.diagonal[i].value).collect(), a[(i, i)]);
        }
    }

    #[test]
    fn operators_of_low_rank_lose_nothing() {
        // Fewer dimensions than probes: R is singular to rounding, or exactly for the zero operator.
        for rank in [0, 1, 3] {
            let factor = Probes { kind: ProbeKind::Gaussian, seed: 8, iteration: 0 }.block(40, 0, rank);
            let a = &factor * factor.transpose();
            let found = estimate_trace(&a, 8, 2);
            let exact: f64 = (0..40).map(|i| a[(i, i)]).sum();
            assert!((found.trace.value - exact).abs() <= 1e-10 * exact, "rank {rank}: {found:?}");
            for i in 0..40 {
                assert!((found.diagonal[i].value - a[(i, i)]).abs() <= 1e-9 * exact, "rank {rank}, entry {i}");
            }
        }
    }

    #[test]
    fn as_many_samples_as_dimensions_are_exact() {
        let a = operator(9, 0.5);
        let found = estimate_trace(&a, 50, 3);
        assert!(found.exact && found.trace.error == 0.0);
        for i in 0..9 {
            assert_eq!(found.diagonal[i].value, a[(i, i)]);
        }
    }
}
