use rayon::prelude::*;
use wngd_linalg::LinearOp;
use wngd_linalg::dense::sum;
use wngd_linalg::faer::{Mat, MatMut, MatRef};

use crate::error::ModelError;
use crate::model::{ForwardModel, Linearization, SolveCounts, State};

/// A model's state divided by its mass: ρ̂ = ρ/σ with σ = w Σρ.
///
/// For models whose mass depends on θ where something downstream compares masses of 1: the
/// Wasserstein metric moves mass and cannot make it. Then Z is Ẑ = (Z − ρ̂ w1ᵀZ)/σ, of which no
/// column carries mass, and Ẑᵀh = Zᵀ(h − w(ρ̂ᵀh)1)/σ. A Jacobian that is stored stays stored,
/// any other stays an operator with the same number of solves.
///
/// # Errors
/// Besides those of the model, [`ModelError::OutOfDomain`] where the mass is not positive and finite.
///
/// # Example
/// ```
/// use wngd_adjoint::faer::Mat;
/// use wngd_adjoint::{FnModel, ForwardModel, Normalised, taylor_test};
/// // A bump e^{−(x−m)²/2} on cells of width 1/2: part of it leaves the interval when m moves.
/// let bump = |m: f64, i: usize| (-0.5 * (0.5 * i as f64 - m).powi(2)).exp();
/// let model = FnModel::new(
///     ["m"],
///     9,
///     move |t| (0..9).map(|i| bump(t[0], i)).collect(),
///     move |t| Mat::from_fn(9, 1, |i, _| (0.5 * i as f64 - t[0]) * bump(t[0], i)),
/// );
/// let density = Normalised::new(model, 0.5)?;
/// assert!((0.5 * density.state(&[3.0])?.values.iter().sum::<f64>() - 1.0).abs() < 1e-15);
/// assert!(taylor_test(&density, &[3.0], &[1.0])?.is_exact());
/// # Ok::<(), wngd_adjoint::ModelError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Normalised<M> {
    model: M,
    weight: f64,
}

impl<M: ForwardModel> Normalised<M> {
    /// The model with mass 1, where a state of ones has mass `weight` times k: the volume of a cell.
    ///
    /// # Errors
    /// [`ModelError::Invalid`] unless the weight is positive and finite.
    pub fn new(model: M, weight: f64) -> Result<Self, ModelError> {
        if !(weight > 0.0 && weight.is_finite()) {
            return Err(ModelError::invalid("weight", format!("{weight} given; a weight is a finite number > 0")));
        }
        Ok(Self { model, weight })
    }

    /// The model as it was.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The state over its mass, and the mass.
    fn divide(&self, state: State) -> Result<(State, f64), ModelError> {
        let State { mut values, mut log_values } = state;
        let mass = self.weight * sum(values.iter().copied());
        if !(mass > 0.0 && mass.is_finite()) {
            return Err(ModelError::OutOfDomain {
                parameter: "mass of the state".into(),
                value: mass,
                rule: "a state is divided by its mass only where that is positive and finite",
            });
        }
        values.iter_mut().for_each(|v| *v /= mass);
        if let Some(logs) = &mut log_values {
            let shift = mass.ln();
            logs.iter_mut().for_each(|v| *v -= shift);
        }
        Ok((State { values, log_values }, mass))
    }
}

impl<M: ForwardModel> ForwardModel for Normalised<M> {
    type Jacobian = NormalisedJacobian<M::Jacobian>;
    fn dim_param(&self) -> usize {
        self.model.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.model.parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        Ok(self.divide(self.model.state(theta)?)?.0)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        let Linearization { state, jacobian } = self.model.linearize(theta)?;
        let (state, mass) = self.divide(state)?;
        let division = Division { density: state.values.clone(), weight: self.weight, mass };
        let form = if jacobian.as_dense().is_some() {
            Form::Stored(division.of_dense(jacobian.into_dense()))
        } else {
            Form::Operator { jacobian, division }
        };
        Ok(Linearization { state, jacobian: NormalisedJacobian(form) })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.model.solve_counts()
    }
    fn failure(&self) -> Option<ModelError> {
        self.model.failure()
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        // Masses near 1 or below leave it, or make it larger.
        self.model.column_rounding(theta)
    }
    fn bounds(&self) -> Vec<crate::bound::Bound> {
        self.model.bounds()
    }
    fn priors(&self) -> Vec<crate::prior::Prior> {
        self.model.priors()
    }
    fn transforms(&self) -> Vec<crate::transform::Transform> {
        self.model.transforms()
    }
}

/// Ẑ of a [`Normalised`] model, k x p.
///
/// # Cost
/// A product with Z, or Zᵀ, and 2k operations per column.
#[derive(Debug, Clone)]
pub struct NormalisedJacobian<J>(Form<J>);

#[derive(Debug, Clone)]
enum Form<J> {
    Stored(Mat<f64>),
    Operator { jacobian: J, division: Division },
}

/// The derivative of ρ → ρ/σ at one state.
#[derive(Debug, Clone)]
struct Division {
    /// ρ̂.
    density: Vec<f64>,
    weight: f64,
    /// σ.
    mass: f64,
}

impl Division {
    /// z ← (z − ρ̂ w1ᵀz)/σ for each column.
    fn tangent(&self, z: MatMut<'_, f64>) {
        z.col_iter_mut().collect::<Vec<_>>().into_par_iter().for_each(|z| {
            let moved = self.weight * sum(z.as_ref().iter().copied());
            z.iter_mut().zip(&self.density).for_each(|(z, rho)| *z = (*z - rho * moved) / self.mass);
        });
    }

    /// (h − w(ρ̂ᵀh)1)/σ for each column.
    fn adjoint(&self, h: MatRef<'_, f64>) -> Mat<f64> {
        let mut out = h.to_owned();
        out.col_iter_mut().collect::<Vec<_>>().into_par_iter().for_each(|h| {
            let mean = self.weight * sum(h.as_ref().iter().zip(&self.density).map(|(h, rho)| h * rho));
            h.iter_mut().for_each(|h| *h = (*h - mean) / self.mass);
        });
        out
    }

    fn of_dense(&self, mut z: Mat<f64>) -> Mat<f64> {
        self.tangent(z.as_mut());
        z
    }
}

impl<J: LinearOp> LinearOp for NormalisedJacobian<J> {
    fn nrows(&self) -> usize {
        match &self.0 {
            Form::Stored(z) => z.nrows(),
            Form::Operator { jacobian, .. } => jacobian.nrows(),
        }
    }
    fn ncols(&self) -> usize {
        match &self.0 {
            Form::Stored(z) => z.ncols(),
            Form::Operator { jacobian, .. } => jacobian.ncols(),
        }
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        match &self.0 {
            Form::Stored(z) => z.apply(out, x),
            Form::Operator { jacobian, division } => {
                let mut out = out;
                jacobian.apply(out.as_mut(), x);
                division.tangent(out);
            }
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        match &self.0 {
            Form::Stored(z) => z.apply_transpose(out, y),
            Form::Operator { jacobian, division } => jacobian.apply_transpose(out, division.adjoint(y).as_ref()),
        }
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        match &self.0 {
            Form::Stored(z) => Some(z.as_ref()),
            Form::Operator { .. } => None,
        }
    }
    fn into_dense(self) -> Mat<f64> {
        match self.0 {
            Form::Stored(z) => z,
            Form::Operator { jacobian, division } => division.of_dense(jacobian.into_dense()),
        }
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        (*self).into_dense()
    }
}
