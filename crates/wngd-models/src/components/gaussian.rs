use statrs::function::erf::erfc;

use super::shape::{Integrals, Shape};

/// exp(−(x − m)²/2s²): `mean`, `sigma`.
#[derive(Debug, Clone, Copy, Default)]
pub struct GaussianShape;

/// Share of a normal distribution between two values, right in both tails.
pub(super) fn between(a: f64, b: f64) -> f64 {
    let tail = |z: f64| 0.5 * erfc(z * std::f64::consts::FRAC_1_SQRT_2);
    if a + b > 0.0 { tail(a) - tail(b) } else { tail(-b) - tail(-a) }
}

/// Density of the normal distribution.
pub(super) fn bell(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

impl Shape for GaussianShape {
    fn names(&self) -> Vec<String> {
        ["mean", "sigma"].map(String::from).to_vec()
    }
    fn check(&self, parameters: &[f64]) -> Result<(), (usize, &'static str)> {
        match parameters {
            [m, _] if !m.is_finite() => Err((0, "a finite mean is needed")),
            [_, s] if !(*s > 0.0 && s.is_finite()) => Err((1, "sigma > 0 is needed")),
            _ => Ok(()),
        }
    }
    fn integrals(&self, edges: &[f64], parameters: &[f64]) -> Integrals {
        let (m, s) = (parameters[0], parameters[1]);
        let z: Vec<f64> = edges.iter().map(|x| (x - m) / s).collect();
        let values = z.windows(2).map(|w| between(w[0], w[1])).collect();
        let mean = z.windows(2).map(|w| (bell(w[0]) - bell(w[1])) / s).collect();
        let sigma = z.windows(2).map(|w| (w[0] * bell(w[0]) - w[1] * bell(w[1])) / s).collect();
        Integrals { values, derivatives: vec![mean, sigma] }
    }
}
