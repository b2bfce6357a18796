//! The elimination behind a factored Laplacian.

use crate::cholesky::Cholesky;
use crate::elimination::SubtractionFree;

#[derive(Debug)]
pub(super) enum Elimination {
    Cholesky(Cholesky),
    SubtractionFree(SubtractionFree),
}

impl Elimination {
    /// `alone`: no other panel is at work, and the parts of the factor may be.
    pub(super) fn forward<const W: usize>(&self, x: &mut [f64], alone: bool) {
        match self {
            Elimination::Cholesky(f) => f.forward_panel::<W>(x, alone),
            Elimination::SubtractionFree(f) => f.forward_panel::<W>(x),
        }
    }
    pub(super) fn backward<const W: usize>(&self, x: &mut [f64], alone: bool) {
        match self {
            Elimination::Cholesky(f) => f.backward_panel::<W>(x, alone),
            Elimination::SubtractionFree(f) => f.backward_panel::<W>(x),
        }
    }
    pub(super) fn multiply_transpose(&self, u: &[f64]) -> Vec<f64> {
        match self {
            Elimination::Cholesky(f) => f.multiply_transpose(u),
            Elimination::SubtractionFree(f) => f.multiply_transpose(u),
        }
    }
}
