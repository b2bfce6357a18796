//! Polynomial fields with free coefficients.

use wngd_adjoint::ModelError;

use super::field::VelocityField;

/// A polynomial field with free coefficients, for identification without a model.
///
/// θ holds the coefficients component by component; within a component the
/// monomials go by degree and then lexicographically: 1, x, y, x², xy, y², …
#[derive(Debug, Clone)]
pub struct Polynomial {
    dim: usize,
    /// Exponents of each monomial.
    powers: Vec<[i32; 3]>,
}

impl Polynomial {
    /// All monomials up to `degree` in `dim` variables.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless `dim` is 1, 2 or 3 and `degree` at most 16.
    pub fn new(dim: usize, degree: usize) -> Result<Self, ModelError> {
        if !(1..=3).contains(&dim) {
            let problem = format!("{dim} given; a polynomial field has 1, 2 or 3 dimensions");
            return Err(ModelError::invalid("dimension", problem));
        }
        if degree > 16 {
            let problem = format!("{degree} given; the degree of a polynomial field is at most 16");
            return Err(ModelError::invalid("degree", problem));
        }
        let mut powers = Vec::new();
        for total in 0..=degree as i32 {
            for i in (0..=total).rev() {
                for j in (0..=total - i).rev() {
                    let power = [i, j, total - i - j];
                    if power[dim..].iter().all(|&e| e == 0) {
                        powers.push(power);
                    }
                }
            }
        }
        Ok(Self { dim, powers })
    }

    fn monomial(&self, m: usize, x: &[f64]) -> f64 {
        x.iter().zip(self.powers[m]).map(|(x, e)| x.powi(e)).product()
    }

    fn monomial_name(power: [i32; 3]) -> String {
        let factors: Vec<String> = ["x", "y", "z"]
            .iter()
            .zip(power)
            .filter(|(_, e)| *e > 0)
            .map(|(x, e)| if e == 1 { x.to_string() } else { format!("{x}^{e}") })
            .collect();
        if factors.is_empty() { "1".into() } else { factors.join("*") }
    }
}

impl VelocityField for Polynomial {
    fn name(&self) -> &str {
        "polynomial"
    }
    fn dim(&self) -> usize {
        self.dim
    }
    fn dim_param(&self) -> usize {
        self.dim * self.powers.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        let component = |c: &'static str| self.powers.iter().map(move |&p| format!("{c}'[{}]", Self::monomial_name(p)));
        ["x", "y", "z"].into_iter().take(self.dim).flat_map(component).collect()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let count = self.powers.len();
        for m in 0..count {
            let value = self.monomial(m, x);
            for c in 0..self.dim {
                out[c] += theta[c * count + m] * value;
            }
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (d, count) = (self.dim, self.powers.len());
        for (m, power) in self.powers.iter().enumerate() {
            for k in 0..d {
                if power[k] == 0 {
                    continue;
                }
                let slope: f64 = (0..d)
                    .map(|i| if i == k { power[i] as f64 * x[i].powi(power[i] - 1) } else { x[i].powi(power[i]) })
                    .product();
                for c in 0..d {
                    out[c * d + k] += theta[c * count + m] * slope;
                }
            }
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (count, p) = (self.powers.len(), self.dim_param());
        for m in 0..count {
            let value = self.monomial(m, x);
            for c in 0..self.dim {
                out[c * p + c * count + m] = value;
            }
        }
    }
    fn visit_parameters(&self, x: &[f64], _: &[f64], axis: usize, visit: &mut dyn FnMut(usize, f64)) {
        for m in 0..self.powers.len() {
            visit(axis * self.powers.len() + m, self.monomial(m, x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::field::check_field;
    use crate::flow::systems::Lorenz63;

    #[test]
    fn polynomials_have_exact_derivatives_and_ordered_monomials() {
        for (dim, degree) in [(1, 4), (2, 3), (3, 2)] {
            let field = Polynomial::new(dim, degree).unwrap();
            let theta: Vec<f64> = (0..field.dim_param()).map(|i| (i as f64 + 0.3).sin()).collect();
            let check = check_field(&field, &[0.7, -1.3, 0.4][..dim], &theta);
            assert!(check.is_exact(), "{dim} {degree}: {check:?}");
        }
        let plane = Polynomial::new(2, 2).unwrap();
        assert_eq!(plane.parameter_names()[..6], ["x'[1]", "x'[x]", "x'[y]", "x'[x^2]", "x'[x*y]", "x'[y^2]"]);
        assert_eq!(plane.parameter_names()[6], "y'[1]");
        assert!(Polynomial::new(4, 1).is_err() && Polynomial::new(2, 99).is_err());
    }

    #[test]
    fn a_quadratic_polynomial_reproduces_lorenz() {
        let field = Polynomial::new(3, 2).unwrap();
        let names = field.parameter_names();
        let mut theta = vec![0.0; names.len()];
        for (name, value) in [
            ("x'[x]", -10.0),
            ("x'[y]", 10.0),
            ("y'[x]", 28.0),
            ("y'[y]", -1.0),
            ("y'[x*z]", -1.0),
            ("z'[x*y]", 1.0),
            ("z'[z]", -2.5),
        ] {
            theta[names.iter().position(|n| n == name).unwrap()] = value;
        }
        let (x, mut a, mut b) = ([3.0, -4.0, 11.0], [0.0; 3], [0.0; 3]);
        field.velocity(&x, &theta, &mut a);
        Lorenz63.velocity(&x, &[10.0, 28.0, 2.5], &mut b);
        assert_eq!(a, b);
    }
}
