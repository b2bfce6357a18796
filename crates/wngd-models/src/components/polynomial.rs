use super::shape::{Integrals, Shape};

/// 1 + Σ cₖ Tₖ(t), k = 1 …, Tₖ Chebyshev's polynomials and t from −1 to 1 over the box: `c[1]`, `c[2]`, …
///
/// Where coefficients make a cell negative it is no density, which the model refuses.
#[derive(Debug, Clone, Copy)]
pub struct PolynomialShape {
    /// Its degree, at least 1.
    pub degree: usize,
}

/// Primitives of T₁ … T_n.
fn primitives(t: f64, degree: usize) -> Vec<f64> {
    let mut chebyshev = vec![1.0, t];
    while chebyshev.len() < degree + 2 {
        let n = chebyshev.len();
        chebyshev.push(2.0 * t * chebyshev[n - 1] - chebyshev[n - 2]);
    }
    (1..=degree)
        .map(|k| match k {
            1 => 0.5 * t * t,
            k => 0.5 * (chebyshev[k + 1] / (k + 1) as f64 - chebyshev[k - 1] / (k - 1) as f64),
        })
        .collect()
}

impl Shape for PolynomialShape {
    fn names(&self) -> Vec<String> {
        (1..=self.degree).map(|k| format!("c[{k}]")).collect()
    }
    fn check(&self, parameters: &[f64]) -> Result<(), (usize, &'static str)> {
        match parameters.iter().position(|c| !c.is_finite()) {
            Some(k) => Err((k, "finite coefficients are needed")),
            None => Ok(()),
        }
    }
    fn integrals(&self, edges: &[f64], parameters: &[f64]) -> Integrals {
        let (a, b) = (edges[0], edges[edges.len() - 1]);
        Integrals::of_primitive(edges, |x| {
            let t = (2.0 * x - a - b) / (b - a);
            let each = primitives(t, self.degree);
            (t + each.iter().zip(parameters).map(|(f, c)| f * c).sum::<f64>(), each)
        })
    }
}
