//! What is asked for.

use std::sync::Arc;

use wngd_adjoint::ModelError;
use wngd_models::flow::{Discretisation, VelocityField};

use crate::error::{IdentifyError, SettingsError};
use crate::scale::is_step;
use crate::simulate::check_coordinates;
use crate::view::View;

/// Most simulated trajectories per correction.
const MAX_REPLICATES: usize = 10_000;
/// Most corrections.
const MAX_CORRECTIONS: usize = 1_000_000;

/// The system whose parameters are asked for.
#[derive(Clone)]
pub struct Problem {
    pub(crate) field: Arc<dyn VelocityField>,
    /// All its parameters, free ones at their start.
    pub(crate) theta: Vec<f64>,
    /// Free parameters.
    pub(crate) free: Vec<usize>,
}

impl Problem {
    /// A system at its parameters, free ones at their start; `free` counts the parameters from 0, all are free if it
    /// is absent.
    ///
    /// # Errors
    /// Parameters that are not those of the field, a field of more than three coordinates, free parameters that
    /// do not exist or are named twice.
    pub fn new(
        field: Arc<dyn VelocityField>,
        theta: Vec<f64>,
        free: Option<Vec<usize>>,
    ) -> Result<Self, IdentifyError> {
        check_coordinates(field.as_ref())?;
        ModelError::check_theta(&theta, field.dim_param())?;
        let parameters = theta.len();
        let free = free.unwrap_or_else(|| (0..parameters).collect());
        let good = |(j, index): (usize, &usize)| *index < parameters && !free[..j].contains(index);
        if free.is_empty() || !free.iter().enumerate().all(good) {
            return Err(IdentifyError::Free { free, parameters });
        }
        Ok(Self { field, theta, free })
    }

    /// The velocity field.
    pub fn field(&self) -> &dyn VelocityField {
        self.field.as_ref()
    }

    /// Start values of the free parameters.
    pub fn start(&self) -> Vec<f64> {
        self.free.iter().map(|&i| self.theta[i]).collect()
    }

    /// Names of the free parameters.
    pub fn names(&self) -> Vec<String> {
        let all = self.field.parameter_names();
        self.free.iter().map(|&i| all[i].clone()).collect()
    }

    /// All parameters of the field, with values of the free ones put in.
    ///
    /// # Errors
    /// Another number of values than there are free parameters; values that are not finite.
    pub fn theta_full(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        ModelError::check_theta(theta, self.free.len())?;
        let mut full = self.theta.clone();
        self.free.iter().zip(theta).for_each(|(&i, value)| full[i] = *value);
        Ok(full)
    }
}

/// What to do with a trajectory.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How points become a density.
    pub view: View,
    /// The discretisation; by the time scale of the data if absent.
    pub scheme: Option<Discretisation>,
    /// Noise of the observations: nothing, a share of each standard deviation, or one standard deviation each.
    pub noise: Vec<f64>,
    /// Simulated trajectories per correction; 0 for no correction.
    pub replicates: usize,
    /// Most corrections; they end when what is left is noise.
    pub corrections: usize,
    /// Time between the points of the data, if known.
    pub dt: Option<f64>,
    /// Seed of the simulations.
    pub seed: u64,
}

impl Default for Settings {
    /// Multilinear weights, no noise, at most 8 corrections by 4 trajectories each.
    fn default() -> Self {
        Self {
            view: View::default(),
            scheme: None,
            noise: Vec::new(),
            replicates: 4,
            corrections: 8,
            dt: None,
            seed: 1,
        }
    }
}

impl Settings {
    /// Refuses settings that cannot work for a system of `dim` coordinates.
    ///
    /// # Errors
    /// Which field is not usable, and why.
    pub fn check(&self, dim: usize) -> Result<(), SettingsError> {
        let Self { replicates, corrections, dt, noise, .. } = self;
        if *replicates == 1 {
            return Err(SettingsError::OneReplicate);
        }
        if *replicates > MAX_REPLICATES {
            return Err(SettingsError::TooManyReplicates { replicates: *replicates, most: MAX_REPLICATES });
        }
        if *corrections > MAX_CORRECTIONS {
            return Err(SettingsError::TooManyCorrections { corrections: *corrections, most: MAX_CORRECTIONS });
        }
        if let Some(dt) = dt.filter(|dt| !is_step(*dt)) {
            return Err(SettingsError::TimeStep { dt });
        }
        if !(noise.len() < 2 || noise.len() == dim) || noise.iter().any(|n| !(*n >= 0.0 && n.is_finite())) {
            return Err(SettingsError::Noise { dim, noise: noise.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wngd_models::flow::system;

    use super::*;

    #[test]
    fn a_problem_has_parameters_that_exist() {
        let lorenz = system("lorenz63").unwrap();
        let make = |theta: &[f64], free: Option<&[usize]>| {
            Problem::new(lorenz.field.clone(), theta.to_vec(), free.map(<[usize]>::to_vec))
        };
        let problem = make(&[8.0, 24.0, 2.0], Some(&[2, 0])).unwrap();
        assert_eq!(problem.names(), ["beta", "sigma"]);
        assert_eq!(problem.start(), [2.0, 8.0]);
        assert_eq!(problem.theta_full(&[3.0, 9.0]).unwrap(), [9.0, 24.0, 3.0]);
        assert!(problem.theta_full(&[3.0]).is_err());
        assert!(matches!(make(&[8.0, 24.0], None), Err(IdentifyError::Model(_))));
        for free in [&[][..], &[3], &[1, 1]] {
            assert!(matches!(make(&[8.0, 24.0, 2.0], Some(free)), Err(IdentifyError::Free { .. })), "{free:?}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let refused = |settings: Settings| settings.check(3).unwrap_err().field();
        let usual = Settings::default;
        usual().check(3).unwrap();
        assert_eq!(refused(Settings { replicates: 1, ..usual() }), "replicates");
        assert_eq!(refused(Settings { replicates: usize::MAX, ..usual() }), "replicates");
        assert_eq!(refused(Settings { corrections: usize::MAX, ..usual() }), "corrections");
        assert_eq!(refused(Settings { dt: Some(f64::NAN), ..usual() }), "dt");
        for noise in [vec![0.1, 0.1], vec![-0.1], vec![0.0, 0.0, f64::INFINITY]] {
            assert_eq!(refused(Settings { noise, ..usual() }), "noise");
        }
        let error = IdentifyError::from(Settings { replicates: 1, ..usual() }.check(3).unwrap_err());
        assert!(error.to_string().starts_with("replicates: one simulated"), "{error}");
    }
}
