use wngd_adjoint::{ForwardModel, ModelError};
use wngd_linalg::dense::{gram, symmetric_eigen};
use wngd_linalg::faer::Mat;
use wngd_linalg::{LinalgError, LinearOp};

use crate::curvature::gauss_newton_curvature;
use crate::error::ObjectiveError;
use crate::objective::Objective;
use thiserror::Error;

/// What can go wrong when standard errors are computed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UncertaintyError {
    /// The model failed at the estimate.
    #[error("model: {0}")]
    Model(#[from] ModelError),
    /// The objective's curvature could not be evaluated.
    #[error("objective: {0}")]
    Objective(#[from] ObjectiveError),
    /// A decomposition failed.
    #[error(transparent)]
    Linalg(#[from] LinalgError),
    /// Some combination of parameters does not change the objective.
    #[error(
        "the curvature has rank {rank} of {size}: the data do not determine every parameter, so some have no standard error; fix one of them"
    )]
    Singular {
        /// Rank found.
        rank: usize,
        /// Number of parameters.
        size: usize,
    },
}

/// Covariance of the estimate θ̂ = argmin f when the data density is made of N
/// independent samples: the sandwich H⁻¹ J H⁻¹ with H = |c| ZᵀWZ (Gauss–Newton) and
/// J = Var(|c| ZᵀW ρ*) = (|c| Σ ρ q qᵀ − m mᵀ)/N, q = rows of WZ, m = |c| Σ ρ q.
///
/// For Kullback–Leibler it is the inverse Fisher information over N.
///
/// # Shapes
/// `theta`: p; result: p x p.
///
/// # Cost
/// One linearisation, one application of the curvature W, k p² flops.
///
/// # Errors
/// Failed evaluations; [`UncertaintyError::Singular`] where parameters are not determined.
pub fn sampling_covariance<M: ForwardModel>(
    model: &M,
    objective: &dyn Objective,
    theta: &[f64],
    samples: usize,
) -> Result<Mat<f64>, UncertaintyError> {
    let linearization = model.linearize(theta)?;
    let state = linearization.state;
    let z = linearization.jacobian.into_dense();
    let (k, p, c) = (z.nrows(), z.ncols(), objective.cell_volume());
    let q = objective.curvature(&state, z.clone())?;
    let weighted = Mat::from_fn(k, p, |i, j| q[(i, j)] * (c * state.values[i].max(0.0)).sqrt());
    let mean: Vec<f64> = (0..p).map(|j| (0..k).map(|i| c * state.values[i].max(0.0) * q[(i, j)]).sum()).collect();
    let mut j_matrix = gram(weighted.as_ref());
    for i in 0..p {
        for j in 0..p {
            j_matrix[(i, j)] = (j_matrix[(i, j)] - mean[i] * mean[j]) / samples as f64;
        }
    }
    sandwich_covariance(&gauss_newton_curvature(&z, &q, c), &j_matrix)
}

/// H⁻¹ J H⁻¹: covariance of argmin f from the curvature H of f and the covariance J of its gradient.
///
/// # Shapes
/// Both p x p, symmetric; result: p x p.
///
/// # Errors
/// [`UncertaintyError::Singular`] where H does not determine every parameter.
pub fn sandwich_covariance(curvature: &Mat<f64>, noise: &Mat<f64>) -> Result<Mat<f64>, UncertaintyError> {
    let inverse = inverse_symmetric(curvature)?;
    Ok(&inverse * noise * &inverse)
}

/// Inverse of a positive definite matrix after scaling to unit diagonal.
fn inverse_symmetric(h: &Mat<f64>) -> Result<Mat<f64>, UncertaintyError> {
    let p = h.nrows();
    let scale: Vec<f64> = (0..p).map(|i| h[(i, i)].max(0.0).sqrt()).collect();
    let scaled =
        Mat::from_fn(
            p,
            p,
            |i, j| {
                if scale[i] > 0.0 && scale[j] > 0.0 { h[(i, j)] / (scale[i] * scale[j]) } else { 0.0 }
            },
        );
    let (values, vectors) = symmetric_eigen(scaled.as_ref())?;
    let largest = values.last().copied().unwrap_or(0.0);
    let rank = values.iter().filter(|&&v| v > 1e-12 * largest).count();
    if rank < p {
        return Err(UncertaintyError::Singular { rank, size: p });
    }
    Ok(Mat::from_fn(p, p, |i, j| {
        (0..p).map(|l| vectors[(i, l)] * vectors[(j, l)] / values[l]).sum::<f64>() / (scale[i] * scale[j])
    }))
}

/// Square roots of the diagonal of a covariance matrix.
pub fn standard_errors(covariance: &Mat<f64>) -> Vec<f64> {
    (0..covariance.nrows()).map(|i| covariance[(i, i)].max(0.0).sqrt()).collect()
}
