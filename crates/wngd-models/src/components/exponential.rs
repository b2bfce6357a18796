use super::shape::{Integrals, Shape};

/// exp(−x/τ): `tau`, of either sign for falling and rising.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExponentialShape;

impl Shape for ExponentialShape {
    fn names(&self) -> Vec<String> {
        vec!["tau".into()]
    }
    fn check(&self, parameters: &[f64]) -> Result<(), (usize, &'static str)> {
        match parameters {
            [tau] if *tau != 0.0 && tau.is_finite() => Ok(()),
            _ => Err((0, "a finite tau that is not 0 is needed")),
        }
    }
    fn integrals(&self, edges: &[f64], parameters: &[f64]) -> Integrals {
        let tau = parameters[0];
        // From the end where it is largest, so that nothing overflows; the factor is made up for by the normalisation,
        // and its own derivative with it.
        let from = if tau > 0.0 { edges[0] } else { edges[edges.len() - 1] };
        let height = |x: f64| (-(x - from) / tau).exp();
        let slope = |x: f64| height(x) * (1.0 + (x - from) / tau);
        let (mut values, mut derivative) = (Vec::new(), Vec::new());
        for w in edges.windows(2) {
            let width = (w[1] - w[0]) / tau;
            values.push(if width > 0.0 {
                -tau * height(w[0]) * (-width).exp_m1()
            } else {
                tau * height(w[1]) * width.exp_m1()
            });
            derivative.push(slope(w[0]) - slope(w[1]));
        }
        Integrals { values, derivatives: vec![derivative] }
    }
}
