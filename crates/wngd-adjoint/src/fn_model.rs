use wngd_linalg::LinearOp;

use crate::error::ModelError;
use crate::model::{ForwardModel, Linearization, State};

/// A model from two formulas: θ → ρ and θ → Z = ∂_θ ρ.
///
/// Values that are not finite mean that θ is outside the domain: a line search then shortens
/// its step. The Jacobian may be a dense matrix or any other [`LinearOp`].
///
/// # Shapes
/// `state`: p → k values; `jacobian`: p → k x p.
///
/// # Example
/// ```
/// use wngd_adjoint::faer::Mat;
/// use wngd_adjoint::{FnModel, taylor_test};
/// // ρ_i = a e^{−r i} on five points.
/// let decay = |t: &[f64], i: usize| (-t[1] * i as f64).exp();
/// let model = FnModel::new(
///     ["amplitude", "rate"],
///     5,
///     move |t| (0..5).map(|i| t[0] * decay(t, i)).collect(),
///     move |t| Mat::from_fn(5, 2, |i, j| if j == 0 { decay(t, i) } else { -t[0] * i as f64 * decay(t, i) }),
/// );
/// let test = taylor_test(&model, &[1.0, 0.3], &[0.4, 0.2])?;
/// assert!(test.is_exact(), "{test}");
/// # Ok::<(), wngd_adjoint::ModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FnModel<S, J> {
    names: Vec<String>,
    dim_state: usize,
    state: S,
    jacobian: J,
}

impl<S, J, Z> FnModel<S, J>
where
    S: Fn(&[f64]) -> Vec<f64> + Sync,
    J: Fn(&[f64]) -> Z + Sync,
    Z: LinearOp,
{
    /// A model with the named parameters and a state of `dim_state` values.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>, dim_state: usize, state: S, jacobian: J) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), dim_state, state, jacobian }
    }
}

impl<S, J, Z> ForwardModel for FnModel<S, J>
where
    S: Fn(&[f64]) -> Vec<f64> + Sync,
    J: Fn(&[f64]) -> Z + Sync,
    Z: LinearOp,
{
    type Jacobian = Z;
    fn dim_param(&self) -> usize {
        self.names.len()
    }
    fn dim_state(&self) -> usize {
        self.dim_state
    }
    fn parameter_names(&self) -> Vec<String> {
        self.names.clone()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, self.names.len())?;
        let values = (self.state)(theta);
        if values.len() != self.dim_state {
            let problem =
                format!("the formula gives {} values, the model was made for {}", values.len(), self.dim_state);
            return Err(ModelError::invalid("state", problem));
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(not_finite(format!("state[{i}]"), values[i])),
            None => Ok(State::new(values)),
        }
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Z>, ModelError> {
        let state = self.state(theta)?;
        let jacobian = (self.jacobian)(theta);
        let (rows, columns) = (jacobian.nrows(), jacobian.ncols());
        if (rows, columns) != (self.dim_state, self.names.len()) {
            let problem = format!(
                "the formula gives {rows} x {columns} entries, {} x {} are needed: a row per state value, a column \
                 per parameter",
                self.dim_state,
                self.names.len()
            );
            return Err(ModelError::invalid("jacobian", problem));
        }
        if let Some(z) = jacobian.as_dense() {
            for (j, column) in z.col_iter().enumerate() {
                if let Some(i) = column.iter().position(|v| !v.is_finite()) {
                    return Err(not_finite(format!("jacobian[{i}][{j}]"), column[i]));
                }
            }
        }
        Ok(Linearization { state, jacobian })
    }
}

fn not_finite(parameter: String, value: f64) -> ModelError {
    ModelError::OutOfDomain { parameter, value, rule: "the formula gives finite numbers" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{dot_test, taylor_test};
    use wngd_linalg::SparseMatrix;
    use wngd_linalg::faer::Mat;

    #[test]
    fn a_formula_is_a_model() {
        let model = FnModel::new(
            ["a", "b"],
            3,
            |t| vec![t[0].ln(), t[0] * t[1], t[1].sin()],
            |t| {
                let rows = [[1.0 / t[0], 0.0], [t[1], t[0]], [0.0, t[1].cos()]];
                Mat::from_fn(3, 2, |i, j| rows[i][j])
            },
        );
        assert_eq!((model.dim_param(), model.dim_state()), (2, 3));
        assert_eq!(model.parameter_names(), ["a", "b"]);
        let test = taylor_test(&model, &[1.3, 0.4], &[0.5, 1.0]).unwrap();
        assert!(test.is_exact(), "{test}");
        assert!(dot_test(&model.linearize(&[1.3, 0.4]).unwrap().jacobian, 1) < 1e-15);
        // The logarithm ends at 0: a shorter step stays away from there.
        let outside = model.state(&[-1.0, 0.4]).unwrap_err();
        assert!(outside.is_recoverable() && outside.to_string().contains("state[0] = NaN"), "{outside}");
        assert!(!model.state(&[1.0]).unwrap_err().is_recoverable());
    }

    #[test]
    fn sparse_jacobians_and_many_parameters_are_fine() {
        let squares = FnModel::new(
            (0..50).map(|i| format!("x{i}")),
            50,
            |t| t.iter().map(|x| x * x).collect(),
            |t| SparseMatrix::from_entries(50, 50, t.iter().enumerate().map(|(i, x)| (i, i, 2.0 * x))).unwrap(),
        );
        let theta: Vec<f64> = (0..50).map(|i| (i as f64).cos()).collect();
        assert!(taylor_test(&squares, &theta, &theta).unwrap().is_exact());
    }

    #[test]
    fn formulas_of_the_wrong_shape_are_refused_for_good() {
        let refuse = |values: usize, rows: usize, entry: f64| {
            let model = FnModel::new(["a"], 2, move |t| vec![t[0]; values], move |_| Mat::full(rows, 1, entry));
            model.linearize(&[1.0]).unwrap_err()
        };
        let (state, jacobian) = (refuse(3, 2, 1.0), refuse(2, 3, 1.0));
        assert!(matches!(&state, ModelError::Invalid { field, .. } if field == "state"), "{state}");
        assert!(matches!(&jacobian, ModelError::Invalid { field, .. } if field == "jacobian"), "{jacobian}");
        assert!(refuse(2, 2, f64::NAN).to_string().contains("jacobian[0][0]"));
    }
}
