//! A model whose parameters are tied, bounded, expected somewhere, or moved along curves.

use std::sync::Arc;

use wngd::adjoint::{Bound, Linearization, Prior, Reparameterised, SolveCounts, State, Transform};
use wngd::opt::FaceDensityFn;
use wngd::prelude::{ForwardModel, ModelError};

use super::{Jacobian, Model, Parameter, Part};

/// How far beyond a bound a value may lie by rounding, relative to the bound.
const ROUNDING: f64 = 1e-12;
/// How far from its tie a truth may be by rounding.
const TIED: f64 = 1e-9;

/// What parameters are held to.
#[derive(Debug, Clone, Default)]
pub struct Constraints {
    /// Pairs (i, j): parameter i is what parameter j is; numbers before ties.
    pub ties: Vec<(usize, usize)>,
    /// Bounds of single parameters; numbers after ties, as of all that follow.
    pub bounds: Vec<Bound>,
    /// Priors.
    pub priors: Vec<Prior>,
    /// Curves, one per parameter, or none.
    pub transforms: Vec<Transform>,
}

/// A model under constraints.
pub struct Constrained {
    model: Reparameterised<Box<dyn Model>>,
    constraints: Constraints,
}

impl Constrained {
    /// The model under them.
    ///
    /// # Errors
    /// Impossible ties.
    pub fn new(model: Box<dyn Model>, constraints: Constraints) -> Result<Self, ModelError> {
        Ok(Self { model: Reparameterised::tied(model, &constraints.ties)?, constraints })
    }

    /// Values of all parameters as those after ties; `None` if they are not tied.
    pub fn reduced(&self, whole: &[f64]) -> Option<Vec<f64>> {
        let theta = self.model.free(whole);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= TIED * (1.0 + a.abs());
        self.model.whole(&theta).iter().zip(whole).all(close).then_some(theta)
    }

    fn inner(&self) -> &dyn Model {
        self.model.model().as_ref()
    }

    fn check(&self, theta: &[f64]) -> Result<(), ModelError> {
        let outside = |j: usize, rule| {
            let parameter = self.model.parameter_names().get(j).cloned().unwrap_or_default();
            Err(ModelError::OutOfDomain { parameter, value: theta[j], rule })
        };
        if theta.len() != self.model.dim_param() {
            return Ok(());
        }
        let curved = self.constraints.transforms.iter().zip(theta);
        if let Some(j) = curved.into_iter().position(|(curve, value)| !curve.contains(*value)) {
            return outside(j, "its transform keeps it inside of its range");
        }
        let left = |bound: &&Bound| bound.slack(theta) < -ROUNDING * (1.0 + bound.lower.abs());
        match self.constraints.bounds.iter().find(left).and_then(|bound| bound.terms.first()) {
            Some((j, _)) => outside(*j, "it is beyond its bound in [parameters]"),
            None => Ok(()),
        }
    }
}

impl Model for Constrained {
    fn parameters(&self) -> Vec<Parameter> {
        let mut kept: Vec<Parameter> = Vec::new();
        let tied = |i: usize| self.constraints.ties.iter().any(|tie| tie.0 == i);
        kept.extend(self.inner().parameters().into_iter().enumerate().filter(|(i, _)| !tied(*i)).map(|(_, p)| p));
        for bound in &self.constraints.bounds {
            let [(j, c)] = bound.terms[..] else { continue };
            let end = bound.lower / c;
            let range = &mut kept[j].range;
            if c > 0.0 {
                range[0] = range[0].max(end)
            } else {
                range[1] = range[1].min(end)
            }
            if range[0] >= range[1] {
                *range = if c > 0.0 { [end, end + 1.0] } else { [end - 1.0, end] };
            }
        }
        kept
    }
    fn dim_state(&self) -> usize {
        self.inner().dim_state()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.check(theta)?;
        self.model.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        self.check(theta)?;
        let Linearization { state, jacobian } = self.model.linearize(theta)?;
        Ok(Linearization { state, jacobian: Box::new(jacobian) })
    }
    fn solve_counts(&self) -> SolveCounts {
        self.inner().solve_counts()
    }
    fn failure(&self) -> Option<ModelError> {
        self.inner().failure()
    }
    fn column_rounding(&self, theta: &[f64]) -> Vec<f64> {
        self.model.column_rounding(theta)
    }
    fn bounds(&self) -> Vec<Bound> {
        // A curve ends on no bound.
        let curved = |j: usize| self.constraints.transforms.get(j).is_some_and(|curve| *curve != Transform::None);
        let own = self.model.bounds().into_iter().chain(self.constraints.bounds.iter().cloned());
        own.filter(|bound| bound.terms.iter().all(|term| !curved(term.0))).collect()
    }
    fn priors(&self) -> Vec<Prior> {
        self.constraints.priors.clone()
    }
    fn transforms(&self) -> Vec<Transform> {
        self.constraints.transforms.clone()
    }
    fn face_density(&self) -> Option<FaceDensityFn> {
        let (density, whole) = (self.inner().face_density()?, self.model.expansion());
        Some(Arc::new(move |theta| density(&whole(theta))))
    }
    fn parts(&self, theta: &[f64]) -> Vec<Part> {
        self.inner().parts(&self.model.expansion()(theta))
    }
    fn unit(&self) -> Option<f64> {
        self.inner().unit()
    }
    fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        self.inner().distance(&self.model.whole(a), &self.model.whole(b))
    }
    fn remarks(&self, theta: &[f64]) -> Result<Vec<String>, ModelError> {
        self.inner().remarks(&self.model.whole(theta))
    }
}
