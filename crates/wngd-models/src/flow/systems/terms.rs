//! Fields that are sums of monomials, most of them times a parameter.

use crate::flow::field::VelocityField;

/// factor · θ_parameter · x^a y^b z^c in one component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    component: usize,
    factor: f64,
    parameter: Option<usize>,
    powers: [i32; 3],
}

pub(super) const fn term(component: usize, factor: f64, parameter: Option<usize>, powers: [i32; 3]) -> Term {
    Term { component, factor, parameter, powers }
}

/// A field of three coordinates by its terms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) name: &'static str,
    pub(super) parameters: &'static [&'static str],
    pub(super) terms: &'static [Term],
}

impl Term {
    fn monomial(&self, x: &[f64]) -> f64 {
        self.powers.iter().zip(x).filter(|(n, _)| **n != 0).fold(self.factor, |value, (n, x)| value * x.powi(*n))
    }

    fn coefficient(&self, theta: &[f64]) -> f64 {
        self.parameter.map_or(1.0, |j| theta[j])
    }
}

impl VelocityField for Terms {
    fn name(&self) -> &str {
        self.name
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        self.parameters.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.parameters.iter().map(|name| name.to_string()).collect()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for term in self.terms {
            out[term.component] += term.coefficient(theta) * term.monomial(x);
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for term in self.terms {
            for axis in (0..3).filter(|axis| term.powers[*axis] != 0) {
                let mut lower = *term;
                lower.factor *= f64::from(term.powers[axis]);
                lower.powers[axis] -= 1;
                out[3 * term.component + axis] += term.coefficient(theta) * lower.monomial(x);
            }
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for term in self.terms {
            if let Some(j) = term.parameter {
                out[self.parameters.len() * term.component + j] += term.monomial(x);
            }
        }
    }
}
