//! Models, a file each: from options to an object that an experiment can fit.

pub mod constrained;
pub mod flow;
pub(crate) mod folded;
mod remote;
pub mod system_file;
pub(crate) use gaussian_mixture::{of_truth as mixture_of_truth, truth as mixture_truth};

use wngd::adjoint::{Bound, Linearization, Prior, SolveCounts, State, Transform};
use wngd::linalg::LinearOp;
use wngd::opt::FaceDensityFn;
use wngd::prelude::{ForwardModel, ModelError};

use crate::error::ExperimentError;
use crate::ground::Ground;
use crate::source::Section;

/// Z of a model, stored or by tangent and adjoint solves.
pub type Jacobian = Box<dyn LinearOp>;

/// A free parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Value to start from.
    pub start: f64,
    /// Where a map of it looks, if nothing else is said.
    pub range: [f64; 2],
}

impl Parameter {
    /// A parameter of which nothing is known but its start: a decade around it.
    pub fn around(name: String, start: f64) -> Self {
        let range = if start == 0.0 { [-1.0, 1.0] } else { [0.3 * start, 3.0 * start] };
        Self { name, start, range: if range[0] <= range[1] { range } else { [range[1], range[0]] } }
    }
}

/// A map θ → state with its derivative, as an object.
pub trait Model: Send + Sync {
    /// The free parameters, in order.
    fn parameters(&self) -> Vec<Parameter>;
    /// Number of state values k.
    fn dim_state(&self) -> usize;
    /// The state at θ.
    ///
    /// # Errors
    /// As [`ForwardModel::state`].
    fn state(&self, theta: &[f64]) -> Result<State, ModelError>;
    /// The state and its Jacobian at θ.
    ///
    /// # Errors
    /// As [`ForwardModel::linearize`].
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError>;
    /// Bytes that a state takes on its way, beside the values in its cells.
    fn bytes(&self) -> u64 {
        0
    }
    /// Solves made so far.
    fn solve_counts(&self) -> SolveCounts {
        SolveCounts::default()
    }
    /// As [`ForwardModel::failure`].
    fn failure(&self) -> Option<ModelError> {
        None
    }
    /// As [`ForwardModel::column_rounding`].
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        let _ = theta;
        Vec::new()
    }
    /// Linear bounds that parameters may lie on.
    fn bounds(&self) -> Vec<Bound> {
        Vec::new()
    }
    /// Priors of parameters.
    fn priors(&self) -> Vec<Prior> {
        Vec::new()
    }
    /// Curves along which parameters move, one each; straight lines if there are none.
    fn transforms(&self) -> Vec<Transform> {
        Vec::new()
    }
    /// The density at the midpoints of faces, if the model knows it there.
    fn face_density(&self) -> Option<FaceDensityFn> {
        None
    }
    /// The model as counts see it: its means over cells and, where counts outside the box were left out (`cut`), what of
    /// it lies in the box; `None` if its values are that anyway.
    fn counted(&self, cut: bool) -> Option<Box<dyn Model>> {
        let _ = cut;
        None
    }
    /// The number of counts that its mass is measured by, where that is fitted, too: the expected number is mass times
    /// this (extended likelihood).
    fn unit(&self) -> Option<f64> {
        None
    }
    /// The same model for data of so many counts; `None` where they make no difference.
    fn of_counts(&self, number: f64) -> Option<Box<dyn Model>> {
        let _ = number;
        None
    }
    /// Distance between two values of the parameters: the least over what exchanges parts that are alike.
    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        euclidean(a, b)
    }
    /// The components that the density at θ is the sum of; none for models that are no sum, and where θ is outside.
    fn parts(&self, theta: &[f64]) -> Vec<Part> {
        let _ = theta;
        Vec::new()
    }
    /// What should be said of how the state at θ was found.
    ///
    /// # Errors
    /// As [`state`](Self::state).
    fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        let _ = theta;
        Ok(Vec::new())
    }
}

/// A component of a density.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its share of the whole.
    pub share: f64,
    /// Its shape.
    pub shape: PartShape,
}

/// What a component looks like.
#[derive(Debug, Clone)]
pub enum PartShape {
    /// A Gaussian; its covariance row by row.
    Gaussian {
        /// A value per axis.
        mean: Vec<f64>,
        /// dim² values.
        covariance: Vec<f64>,
    },
    /// Points of its density over the only axis, its share included.
    Curve(Vec<[f64; 2]>),
}

/// ‖a − b‖₂.
fn euclidean(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

impl ForwardModel for Box<dyn Model> {
    type Jacobian = Jacobian;
    fn dim_param(&self) -> usize {
        self.parameters().len()
    }
    fn dim_state(&self) -> usize {
        (**self).dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.parameters().into_iter().map(|p| p.name).collect()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        (**self).state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
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

/// What a model may know of the data before it is built.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen<'a> {
    /// Points of a trajectory, row-major: they tell a flow its time scale.
    pub points: Option<&'a [f64]>,
    /// Whether cells hold counts, of samples or of a histogram.
    pub counted: bool,
}

/// A model with its options.
pub trait ModelChoice: Send + Sync {
    /// What it is, in a few words with its numbers.
    fn in_words(&self) -> String;
    /// Coordinates of the data, if the options say how many; with the key that says so.
    ///
    /// # Errors
    /// Options that name nothing that exists.
    fn dimension(&self, section: &Section<'_>) -> Result<Option<(&'static str, usize)>, ExperimentError>;
    /// The model on a ground, with defaults that suit the data.
    ///
    /// # Errors
    /// Options that make no sense.
    fn build(&self, section: &Section<'_>, ground: &Ground, data: Seen<'_>) -> Result<Box<dyn Model>, ExperimentError>;
    /// Name of the solver of its directions where none is named, if it is another than for most models.
    fn usual_solver(&self) -> Option<&'static str> {
        None
    }
    /// Whether its density on a few periods of a periodic axis folds into one.
    fn folds(&self) -> bool {
        false
    }
    /// The state at known parameters `truth = { theta = [..] }`, with the values of the free ones.
    ///
    /// # Errors
    /// Parameters of the wrong number, or inadmissible ones.
    fn state_at(
        &self,
        section: &Section<'_>,
        truth: &Section<'_>,
        theta: &[f64],
        ground: &Ground,
        model: &dyn Model,
    ) -> Result<(State, Option<Vec<f64>>), ExperimentError> {
        // Some models need them; this one is known by its parameters alone.
        let _ = (section, ground);
        let p = model.parameters().len();
        if theta.len() != p {
            return Err(truth.error("theta", format!("{} values, {p} are needed, one per parameter", theta.len())));
        }
        let state = model.state(theta).map_err(|e| truth.error("theta", e.to_string()))?;
        Ok((state, Some(theta.to_vec())))
    }
    /// The flow behind the model, if it is the stationary density of one that can be simulated.
    ///
    /// # Errors
    /// Options that name nothing that exists.
    fn flow(&self, section: &Section<'_>) -> Result<Option<flow::NamedFlow>, ExperimentError> {
        let _ = section;
        Ok(None)
    }
    /// The scheme of a flow for a system of a time scale, if there is one.
    ///
    /// # Errors
    /// Options that make no sense.
    fn scheme(
        &self,
        section: &Section<'_>,
        scale: Option<f64>,
    ) -> Result<Option<wngd::models::flow::Discretisation>, ExperimentError> {
        let _ = (section, scale);
        Ok(None)
    }
}

crate::registry::family! {
    /// The models.
    dyn ModelChoice, what: "model", key: "model.kind",
    members: [gaussian_mixture, components, stationary_density, diffusion, um_bridge]
}
