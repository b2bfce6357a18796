//! Distances d(ρ, ρ*) between a state and the data, with their derivatives in ρ.

mod divergence;
mod least_squares;
mod sobolev;
mod wasserstein;

pub use divergence::KullbackLeibler;
pub use least_squares::LeastSquaresMisfit;
pub use sobolev::NegativeSobolev;
pub use wasserstein::{LinearisedWasserstein, Wasserstein};

use wngd_adjoint::State;
use wngd_linalg::LinalgError;
use wngd_linalg::faer::Mat;

use crate::error::ObjectiveError;

/// A distance f(ρ) = d(ρ, ρ*) from a fixed density ρ*.
///
/// # Shapes
/// States and derivatives have k values. The gradient in parameters is
/// |c| Zᵀu with u = [`derivative`](Objective::derivative) and |c| =
/// [`cell_volume`](Objective::cell_volume).
pub trait Objective: Sync {
    /// Short name, as in experiment files.
    fn name(&self) -> &'static str;
    /// The data ρ*.
    fn data(&self) -> &[f64];
    /// Weight |c| of a cell in sums that stand for integrals; 1 for plain vectors.
    fn cell_volume(&self) -> f64;
    /// f(ρ).
    ///
    /// # Errors
    /// States for which the distance is not defined.
    fn value(&self, state: &State) -> Result<f64, ObjectiveError>;
    /// f(ρ) and u = ∂_ρ f, the derivative as a function on the cells.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    fn derivative(&self, state: &State) -> Result<(f64, Vec<f64>), ObjectiveError>;
    /// The Gauss–Newton curvature W Z: how u moves when the state moves along the
    /// columns of Z (k x p), up to terms that vanish with the misfit.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    fn curvature(&self, state: &State, z: Mat<f64>) -> Result<Mat<f64>, ObjectiveError>;
}

/// A state of as many values as the data have.
fn check_state(state: &State, expected: usize) -> Result<(), ObjectiveError> {
    let lengths = std::iter::once(&state.values).chain(&state.log_values).map(Vec::len);
    check_lengths("state", lengths, expected)
}

/// Tangents of as many rows as the data have values.
fn check_tangents(state: &State, z: &Mat<f64>, expected: usize) -> Result<(), ObjectiveError> {
    check_state(state, expected)?;
    check_lengths("a column of the Jacobian", std::iter::once(z.nrows()), expected)
}

fn check_lengths(
    what: &'static str,
    mut lengths: impl Iterator<Item = usize>,
    expected: usize,
) -> Result<(), ObjectiveError> {
    match lengths.find(|found| *found != expected) {
        Some(found) => Err(ObjectiveError::State(LinalgError::Shape { what, expected, found })),
        None => Ok(()),
    }
}
