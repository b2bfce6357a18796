use std::fmt;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use wngd_linalg::LinearOp;
use wngd_linalg::dense::{dot, norm};
use wngd_linalg::operator::{apply_transpose_vec, apply_vec};

use crate::error::ModelError;
use crate::model::ForwardModel;

/// Relative accuracy assumed of a state: remainders below it say nothing.
const NOISE: f64 = 2e-11;

/// Step sizes 2⁻³ … 2⁻²⁰.
fn step_sizes() -> Vec<f64> {
    (3..21).map(|i| 0.5f64.powi(i)).collect()
}

/// Slopes from here on show an exact derivative: 2 in theory, 1 for a wrong derivative.
const EXACT: f64 = 1.9;

/// Outcome of a Taylor test: remainders against step sizes and their rate.
///
/// `Display` shows the steps whose remainder is above rounding, the slope and what it says.
///
/// ```
/// use wngd_adjoint::taylor_test_scalar;
/// let sine = |x: &[f64]| Ok::<_, std::convert::Infallible>(x[0].sin());
/// let right = taylor_test_scalar(sine, &[0.3f64.cos()], &[0.3], &[1.0])?;
/// assert!(right.is_exact() && right.to_string().ends_with("slope 2.00: the derivative is exact"), "{right}");
/// let wrong = taylor_test_scalar(sine, &[1.0], &[0.3], &[1.0])?;
/// assert!(!wrong.is_exact() && wrong.to_string().contains("slope 1.00: the derivative is wrong"), "{wrong}");
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TaylorTest {
    /// Step sizes t, decreasing.
    pub steps: Vec<f64>,
    /// ‖ρ(θ + t δ) − ρ(θ) − t Z δ‖ (or the scalar analogue) for each step.
    pub remainders: Vec<f64>,
    /// Remainders up to here are rounding.
    pub floor: f64,
    /// Observed order of the remainder in t: 2 for an exact derivative, 1 for a
    /// wrong one. Infinite if the model is affine along δ.
    pub rate: f64,
}

impl TaylorTest {
    /// Fits the rate on the steps whose remainder is above rounding.
    ///
    /// `scale` is the size of the terms that cancel. The rate is the median of the
    /// three slopes at the smallest steps: there an error of the derivative of one
    /// part in 10⁵ already shows, and one kink or lucky cancellation cannot carry
    /// the test.
    fn from_remainders(steps: Vec<f64>, remainders: Vec<f64>, scale: f64) -> Self {
        let floor = NOISE * scale;
        let slopes: Vec<f64> = steps
            .windows(2)
            .zip(remainders.windows(2))
            .filter(|(_, r)| r[1] > floor)
            .map(|(t, r)| (r[0] / r[1]).ln() / (t[0] / t[1]).ln())
            .collect();
        let mut last = slopes[slopes.len().saturating_sub(3)..].to_vec();
        last.sort_by(f64::total_cmp);
        let rate = if !remainders.iter().all(|r| r.is_finite()) {
            f64::NAN
        } else if last.is_empty() {
            f64::INFINITY
        } else {
            last[last.len() / 2]
        };
        Self { steps, remainders, floor, rate }
    }

    /// Whether the derivative passes: a rate of 1.9 or more.
    pub fn is_exact(&self) -> bool {
        self.rate >= EXACT
    }
}

impl fmt::Display for TaylorTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "    step  remainder  slope")?;
        let mut last: Option<(f64, f64)> = None;
        // NaN is shown, rounding is not.
        let shown = |r: f64| !(r <= self.floor);
        for (&t, &r) in self.steps.iter().zip(&self.remainders).filter(|(_, r)| shown(**r)) {
            write!(f, "{t:8.1e}  {r:9.2e}")?;
            match last.replace((t, r)) {
                Some((before, old)) => writeln!(f, "  {:5.2}", (old / r).ln() / (before / t).ln())?,
                None => writeln!(f)?,
            }
        }
        let hidden = self.remainders.iter().filter(|r| !shown(**r)).count();
        if hidden > 0 {
            writeln!(f, "{hidden} of {} remainders are rounding (up to {:.0e})", self.steps.len(), self.floor)?;
        }
        match self.rate {
            rate if rate.is_nan() => write!(f, "no slope: a remainder is not finite; take a shorter direction"),
            rate if rate.is_infinite() => {
                write!(f, "no remainder above rounding: the derivative is exact, the model affine along this direction")
            }
            rate if self.is_exact() => write!(f, "slope {rate:.2}: the derivative is exact"),
            rate => write!(f, "slope {rate:.2}: the derivative is wrong, or the model has a kink here (2 is exact)"),
        }
    }
}

/// Taylor test of a model's Jacobian along a direction.
///
/// Steps t = 2⁻³ … 2⁻²⁰ times δ: choose δ so that θ + δ/8 stays in the domain and
/// the curvature along δ is visible.
///
/// # Errors
/// A direction of another length; any error of the model on the way.
pub fn taylor_test<M: ForwardModel>(model: &M, theta: &[f64], delta: &[f64]) -> Result<TaylorTest, ModelError> {
    if delta.len() != model.dim_param() {
        return Err(ModelError::Shape { expected: model.dim_param(), found: delta.len() });
    }
    let base = model.linearize(theta)?;
    let tangent = apply_vec(&base.jacobian, delta);
    let rho = base.state.values;
    let mut remainders = Vec::new();
    let steps = step_sizes();
    for &t in &steps {
        let moved: Vec<f64> = theta.iter().zip(delta).map(|(x, d)| x + t * d).collect();
        let state = model.state(&moved)?.values;
        let remainder: Vec<f64> =
            state.iter().zip(&rho).zip(&tangent).map(|((new, old), z)| new - old - t * z).collect();
        remainders.push(norm(&remainder));
    }
    Ok(TaylorTest::from_remainders(steps, remainders, norm(&rho)))
}

/// Taylor test of a scalar function and its gradient along a direction.
///
/// # Errors
/// Any error of the function on the way.
pub fn taylor_test_scalar<E>(
    mut value: impl FnMut(&[f64]) -> Result<f64, E>,
    gradient: &[f64],
    theta: &[f64],
    delta: &[f64],
) -> Result<TaylorTest, E> {
    let base = value(theta)?;
    let slope = dot(gradient, delta);
    let steps = step_sizes();
    let mut remainders = Vec::new();
    for &t in &steps {
        let moved: Vec<f64> = theta.iter().zip(delta).map(|(x, d)| x + t * d).collect();
        remainders.push((value(&moved)? - base - t * slope).abs());
    }
    Ok(TaylorTest::from_remainders(steps, remainders, base.abs()))
}

/// Gaps up to here are rounding of products, or the tolerance of the solves in them.
const TRANSPOSED: f64 = 1e-9;

/// Outcome of a dot test: how far two products are from being each other's transpose.
///
/// Compares with numbers as its gap does; `Display` shows the gap and what it says.
///
/// ```
/// use wngd_adjoint::{dot_test, faer::Mat};
/// let test = dot_test(&Mat::from_fn(4, 3, |i, j| (i + 2 * j) as f64), 1);
/// assert!(test < 1e-15 && test.is_exact());
/// assert!(test.to_string().ends_with("the products are transposes of each other"), "{test}");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DotTest {
    /// |⟨A x, y⟩ − ⟨x, Aᵀ y⟩| / (‖A x‖ ‖y‖); 0 where A x is 0.
    pub gap: f64,
}

impl DotTest {
    /// Whether the transpose passes: a gap of at most 1e-9.
    pub fn is_exact(&self) -> bool {
        self.gap <= TRANSPOSED
    }
}

impl PartialEq<f64> for DotTest {
    fn eq(&self, other: &f64) -> bool {
        self.gap == *other
    }
}

impl PartialOrd<f64> for DotTest {
    fn partial_cmp(&self, other: &f64) -> Option<std::cmp::Ordering> {
        self.gap.partial_cmp(other)
    }
}

impl fmt::LowerExp for DotTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerExp::fmt(&self.gap, f)
    }
}

impl fmt::Display for DotTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict =
            if self.is_exact() { "the products are transposes of each other" } else { "one of the products is wrong" };
        write!(f, "gap {:.1e}: {verdict}", self.gap)
    }
}

/// Dot test of an operator: ⟨A x, y⟩ against ⟨x, Aᵀ y⟩ for random x and y.
///
/// It cannot see an error that forward and transposed products share; only a
/// Taylor test can.
pub fn dot_test(op: &dyn LinearOp, seed: u64) -> DotTest {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut random = |n: usize| -> Vec<f64> { (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect() };
    let (x, y) = (random(op.ncols()), random(op.nrows()));
    let (ax, aty) = (apply_vec(op, &x), apply_transpose_vec(op, &y));
    let scale = norm(&ax) * norm(&y);
    DotTest { gap: if scale == 0.0 { 0.0 } else { (dot(&ax, &y) - dot(&x, &aty)).abs() / scale } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Linearization, State};
    use wngd_linalg::faer::Mat;

    /// ρᵢ = sin(i θ₀) + θ₁², with an optional error in the derivative.
    struct Waves {
        error: f64,
    }
    impl ForwardModel for Waves {
        type Jacobian = Mat<f64>;
        fn dim_param(&self) -> usize {
            2
        }
        fn dim_state(&self) -> usize {
            6
        }
        fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
            Ok(State::new((0..6).map(|i| (i as f64 * theta[0]).sin() + theta[1] * theta[1]).collect()))
        }
        fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
            let jacobian = Mat::from_fn(6, 2, |i, j| {
                if j == 0 { i as f64 * (i as f64 * theta[0]).cos() * (1.0 + self.error) } else { 2.0 * theta[1] }
            });
            Ok(Linearization { state: self.state(theta)?, jacobian })
        }
    }

    #[test]
    fn taylor_test_tells_exact_from_wrong_derivatives() {
        let right = taylor_test(&Waves { error: 0.0 }, &[0.4, 1.0], &[1.0, -0.5]).unwrap();
        assert!((right.rate - 2.0).abs() < 0.05, "{right:?}");
        for error in [1e-1, 1e-3, 1e-4] {
            let wrong = taylor_test(&Waves { error }, &[0.4, 1.0], &[1.0, -0.5]).unwrap();
            assert!(wrong.rate < 1.5, "{wrong:?}");
        }
        let affine = taylor_test(&Waves { error: 0.0 }, &[0.4, 1.0], &[0.0, 0.0]).unwrap();
        assert!(affine.rate.is_infinite());
    }

    #[test]
    fn a_test_is_shown_as_a_table_with_a_verdict() {
        let show = |error| taylor_test(&Waves { error }, &[0.4, 1.0], &[1.0, -0.5]).unwrap();
        let right = show(0.0);
        let text = right.to_string();
        assert!(text.starts_with("    step  remainder  slope\n  1.2e-1  "), "{text}");
        assert!(text.contains(" remainders are rounding") && text.ends_with(": the derivative is exact"), "{text}");
        let hidden = right.remainders.iter().filter(|r| **r <= right.floor).count();
        assert_eq!(text.lines().count(), 3 + right.steps.len() - hidden, "{text}");
        assert!(show(0.1).to_string().contains("the derivative is wrong"));
        let affine = taylor_test(&Waves { error: 0.0 }, &[0.4, 1.0], &[0.0, 0.0]).unwrap().to_string();
        assert!(affine.contains("18 of 18 remainders") && affine.contains("affine"), "{affine}");
        let nothing = TaylorTest { rate: f64::NAN, remainders: vec![f64::NAN; 18], ..right };
        assert!(nothing.to_string().contains("not finite") && !nothing.is_exact());
    }

    #[test]
    fn dot_test_sees_a_wrong_transpose() {
        struct Skewed;
        impl LinearOp for Skewed {
            fn nrows(&self) -> usize {
                3
            }
            fn ncols(&self) -> usize {
                3
            }
            fn apply(&self, mut out: wngd_linalg::faer::MatMut<'_, f64>, x: wngd_linalg::faer::MatRef<'_, f64>) {
                for i in 0..3 {
                    out[(i, 0)] = x[((i + 1) % 3, 0)];
                }
            }
            fn apply_transpose(&self, out: wngd_linalg::faer::MatMut<'_, f64>, y: wngd_linalg::faer::MatRef<'_, f64>) {
                self.apply(out, y);
            }
        }
        let wrong = dot_test(&Skewed, 1);
        assert!(wrong > 1e-3 && !wrong.is_exact() && wrong.to_string().ends_with("one of the products is wrong"));
        assert!(!DotTest { gap: f64::NAN }.is_exact());
        assert!(dot_test(&Mat::<f64>::from_fn(4, 3, |i, j| (i + 2 * j) as f64), 1) < 1e-15);
    }
}
