use super::gaussian::{bell, between};
use super::shape::{Integrals, Shape};

/// ln x is normal, x > 0: `location` and `scale` are its mean and standard deviation.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNormalShape;

impl Shape for LogNormalShape {
    fn names(&self) -> Vec<String> {
        ["location", "scale"].map(String::from).to_vec()
    }
    fn check(&self, parameters: &[f64]) -> Result<(), (usize, &'static str)> {
        match parameters {
            [m, _] if !m.is_finite() => Err((0, "a finite location is needed")),
            [_, s] if !(*s > 0.0 && s.is_finite()) => Err((1, "scale > 0 is needed")),
            _ => Ok(()),
        }
    }
    fn integrals(&self, edges: &[f64], parameters: &[f64]) -> Integrals {
        let (m, s) = (parameters[0], parameters[1]);
        // Nothing lies below 0.
        let z: Vec<f64> = edges.iter().map(|x| if *x > 0.0 { (x.ln() - m) / s } else { f64::NEG_INFINITY }).collect();
        let height = |z: f64| if z.is_finite() { bell(z) } else { 0.0 };
        let moment = |z: f64| if z.is_finite() { z * bell(z) } else { 0.0 };
        let part = |a: f64, b: f64| if b == f64::NEG_INFINITY { 0.0 } else { between(a, b) };
        let values = z.windows(2).map(|w| part(w[0], w[1])).collect();
        let location = z.windows(2).map(|w| (height(w[0]) - height(w[1])) / s).collect();
        let scale = z.windows(2).map(|w| (moment(w[0]) - moment(w[1])) / s).collect();
        Integrals { values, derivatives: vec![location, scale] }
    }
}
