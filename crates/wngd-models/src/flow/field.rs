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

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(String::from).to_vec()
}

/// Lorenz' convection model: x' = σ(y − x), y' = x(r − z) − y, z' = xy − βz.
///
/// Parameters sigma, rayleigh (Lorenz' own ρ) and beta.
///
/// # References
/// Lorenz 1963, doi:10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lorenz63;

impl VelocityField for Lorenz63 {
    fn name(&self) -> &str {
        "lorenz63"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["sigma", "rayleigh", "beta"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = theta[0] * (x[1] - x[0]);
        out[1] = x[0] * (theta[1] - x[2]) - x[1];
        out[2] = x[0] * x[1] - theta[2] * x[2];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[-theta[0], theta[0], 0.0, theta[1] - x[2], -1.0, -x[0], x[1], x[0], -theta[2]]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[x[1] - x[0], 0.0, 0.0, 0.0, x[0], 0.0, 0.0, 0.0, -x[2]]);
    }
}

/// Rössler's band: x' = −y − z, y' = x + ay, z' = b + z(x − c).
///
/// # References
/// Rössler 1976, doi:10.1016/0375-9601(76)90101-8.
#[derive(Debug, Clone, Copy, Default)]
pub struct Roessler;

impl VelocityField for Roessler {
    fn name(&self) -> &str {
        "roessler"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["a", "b", "c"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = -x[1] - x[2];
        out[1] = x[0] + theta[0] * x[1];
        out[2] = theta[1] + x[2] * (x[0] - theta[2]);
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, -1.0, -1.0, 1.0, theta[0], 0.0, x[2], 0.0, x[0] - theta[2]]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, 0.0, 0.0, x[1], 0.0, 0.0, 0.0, 1.0, -x[2]]);
    }
}

/// Chen's system: x' = a(y − x), y' = (c − a)x − xz + cy, z' = xy − bz.
///
/// # References
/// Chen and Ueta 1999, doi:10.1142/S0218127499001024.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chen;

impl VelocityField for Chen {
    fn name(&self) -> &str {
        "chen"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        3
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["a", "b", "c"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let [a, b, c] = [theta[0], theta[1], theta[2]];
        out[0] = a * (x[1] - x[0]);
        out[1] = (c - a) * x[0] - x[0] * x[2] + c * x[1];
        out[2] = x[0] * x[1] - b * x[2];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let [a, b, c] = [theta[0], theta[1], theta[2]];
        out.copy_from_slice(&[-a, a, 0.0, c - a - x[2], c, -x[0], x[1], x[0], -b]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[x[1] - x[0], 0.0, 0.0, -x[0], 0.0, x[0] + x[1], 0.0, -x[2], 0.0]);
    }
}

/// Thomas' cyclically symmetric system: x' = sin y − bx, y' = sin z − by, z' = sin x − bz.
///
/// # References
/// Thomas 1999, doi:10.1142/S0218127499001383.
#[derive(Debug, Clone, Copy, Default)]
pub struct Thomas;

impl VelocityField for Thomas {
    fn name(&self) -> &str {
        "thomas"
    }
    fn dim(&self) -> usize {
        3
    }
    fn dim_param(&self) -> usize {
        1
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["b"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        for i in 0..3 {
            out[i] = x[(i + 1) % 3].sin() - theta[0] * x[i];
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for i in 0..3 {
            out[3 * i + (i + 1) % 3] = x[(i + 1) % 3].cos();
            out[3 * i + i] = -theta[0];
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        for i in 0..3 {
            out[i] = -x[i];
        }
    }
}

/// Van der Pol's oscillator: x' = y, y' = μ(1 − x²)y − x.
#[derive(Debug, Clone, Copy, Default)]
pub struct VanDerPol;

impl VelocityField for VanDerPol {
    fn name(&self) -> &str {
        "van-der-pol"
    }
    fn dim(&self) -> usize {
        2
    }
    fn dim_param(&self) -> usize {
        1
    }
    fn parameter_names(&self) -> Vec<String> {
        names(["mu"])
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = x[1];
        out[1] = theta[0] * (1.0 - x[0] * x[0]) * x[1] - x[0];
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let mu = theta[0];
        out.copy_from_slice(&[0.0, 1.0, -2.0 * mu * x[0] * x[1] - 1.0, mu * (1.0 - x[0] * x[0])]);
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, (1.0 - x[0] * x[0]) * x[1]]);
    }
}

/// Overdamped motion in a double well: v = −∇V, V = b x⁴/4 − a x²/2 + t x, plus c y²/2 in two dimensions.
///
/// With diffusion D its density is exp(−V/D) up to a factor, which makes it a test case. Parameters
/// a (linear), b (cubic), t (tilt) and, in two dimensions, c (stiffness).
#[derive(Debug, Clone, Copy)]
pub struct DoubleWell {
    two: bool,
}

impl DoubleWell {
    /// The well on a line.
    pub fn line() -> Self {
        Self { two: false }
    }

    /// The well in the plane.
    pub fn plane() -> Self {
        Self { two: true }
    }
}

impl VelocityField for DoubleWell {
    fn name(&self) -> &str {
        if self.two { "double-well-2d" } else { "double-well" }
    }
    fn dim(&self) -> usize {
        if self.two { 2 } else { 1 }
    }
    fn dim_param(&self) -> usize {
        if self.two { 4 } else { 3 }
    }
    fn parameter_names(&self) -> Vec<String> {
        let mut all = names(["linear", "cubic", "tilt", "stiffness"]);
        all.truncate(self.dim_param());
        all
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = theta[0] * x[0] - theta[1] * x[0].powi(3) - theta[2];
        if self.two {
            out[1] = -theta[3] * x[1];
        }
    }
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        let slope = theta[0] - 3.0 * theta[1] * x[0] * x[0];
        if self.two {
            out.copy_from_slice(&[slope, 0.0, 0.0, -theta[3]]);
        } else {
            out[0] = slope;
        }
    }
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        let row = [x[0], -x[0].powi(3), -1.0];
        out.fill(0.0);
        out[..3].copy_from_slice(&row);
        if self.two {
            out[7] = -x[1];
        }
    }
}

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
