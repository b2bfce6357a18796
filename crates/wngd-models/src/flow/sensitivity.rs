use wngd_adjoint::LinearOp;
use wngd_linalg::faer::{Mat, MatMut, MatRef};

use crate::flow::finite_volume::FaceSensitivity;

/// E = ∂_θ(Aρ) of a flow at fixed ρ (k x p).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FlowSensitivity {
    /// Fluxes through faces (finite volumes).
    Faces(FaceSensitivity),
    /// A dense matrix (semi-Lagrangian).
    Dense(Mat<f64>),
}

impl LinearOp for FlowSensitivity {
    fn nrows(&self) -> usize {
        match self {
            FlowSensitivity::Faces(e) => e.nrows(),
            FlowSensitivity::Dense(e) => e.nrows(),
        }
    }
    fn ncols(&self) -> usize {
        match self {
            FlowSensitivity::Faces(e) => e.ncols(),
            FlowSensitivity::Dense(e) => e.ncols(),
        }
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        match self {
            FlowSensitivity::Faces(e) => e.apply(out, x),
            FlowSensitivity::Dense(e) => e.apply(out, x),
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        match self {
            FlowSensitivity::Faces(e) => e.apply_transpose(out, y),
            FlowSensitivity::Dense(e) => e.apply_transpose(out, y),
        }
    }
}
