use wngd_linalg::LinearOp;

use crate::bound::Bound;
use crate::error::ModelError;
use crate::prior::Prior;
use crate::transform::Transform;

/// A model's state ρ(θ), with its logarithm where the model knows it better.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// ρ, k values.
    pub values: Vec<f64>,
    /// ln ρ, k values, accurate even where ρ underflows.
    pub log_values: Option<Vec<f64>>,
}

impl State {
    /// A state without separate logarithms.
    pub fn new(values: Vec<f64>) -> Self {
        Self { values, log_values: None }
    }
}

/// A state with the Jacobian Z = ∂_θ ρ (k x p) at the same parameters.
#[derive(Debug, Clone)]
pub struct Linearization<J> {
    /// ρ(θ).
    pub state: State,
    /// Z, as an operator: `apply` is a tangent, `apply_transpose` an adjoint.
    pub jacobian: J,
}

/// How many solves of the state equation and its linearisations a model has made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SolveCounts {
    /// Evaluations of the state.
    pub state: usize,
    /// Tangent solves (one per column).
    pub tangent: usize,
    /// Adjoint solves (one per column).
    pub adjoint: usize,
}

impl SolveCounts {
    /// All solves together.
    pub fn total(&self) -> usize {
        self.state.saturating_add(self.tangent).saturating_add(self.adjoint)
    }

    /// These and `more`.
    pub fn plus(&self, more: SolveCounts) -> SolveCounts {
        SolveCounts {
            state: self.state.saturating_add(more.state),
            tangent: self.tangent.saturating_add(more.tangent),
            adjoint: self.adjoint.saturating_add(more.adjoint),
        }
    }

    /// Solves made since `earlier`.
    pub fn since(&self, earlier: SolveCounts) -> SolveCounts {
        SolveCounts {
            state: self.state.saturating_sub(earlier.state),
            tangent: self.tangent.saturating_sub(earlier.tangent),
            adjoint: self.adjoint.saturating_sub(earlier.adjoint),
        }
    }
}

/// A map θ ∈ ℝᵖ → ρ ∈ ℝᵏ with its derivative.
///
/// # Example
/// ```
/// use wngd_adjoint::{ForwardModel, Linearization, ModelError, State, taylor_test};
/// use wngd_linalg::faer::Mat;
///
/// /// Two exponentials on five points.
/// struct Decay;
/// impl ForwardModel for Decay {
///     type Jacobian = Mat<f64>;
///     fn dim_param(&self) -> usize { 2 }
///     fn dim_state(&self) -> usize { 5 }
///     fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
///         Ok(State::new((0..5).map(|i| theta[0] * (-theta[1] * i as f64).exp()).collect()))
///     }
///     fn linearize(&self, theta: &[f64]) -> Result<Linearization<Mat<f64>>, ModelError> {
///         let state = self.state(theta)?;
///         let jacobian = Mat::from_fn(5, 2, |i, j| {
///             let e = (-theta[1] * i as f64).exp();
///             if j == 0 { e } else { -theta[0] * i as f64 * e }
///         });
///         Ok(Linearization { state, jacobian })
///     }
/// }
/// assert!(taylor_test(&Decay, &[1.0, 0.3], &[0.4, 0.2])?.rate > 1.9);
/// # Ok::<(), ModelError>(())
/// ```
pub trait ForwardModel: Sync {
    /// Z as an operator, k x p.
    type Jacobian: LinearOp;
    /// Number of parameters p.
    fn dim_param(&self) -> usize;
    /// Number of state values k.
    fn dim_state(&self) -> usize;
    /// Names of the parameters, in order.
    fn parameter_names(&self) -> Vec<String> {
        (0..self.dim_param()).map(|i| format!("theta[{i}]")).collect()
    }
    /// ρ(θ).
    ///
    /// # Errors
    /// [`ModelError::OutOfDomain`] where θ is not admissible; solver failures.
    fn state(&self, theta: &[f64]) -> Result<State, ModelError>;
    /// ρ(θ) and Z(θ).
    ///
    /// # Errors
    /// As [`state`](Self::state).
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError>;
    /// Solves made so far; 0 for models that need none.
    fn solve_counts(&self) -> SolveCounts {
        SolveCounts::default()
    }
    /// Rounding of each column of Z at θ in the Euclidean norm, where columns are differences of something larger; empty
    /// where rounding of the entries is all there is. A column below it is no direction, whatever its digits say.
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        let _ = theta;
        Vec::new()
    }
    /// Linear bounds that parameters may lie on; none unless the model states them.
    fn bounds(&self) -> Vec<Bound> {
        Vec::new()
    }
    /// Priors of parameters, which descents add to their objective; none unless the model states them.
    fn priors(&self) -> Vec<Prior> {
        Vec::new()
    }
    /// Curves along which parameters move, one per parameter; straight lines where there are none.
    fn transforms(&self) -> Vec<Transform> {
        Vec::new()
    }
    /// What made a product with Z fail, which the product itself cannot tell: it is NaN then, and so are all later ones.
    /// Descents end with it.
    fn failure(&self) -> Option<ModelError> {
        None
    }
}

impl<M: ForwardModel> ForwardModel for &M {
    type Jacobian = M::Jacobian;
    fn dim_param(&self) -> usize {
        (**self).dim_param()
    }
    fn dim_state(&self) -> usize {
        (**self).dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        (**self).parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        (**self).state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        (**self).linearize(theta)
    }
    fn solve_counts(&self) -> SolveCounts {
        (**self).solve_counts()
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        (**self).column_rounding(theta)
    }
    fn bounds(&self) -> Vec<Bound> {
        (**self).bounds()
    }
    fn priors(&self) -> Vec<Prior> {
        (**self).priors()
    }
    fn transforms(&self) -> Vec<Transform> {
        (**self).transforms()
    }
    fn failure(&self) -> Option<ModelError> {
        (**self).failure()
    }
}
