use num_dual::{Dual64, DualNum};

use crate::flow::field::VelocityField;

/// A velocity field written once for any kind of number; [`Automatic`] differentiates it.
///
/// # Example
/// ```
/// use num_dual::DualNum;
/// use wngd_models::flow::{Automatic, GenericField, check_field};
///
/// /// x' = s·tanh(y − x), y' = x·exp(−r y²)
/// struct Mine;
/// impl GenericField for Mine {
///     fn name(&self) -> &str { "mine" }
///     fn dim(&self) -> usize { 2 }
///     fn parameter_names(&self) -> Vec<String> { vec!["s".into(), "r".into()] }
///     fn velocity<D: DualNum<f64> + Copy>(&self, x: &[D], theta: &[D], out: &mut [D]) {
///         out[0] = theta[0] * (x[1] - x[0]).tanh();
///         out[1] = x[0] * (-theta[1] * x[1] * x[1]).exp();
///     }
/// }
/// // A Taylor test of both derivatives:
/// assert!(check_field(&Automatic(Mine), &[0.4, -0.7], &[1.5, 0.8]).is_exact());
/// ```
pub trait GenericField: Send + Sync {
    /// Short name, for messages and reports.
    fn name(&self) -> &str;
    /// Number of coordinates d.
    fn dim(&self) -> usize;
    /// Names of the parameters, in order.
    fn parameter_names(&self) -> Vec<String>;
    /// v(x; θ), for real and for dual numbers.
    fn velocity<D: DualNum<f64> + Copy>(&self, x: &[D], theta: &[D], out: &mut [D]);
}

/// A [`VelocityField`] whose derivatives come from dual numbers, exact to rounding.
///
/// # Cost
/// One evaluation in dual numbers per coordinate for ∂v/∂x, one per parameter for ∂v/∂θ: about twice a
/// velocity each. Derivatives by hand share their terms and are faster; [`check_field`](crate::flow::check_field)
/// tests them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Automatic<F>(pub F);

impl<F: GenericField> Automatic<F> {
    /// Writes ∂v/∂(variable j) into column j of a row-major d x n matrix.
    fn derivatives(&self, x: &[f64], theta: &[f64], by_x: bool, out: &mut [f64]) {
        let d = x.len();
        let mut x: Vec<Dual64> = x.iter().copied().map(Dual64::from_re).collect();
        let mut theta: Vec<Dual64> = theta.iter().copied().map(Dual64::from_re).collect();
        let mut velocity = vec![Dual64::from_re(0.0); d];
        let n = if by_x { d } else { theta.len() };
        for j in 0..n {
            let (real, seeded) = {
                let variable = if by_x { &mut x[j] } else { &mut theta[j] };
                let real = *variable;
                *variable = real.derivative();
                (real, j)
            };
            self.0.velocity(&x, &theta, &mut velocity);
            *(if by_x { &mut x[seeded] } else { &mut theta[seeded] }) = real;
            for (i, v) in velocity.iter().enumerate() {
                out[i * n + j] = v.eps;
            }
        }
    }
}

impl<F: GenericField> VelocityField for Automatic<F> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.0.parameter_names()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.0.velocity(x, theta, out);
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.derivatives(x, theta, true, out);
    }
    fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        self.derivatives(x, theta, false, out);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wngd_adjoint::{ForwardModel, dot_test, taylor_test};
    use wngd_linalg::Grid;

    use super::*;
    use crate::flow::discretisation::Discretisation;
    use crate::flow::field::check_field;
    use crate::flow::stationary::StationaryDensity;
    use crate::flow::systems::Lorenz63;

    struct Lorenz;

    impl GenericField for Lorenz {
        fn name(&self) -> &str {
            "lorenz63"
        }
        fn dim(&self) -> usize {
            3
        }
        fn parameter_names(&self) -> Vec<String> {
            ["sigma", "rayleigh", "beta"].map(String::from).to_vec()
        }
        fn velocity<D: DualNum<f64> + Copy>(&self, x: &[D], theta: &[D], out: &mut [D]) {
            out[0] = theta[0] * (x[1] - x[0]);
            out[1] = x[0] * (theta[1] - x[2]) - x[1];
            out[2] = x[0] * x[1] - theta[2] * x[2];
        }
    }

    #[test]
    fn derivatives_are_those_by_hand() {
        let (x, theta) = ([1.5, -2.0, 20.0], [10.0, 28.0, 2.5]);
        assert!(check_field(&Automatic(Lorenz), &x, &theta).is_exact());
        let (mut a, mut b) = ([0.0; 9], [0.0; 9]);
        Automatic(Lorenz).jacobian_x(&x, &theta, &mut a);
        Lorenz63.jacobian_x(&x, &theta, &mut b);
        assert_eq!(a, b);
        Automatic(Lorenz).jacobian_theta(&x, &theta, &mut a);
        Lorenz63.jacobian_theta(&x, &theta, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn a_density_of_an_automatic_field_passes_the_taylor_and_dot_tests() {
        let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[8, 8, 8]).unwrap();
        let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
        let theta = vec![10.0, 28.0, 2.5];
        let model = StationaryDensity::new(Arc::new(Automatic(Lorenz)), grid, scheme, None, theta.clone()).unwrap();
        assert!(taylor_test(&model, &theta, &[1.0, -0.5, 0.3]).unwrap().rate > 1.9);
        assert!(dot_test(&model.linearize(&theta).unwrap().jacobian, 1) < 1e-12);
    }
}
