use wngd_adjoint::{ModelError, taylor_test_scalar};

/// A parametric velocity field dx/dt = v(x; θ) with its derivatives.
///
/// All arrays are plain slices and fully overwritten. [`check_field`] tests an implementation.
///
/// # Shapes
/// `x` and velocity: d; `theta`: p; `jacobian_x`: d x d and `jacobian_theta`: d x p, row-major.
///
/// # Example
/// ```
/// use wngd_models::flow::{VelocityField, check_field};
///
/// /// dx/dt = θ₀ − θ₁ x³
/// struct Trap;
/// impl VelocityField for Trap {
///     fn name(&self) -> &str { "trap" }
///     fn dim(&self) -> usize { 1 }
///     fn parameter_names(&self) -> Vec<String> { vec!["push".into(), "pull".into()] }
///     fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
///         out[0] = theta[0] - theta[1] * x[0].powi(3);
///     }
///     fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
///         out[0] = -3.0 * theta[1] * x[0] * x[0];
///     }
///     fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
///         (out[0], out[1]) = (1.0, -x[0].powi(3));
///     }
/// }
/// assert!(check_field(&Trap, &[0.7], &[1.0, 2.0]).is_exact());
/// ```
pub trait VelocityField: Send + Sync {
    /// Short name, for messages and reports.
    fn name(&self) -> &str;
    /// Number of coordinates d.
    fn dim(&self) -> usize;
    /// Number of parameters p.
    fn dim_param(&self) -> usize {
        self.parameter_names().len()
    }
    /// Names of the parameters, in order.
    fn parameter_names(&self) -> Vec<String>;
    /// v(x; θ).
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]);
    /// ∂v/∂x.
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]);
    /// ∂v/∂θ.
    fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]);
    /// Calls `visit(j, ∂v_axis/∂θ_j)` for the parameters that one component depends on at x.
    ///
    /// Override it where each parameter acts locally and p is large; zeros may be left out.
    fn visit_parameters(&self, x: &[f64], theta: &[f64], axis: usize, visit: &mut dyn FnMut(usize, f64)) {
        let p = self.dim_param();
        let mut all = vec![0.0; self.dim() * p];
        self.jacobian_theta(x, theta, &mut all);
        for (j, &value) in all[axis * p..(axis + 1) * p].iter().enumerate() {
            if value != 0.0 {
                visit(j, value);
            }
        }
    }
}

/// Smallest Taylor rates of a field's derivatives; 2 for exact ones, infinite for affine dependence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldCheck {
    /// Rate in x over all components.
    pub rate_x: f64,
    /// Rate in θ over all components.
    pub rate_theta: f64,
    /// Whether [`VelocityField::visit_parameters`] agrees with the dense Jacobian.
    pub visits_agree: bool,
}

impl FieldCheck {
    /// Whether all derivatives pass.
    pub fn is_exact(&self) -> bool {
        self.rate_x >= 1.9 && self.rate_theta >= 1.9 && self.visits_agree
    }
}

impl std::fmt::Display for FieldCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let verdict = |rate: f64| if rate >= 1.9 { "exact" } else { "wrong, or a kink is near" };
        writeln!(f, "dv/dx      slope {:.2}: {}", self.rate_x, verdict(self.rate_x))?;
        writeln!(f, "dv/dtheta  slope {:.2}: {}", self.rate_theta, verdict(self.rate_theta))?;
        let agree = if self.visits_agree { "agrees with" } else { "differs from" };
        write!(f, "visit_parameters {agree} jacobian_theta")
    }
}

/// Taylor tests of both Jacobians of a field at a point, component by component.
///
/// The steps are at most 1/8 of each coordinate's size: choose a generic point, with
/// no component at rest and no kink nearby.
///
/// # Panics
/// If `x` or `theta` has the wrong length.
pub fn check_field(field: &dyn VelocityField, x: &[f64], theta: &[f64]) -> FieldCheck {
    let (d, p) = (field.dim(), field.dim_param());
    assert!(x.len() == d && theta.len() == p, "{} has {d} coordinates and {p} parameters", field.name());
    let (mut by_x, mut by_theta) = (vec![0.0; d * d], vec![0.0; d * p]);
    field.jacobian_x(x, theta, &mut by_x);
    field.jacobian_theta(x, theta, &mut by_theta);
    let direction = |at: &[f64]| -> Vec<f64> {
        at.iter().enumerate().map(|(i, v)| 0.5 * (1.0 + v.abs()) * (1.0 + i as f64).cos()).collect()
    };
    let component = |axis: usize, x: &[f64], theta: &[f64]| {
        let mut out = vec![0.0; d];
        field.velocity(x, theta, &mut out);
        out[axis]
    };
    let rate = |test: Result<wngd_adjoint::TaylorTest, ModelError>| test.map_or(f64::NAN, |t| t.rate);
    // f64::min would drop a NaN.
    let worse = |a: f64, b: f64| if a.is_nan() || a < b { a } else { b };
    let mut check = FieldCheck { rate_x: f64::INFINITY, rate_theta: f64::INFINITY, visits_agree: true };
    for axis in 0..d {
        let row = &by_x[axis * d..(axis + 1) * d];
        let value = |x: &[f64]| Ok::<_, ModelError>(component(axis, x, theta));
        check.rate_x = worse(rate(taylor_test_scalar(value, row, x, &direction(x))), check.rate_x);
        let row = &by_theta[axis * p..(axis + 1) * p];
        let value = |theta: &[f64]| Ok::<_, ModelError>(component(axis, x, theta));
        check.rate_theta = worse(rate(taylor_test_scalar(value, row, theta, &direction(theta))), check.rate_theta);
        let mut visited = vec![0.0; p];
        field.visit_parameters(x, theta, axis, &mut |j, value| visited[j] += value);
        check.visits_agree &= visited == row;
    }
    check
}

/// The error of a flow that is not finite at θ.
pub(crate) fn not_finite(field: &dyn VelocityField, theta: &[f64], value: f64, rule: &'static str) -> ModelError {
    let shown: Vec<String> = theta.iter().take(8).map(|t| format!("{t}")).collect();
    let more = if theta.len() > 8 { ", .." } else { "" };
    let parameter = format!("flow of {} at theta = [{}{more}]", field.name(), shown.join(", "));
    ModelError::OutOfDomain { parameter, value, rule }
}

/// Owned names.
pub(crate) fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(String::from).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_derivative_is_seen() {
        struct Wrong;
        impl VelocityField for Wrong {
            fn name(&self) -> &str {
                "wrong"
            }
            fn dim(&self) -> usize {
                1
            }
            fn parameter_names(&self) -> Vec<String> {
                names(["a"])
            }
            fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
                out[0] = (x[0] * theta[0]).sin();
            }
            fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
                out[0] = 1.001 * theta[0] * (x[0] * theta[0]).cos();
            }
            fn jacobian_theta(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
                out[0] = x[0] * (x[0] * theta[0]).cos();
            }
        }
        let check = check_field(&Wrong, &[0.8], &[1.1]);
        assert!(check.rate_x < 1.5 && check.rate_theta > 1.9 && !check.is_exact());
        let text = check.to_string();
        assert!(text.contains("dv/dx      slope 1.00: wrong") && text.contains("agrees"), "{text}");
    }
}
