//! An experiment's model and objective as models that others may ask for values and products, by UM-Bridge.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wngd::adjoint::{apply_transpose_vec, apply_vec};
use wngd::linalg::dense::dot;
use wngd::opt::PriorTerms;
use wngd::prelude::ModelError;

use crate::experiment::Experiment;

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offered {
    /// θ → state.
    Forward,
    /// θ → what is minimised, priors included.
    Objective,
}

impl Offered {
    /// All of it.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Objective];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Objective => "objective",
        }
    }
}

/// A request, as UM-Bridge has it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// Of which model.
    pub name: String,
    /// Options: there are none.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// θ, the only input.
    #[serde(default)]
    pub input: Vec<Vec<f64>>,
    /// Number of the output.
    #[serde(default)]
    pub out_wrt: usize,
    /// Number of the input.
    #[serde(default)]
    pub in_wrt: usize,
    /// What multiplies the Jacobian from the left.
    #[serde(default)]
    pub sens: Vec<f64>,
    /// What multiplies it from the right.
    #[serde(default)]
    pub vec: Vec<f64>,
}

/// A request that has no answer, in the words of UM-Bridge.
#[derive(Debug, Clone, Serialize)]
pub struct Declined {
    /// `ModelNotFound`, `InvalidInput`, `OutOfDomain` or `ModelFailure`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Declined {
    /// Whether the request is to blame.
    pub fn is_asked_wrong(&self) -> bool {
        self.kind != "ModelFailure"
    }

    fn input(message: String) -> Self {
        Self { kind: "InvalidInput", message }
    }
}

impl From<ModelError> for Declined {
    fn from(error: ModelError) -> Self {
        let kind = match error {
            ModelError::OutOfDomain { .. } | ModelError::Density { .. } => "OutOfDomain",
            _ => "ModelFailure",
        };
        Self { kind, message: error.to_string() }
    }
}

fn failed(error: impl std::fmt::Display) -> Declined {
    Declined { kind: "ModelFailure", message: error.to_string() }
}

/// An experiment that answers.
pub struct Offer {
    experiment: Experiment,
}

impl Offer {
    /// What an experiment has.
    pub fn new(experiment: Experiment) -> Self {
        Self { experiment }
    }

    /// Parameters and values of the state.
    pub fn sizes(&self) -> (usize, usize) {
        (self.experiment.theta0.len(), self.experiment.model.dim_state())
    }

    /// Which model is asked.
    ///
    /// # Errors
    /// A name that there is not, or options, which no model has.
    pub fn model(&self, asked: &Asked) -> Result<Offered, Declined> {
        if let Some(key) = asked.config.keys().next() {
            let message = format!("config: \"{key}\" is given, and no option is possible; change the experiment file");
            return Err(Declined::input(message));
        }
        let found = Offered::ALL.into_iter().find(|offered| offered.name() == asked.name);
        found.ok_or_else(|| {
            let names = Offered::ALL.map(|offered| format!("\"{}\"", offered.name())).join(" and ");
            let message = format!("there is no model \"{}\"; there are {names}", asked.name);
            Declined { kind: "ModelNotFound", message }
        })
    }

    /// Lengths of the inputs.
    ///
    /// # Errors
    /// As [`model`](Self::model).
    pub fn inputs(&self, asked: &Asked) -> Result<[usize; 1], Declined> {
        self.model(asked).map(|_| [self.sizes().0])
    }

    /// Lengths of the outputs.
    ///
    /// # Errors
    /// As [`model`](Self::model).
    pub fn outputs(&self, asked: &Asked) -> Result<[usize; 1], Declined> {
        Ok(match self.model(asked)? {
            Offered::Forward => [self.sizes().1],
            Offered::Objective => [1],
        })
    }

    /// The values at θ.
    ///
    /// # Errors
    /// Sizes that do not fit; a model that is not defined there, or fails.
    pub fn evaluate(&self, asked: &Asked) -> Result<[Vec<f64>; 1], Declined> {
        let (offered, theta) = (self.model(asked)?, self.theta(asked)?);
        let state = self.experiment.model.state(theta)?;
        self.finite(match offered {
            Offered::Forward => state.values,
            Offered::Objective => {
                let misfit = self.experiment.objective.value(&state).map_err(failed)?;
                vec![misfit + PriorTerms::at(&self.experiment.model, theta).value()]
            }
        })
        .map(|values| [values])
    }

    /// sᵀJ at θ.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn gradient(&self, asked: &Asked) -> Result<Vec<f64>, Declined> {
        let [values] = self.outputs(asked)?;
        let theta = self.product(asked, "sens", asked.sens.len(), values)?;
        self.finite(match self.model(asked)? {
            Offered::Forward => {
                let linear = self.experiment.model.linearize(theta)?;
                apply_transpose_vec(&linear.jacobian, &asked.sens)
            }
            Offered::Objective => self.slope(theta)?.iter().map(|g| asked.sens[0] * g).collect(),
        })
    }

    /// Jv at θ.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn apply_jacobian(&self, asked: &Asked) -> Result<Vec<f64>, Declined> {
        let theta = self.product(asked, "vec", asked.vec.len(), self.sizes().0)?;
        self.finite(match self.model(asked)? {
            Offered::Forward => apply_vec(&self.experiment.model.linearize(theta)?.jacobian, &asked.vec),
            Offered::Objective => vec![dot(&self.slope(theta)?, &asked.vec)],
        })
    }

    /// The gradient of what is minimised.
    fn slope(&self, theta: &[f64]) -> Result<Vec<f64>, Declined> {
        let Experiment { model, objective, .. } = &self.experiment;
        let linear = model.linearize(theta)?;
        let (_, u) = objective.derivative(&linear.state).map_err(failed)?;
        let weight = objective.cell_volume();
        let mut gradient: Vec<f64> = apply_transpose_vec(&linear.jacobian, &u).iter().map(|g| weight * g).collect();
        PriorTerms::at(model, theta).add_gradient(&mut gradient);
        Ok(gradient)
    }

    fn theta<'a>(&self, asked: &'a Asked) -> Result<&'a [f64], Declined> {
        let p = self.sizes().0;
        match &asked.input[..] {
            [theta] if theta.len() == p => Ok(theta),
            [theta] => Err(Declined::input(format!("input: {} values, {p} are needed", theta.len()))),
            parts => Err(Declined::input(format!("input: {} lists, one is needed, of {p} values", parts.len()))),
        }
    }

    fn product<'a>(&self, asked: &'a Asked, key: &str, found: usize, needed: usize) -> Result<&'a [f64], Declined> {
        for (key, number) in [("outWrt", asked.out_wrt), ("inWrt", asked.in_wrt)] {
            if number != 0 {
                return Err(Declined::input(format!("{key}: {number}, and 0 is the only one")));
            }
        }
        if found != needed {
            return Err(Declined::input(format!("{key}: {found} values, {needed} are needed")));
        }
        self.theta(asked)
    }

    /// Values that can be sent.
    fn finite(&self, values: Vec<f64>) -> Result<Vec<f64>, Declined> {
        if let Some(error) = self.experiment.model.failure() {
            return Err(error.into());
        }
        match values.iter().position(|v| !v.is_finite()) {
            Some(i) => Err(failed(format!("value {i} is {}; no finite number can be sent", values[i]))),
            None => Ok(values),
        }
    }
}
