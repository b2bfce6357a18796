/// Density of a parameter before the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PriorShape {
    /// Normal: r = (θ − m)/s.
    Normal {
        /// m.
        mean: f64,
        /// s > 0.
        deviation: f64,
    },
    /// ln θ is normal. As a density of θ, −ln p is ½r² with r = (ln θ − m + s²)/s: its mode is at e^{m − s²}.
    LogNormal {
        /// m, the mean of ln θ.
        location: f64,
        /// s > 0, the standard deviation of ln θ.
        scale: f64,
    },
}

/// A term `weight` · (−ln p(θⱼ)) that is added to an objective: ½ weight r² up to a constant, never negative.
///
/// For an objective that is the negative mean log-likelihood of N samples the weight is 1/N, and the minimum is the
/// maximum a posteriori.
///
/// # Example
/// ```
/// use wngd_adjoint::{Prior, PriorShape};
/// let prior = Prior { parameter: 0, shape: PriorShape::Normal { mean: 1.0, deviation: 0.5 }, weight: 0.01 };
/// assert_eq!(prior.residual(&[2.0]), (0.2, 0.2)); // √weight · r and its slope
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Number j of the parameter.
    pub parameter: usize,
    /// Its density.
    pub shape: PriorShape,
    /// What −ln p counts with.
    pub weight: f64,
}

impl Prior {
    /// √weight · r and its derivative in θⱼ: the term is half the square of the first. Infinite outside the support.
    pub fn residual(&self, theta: &[f64]) -> (f64, f64) {
        let (value, root) = (theta[self.parameter], self.weight.sqrt());
        match self.shape {
            PriorShape::Normal { mean, deviation } => (root * (value - mean) / deviation, root / deviation),
            PriorShape::LogNormal { location, scale } if value > 0.0 => {
                (root * ((value.ln() - location) / scale + scale), root / (scale * value))
            }
            PriorShape::LogNormal { .. } => (f64::INFINITY, 0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_minus_the_logarithm_of_the_density_and_slopes_are_its_derivatives() {
        let log_normal = |x: f64| -> f64 { -(x.ln() - 0.3).powi(2) / (2.0 * 0.4 * 0.4) - x.ln() };
        let normal = |x: f64| -> f64 { -(x - 0.3).powi(2) / (2.0 * 0.4 * 0.4) };
        let cases: [(PriorShape, &dyn Fn(f64) -> f64); 2] = [
            (PriorShape::LogNormal { location: 0.3, scale: 0.4 }, &log_normal),
            (PriorShape::Normal { mean: 0.3, deviation: 0.4 }, &normal),
        ];
        for (shape, log_density) in cases {
            let prior = Prior { parameter: 1, shape, weight: 2.0 };
            let value = |x: f64| 0.5 * prior.residual(&[9.0, x]).0.powi(2);
            let found = value(2.0) - value(0.7);
            assert!((found - 2.0 * (log_density(0.7) - log_density(2.0))).abs() < 1e-13, "{shape:?} {found}");
            let (r, slope) = prior.residual(&[9.0, 1.3]);
            let difference = (prior.residual(&[9.0, 1.3 + 1e-6]).0 - prior.residual(&[9.0, 1.3 - 1e-6]).0) / 2e-6;
            assert!((difference - slope).abs() < 1e-8 && r.is_finite());
        }
        let shape = PriorShape::LogNormal { location: 0.0, scale: 1.0 };
        assert_eq!(Prior { parameter: 0, shape, weight: 1.0 }.residual(&[-1.0]).0, f64::INFINITY);
    }
}
