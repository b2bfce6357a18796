use std::sync::Arc;

use num_dual::Dual64;
use wngd_adjoint::{FnModel, ForwardModel};
use wngd_linalg::faer::Mat;

/// A model from one formula θ → ρ in dual numbers, which give the Jacobian, exact to rounding.
///
/// # Shapes
/// `formula`: p → k values.
///
/// # Cost
/// One evaluation in dual numbers for a state, p more for its Jacobian.
///
/// # Example
/// ```
/// use wngd_adjoint::{ForwardModel, taylor_test};
/// use wngd_models::dual_model;
/// use wngd_models::num_dual::{Dual64, DualNum};
/// // ρ_i = a e^{−r i} on five points.
/// let model = dual_model(["amplitude", "rate"], 5, |t: &[Dual64]| {
///     (0..5).map(|i| t[0] * (-t[1] * i as f64).exp()).collect()
/// });
/// assert_eq!(model.state(&[2.0, 0.3])?.values[0], 2.0);
/// let test = taylor_test(&model, &[2.0, 0.3], &[0.4, 0.2])?;
/// assert!(test.is_exact(), "{test}");
/// # Ok::<(), wngd_adjoint::ModelError>(())
/// ```
pub fn dual_model<F>(
    names: impl IntoIterator<Item = impl Into<String>>,
    dim_state: usize,
    formula: F,
) -> impl ForwardModel<Jacobian = Mat<f64>> + Send
where
    F: Fn(&[Dual64]) -> Vec<Dual64> + Send + Sync,
{
    let formula = Arc::new(formula);
    let values = formula.clone();
    let real = |theta: &[f64]| -> Vec<Dual64> { theta.iter().copied().map(Dual64::from_re).collect() };
    FnModel::new(
        names,
        dim_state,
        move |theta: &[f64]| values(&real(theta)).iter().map(|v| v.re).collect(),
        move |theta: &[f64]| {
            let mut jacobian = Mat::zeros(dim_state, theta.len());
            let mut at = real(theta);
            for (j, &value) in theta.iter().enumerate() {
                at[j] = Dual64::from_re(value).derivative();
                let column = jacobian.col_as_slice_mut(j);
                column.iter_mut().zip(formula(&at)).for_each(|(z, v)| *z = v.eps);
                at[j] = Dual64::from_re(value);
            }
            jacobian
        },
    )
}

#[cfg(test)]
mod tests {
    use num_dual::DualNum;
    use wngd_adjoint::{Normalised, dot_test, taylor_test};

    use super::*;

    #[test]
    fn a_formula_in_dual_numbers_has_exact_derivatives() {
        let bump =
            |t: &[Dual64]| (0..40).map(|i| (-(t[0] - 0.1 * i as f64).powi(2) / t[1]).exp() * t[2]).collect::<Vec<_>>();
        let model = dual_model(["mean", "width", "height"], 40, bump);
        let (theta, delta) = ([1.8, 0.6, 2.0], [0.5, 0.3, -1.0]);
        let test = taylor_test(&model, &theta, &delta).unwrap();
        assert!(test.is_exact(), "{test}");
        let density = Normalised::new(&model, 0.1).unwrap();
        assert!(taylor_test(&density, &theta, &delta).unwrap().is_exact());
        assert!(dot_test(&density.linearize(&theta).unwrap().jacobian, 1) < 1e-12);
        assert!(model.state(&[1.0, 0.0, 1.0]).unwrap_err().is_recoverable());
    }
}
