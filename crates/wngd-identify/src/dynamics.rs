//! The system whose parameters are asked for, as its generator v·∇ + D:∇².

use std::sync::Arc;

use wngd_adjoint::ModelError;
use wngd_models::flow::{ExpressionField, PolynomialForm, VelocityField};

use crate::error::IdentifyError;
use crate::stoppable::Stoppable;

/// dx = v(x; θ) dt + √(2 D(x; θ)) dW with its parameters, some of which are free. D is diagonal, and 0 unless given.
#[derive(Clone)]
pub struct Dynamics {
    pub(crate) drift: Arc<dyn VelocityField>,
    pub(crate) diffusion: Option<Arc<dyn VelocityField>>,
    /// Drift and diffusion as polynomials in x, where both are.
    pub(crate) polynomial: Option<(PolynomialForm, Option<PolynomialForm>)>,
    /// Whether both are affine in θ; false where that is not known.
    pub(crate) affine: bool,
    /// Variables that each component of the drift depends on.
    pub(crate) couplings: Vec<Vec<usize>>,
    variables: Vec<String>,
    theta: Vec<f64>,
    free: Vec<usize>,
    stop: fn() -> bool,
}

impl Dynamics {
    /// Any field, at all its parameters, free ones at their start; `free` counts the parameters from 0, all are free if
    /// it is absent.
    ///
    /// # Errors
    /// Parameters that are not those of the field; free parameters that do not exist or are named twice.
    pub fn new(
        field: Arc<dyn VelocityField>,
        theta: Vec<f64>,
        free: Option<Vec<usize>>,
    ) -> Result<Self, IdentifyError> {
        let dim = field.dim();
        let variables = if dim <= 3 {
            ["x", "y", "z"][..dim].iter().map(|name| name.to_string()).collect()
        } else {
            (1..=dim).map(|i| format!("x{i}")).collect()
        };
        let free = checked(&theta, free, field.dim_param())?;
        let couplings = vec![(0..dim).collect(); dim];
        let stop = || false;
        Ok(Self {
            drift: field,
            diffusion: None,
            polynomial: None,
            affine: false,
            couplings,
            variables,
            theta,
            free,
            stop,
        })
    }

    /// A field written as equations, with its diffusion.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn written(field: &ExpressionField, theta: Vec<f64>, free: Option<Vec<usize>>) -> Result<Self, IdentifyError> {
        let free = checked(&theta, free, field.dim_param())?;
        let diffusion = field.diffusion();
        let polynomial = match (field.polynomial(), diffusion.map(ExpressionField::polynomial)) {
            (Some(drift), None) => Some((drift.clone(), None)),
            (Some(drift), Some(Some(diffusion))) => Some((drift.clone(), Some(diffusion.clone()))),
            _ => None,
        };
        Ok(Self {
            drift: Arc::new(field.clone()),
            diffusion: diffusion.map(|d| Arc::new(d.clone()) as Arc<dyn VelocityField>),
            polynomial,
            affine: field.is_affine() && diffusion.is_none_or(ExpressionField::is_affine),
            couplings: (0..field.dim()).map(|axis| field.variables_of(axis).to_vec()).collect(),
            variables: field.variables().to_vec(),
            theta,
            free,
            stop: || false,
        })
    }

    /// The same with names of its variables, in the order of the state; those of a written field are its own.
    ///
    /// # Errors
    /// Another number of names than there are coordinates.
    pub fn naming(self, variables: Vec<String>) -> Result<Self, IdentifyError> {
        if variables.len() != self.dim() {
            return Err(IdentifyError::Coordinates { dim: self.dim(), columns: variables.len() });
        }
        Ok(Self { variables, ..self })
    }

    /// The same, given up soon after `stop` says so, which is asked from any thread: [`answer`](crate::answer) then
    /// ends with [`IdentifyError::Stopped`].
    pub fn stopping(self, stop: fn() -> bool) -> Self {
        let watched = |field| Arc::new(Stoppable { field, stop }) as Arc<dyn VelocityField>;
        Self { drift: watched(self.drift), diffusion: self.diffusion.map(watched), stop, ..self }
    }

    /// Whether to give up: what is found from then on is of no use.
    pub(crate) fn stopped(&self) -> bool {
        (self.stop)()
    }

    /// Its drift.
    pub fn field(&self) -> &dyn VelocityField {
        self.drift.as_ref()
    }

    /// Number of coordinates.
    pub fn dim(&self) -> usize {
        self.drift.dim()
    }

    /// Names of the variables, in the order of the state.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// Names of the free parameters.
    pub fn names(&self) -> Vec<String> {
        let all = self.drift.parameter_names();
        self.free.iter().map(|&i| all[i].clone()).collect()
    }

    /// Start values of the free parameters.
    pub fn start(&self) -> Vec<f64> {
        self.free.iter().map(|&i| self.theta[i]).collect()
    }

    /// Indices of the free parameters among all.
    pub(crate) fn free(&self) -> &[usize] {
        &self.free
    }

    /// All parameters, with values of the free ones put in.
    pub fn theta_full(&self, theta: &[f64]) -> Vec<f64> {
        let mut full = self.theta.clone();
        self.free.iter().zip(theta).for_each(|(&i, value)| full[i] = *value);
        full
    }

    /// D of each coordinate at a point and values of the free parameters; `None` where the system has no diffusion.
    pub fn diffusion_at(&self, x: &[f64], theta: &[f64]) -> Option<Vec<f64>> {
        let field = self.diffusion.as_ref()?;
        let mut out = vec![0.0; self.dim()];
        field.velocity(x, &self.theta_full(theta), &mut out);
        Some(out)
    }
}

fn checked(theta: &[f64], free: Option<Vec<usize>>, parameters: usize) -> Result<Vec<usize>, IdentifyError> {
    ModelError::check_theta(theta, parameters)?;
    let free = free.unwrap_or_else(|| (0..parameters).collect());
    let good = |(j, index): (usize, &usize)| *index < parameters && !free[..j].contains(index);
    if free.is_empty() || !free.iter().enumerate().all(good) {
        return Err(IdentifyError::Free { free, parameters });
    }
    Ok(free)
}
