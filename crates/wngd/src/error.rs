use thiserror::Error;

/// Anything that the parts of wngd can answer with: for programs that pass errors on without sorting them.
///
/// ```
/// use wngd::prelude::*;
///
/// fn fit() -> Result<Vec<f64>, wngd::Error> {
///     let grid = Grid::new(&[-5.0], &[5.0], &[100])?;
///     let normal = |mean: f64| MixtureParameters {
///         weights: vec![1.0],
///         means: vec![vec![mean]],
///         covariances: Covariances::Identity,
///     };
///     let model = GaussianMixture::new(grid.clone(), normal(-1.0), &["means"])?;
///     let objective = LeastSquaresMisfit::new(&grid, model.state(&[1.0])?.values)?;
///     Ok(Descent::new(&model, &objective).run(&[-1.0])?.last().theta.clone())
/// }
/// assert!((fit()?[0] - 1.0).abs() < 1e-5);
/// # Ok::<(), wngd::Error>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A grid, an operator or a factorisation.
    #[error(transparent)]
    Linalg(#[from] wngd_linalg::LinalgError),
    /// A model.
    #[error(transparent)]
    Model(#[from] wngd_adjoint::ModelError),
    /// A mixture.
    #[error(transparent)]
    Mixture(#[from] wngd_models::MixtureError),
    /// Samples as data.
    #[error(transparent)]
    Observe(#[from] wngd_models::ObserveError),
    /// Points of a trajectory as data.
    #[error(transparent)]
    Trajectory(#[from] wngd_models::TrajectoryError),
    /// An objective.
    #[error(transparent)]
    Objective(#[from] wngd_opt::ObjectiveError),
    /// A metric.
    #[error(transparent)]
    Metric(#[from] wngd_opt::MetricError),
    /// A direction.
    #[error(transparent)]
    Direction(#[from] wngd_opt::DirectionError),
    /// A descent.
    #[error(transparent)]
    Descent(#[from] wngd_opt::DescentError),
    /// Standard errors.
    #[error(transparent)]
    Uncertainty(#[from] wngd_opt::UncertaintyError),
    /// An optimal transport problem.
    #[error(transparent)]
    Transport(#[from] wngd_transport::TransportError),
    /// A mixture to samples.
    #[error(transparent)]
    Fit(#[from] wngd_fit::FitError),
    /// A simulation.
    #[error(transparent)]
    Simulate(#[from] wngd_identify::SimulateError),
    /// An identification.
    #[error(transparent)]
    Identify(#[from] wngd_identify::IdentifyError),
}
