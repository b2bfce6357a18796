//! What an estimator found.

use crate::weak::Undetermined;

/// A test of the model against the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Misfit {
    /// Its statistic, large for a model that does not fit.
    pub statistic: f64,
    /// What the statistic is on average if the model fits.
    pub degrees_of_freedom: f64,
    /// Chance of a statistic this large if the model fits.
    pub p_value: f64,
}

/// Below this chance a model does not fit.
pub const REJECTED: f64 = 1e-3;

/// What an estimator found.
#[derive(Debug, Clone)]
pub struct Estimate {
    /// Name of the estimator.
    pub estimator: &'static str,
    /// Values of the free parameters.
    pub theta: Vec<f64>,
    /// Their standard errors; none for those that are not determined.
    pub standard_errors: Option<Vec<Option<f64>>>,
    /// Covariance of the free parameters, row-major; where all of them are determined.
    pub covariance: Option<Vec<f64>>,
    /// How well the model fits.
    pub misfit: Option<Misfit>,
    /// Combinations of parameters that are not determined.
    pub undetermined: Vec<Undetermined>,
    /// Whether the parameters stood still at the end.
    pub converged: bool,
    /// Standard deviation of the noise of each coordinate that was undone.
    pub noise: Vec<f64>,
    /// What should be told.
    pub remarks: Vec<String>,
    /// Why the model does not fit, whatever the misfit says.
    pub objections: Vec<String>,
    /// Start and end: the parameters and what was made small there.
    pub trace: Vec<(Vec<f64>, f64)>,
    /// Wall seconds.
    pub seconds: f64,
}

impl Estimate {
    /// Whether parameters were found, all of them determined, and nothing speaks against the model.
    pub fn fits(&self) -> bool {
        self.converged && self.undetermined.is_empty() && self.passes()
    }

    /// Whether nothing speaks against the model.
    pub fn passes(&self) -> bool {
        self.objections.is_empty() && self.misfit.is_none_or(|misfit| misfit.p_value >= REJECTED)
    }
}
