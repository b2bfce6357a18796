//! What is asked for.

use std::sync::Arc;

use wngd::models::flow::{Discretisation, VelocityField};

use super::view::View;

/// The system whose parameters are asked for.
pub struct Problem {
    /// The velocity field.
    pub field: Arc<dyn VelocityField>,
    /// All its parameters, free ones at their start.
    pub theta: Vec<f64>,
    /// Free parameters.
    pub free: Vec<usize>,
}

impl Problem {
    /// Start values of the free parameters.
    pub fn start(&self) -> Vec<f64> {
        self.free.iter().map(|&i| self.theta[i]).collect()
    }

    /// Names of the free parameters.
    pub fn names(&self) -> Vec<String> {
        let all = self.field.parameter_names();
        self.free.iter().map(|&i| all[i].clone()).collect()
    }
}

/// What to do with a trajectory.
pub struct Settings {
    /// How points become a density.
    pub view: View,
    /// The discretisation; by the time scale of the data if absent.
    pub scheme: Option<Discretisation>,
    /// Noise of the observations: nothing, a share of each standard deviation, or one standard deviation each.
    pub noise: Vec<f64>,
    /// Simulated trajectories per correction; 0 for no correction.
    pub replicates: usize,
    /// Corrections.
    pub corrections: usize,
    /// Time between the points of the data, if known.
    pub dt: Option<f64>,
    /// Seed of the simulations.
    pub seed: u64,
}
