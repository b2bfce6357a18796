//! The elimination behind a weighted Laplacian.

use crate::cholesky::Cholesky;
use crate::divergence::Divergence;
use crate::elimination::SubtractionFree;
use crate::krylov::BiCgStab;

#[derive(Debug)]
pub(super) enum Elimination {
    /// Cholesky broke down; replaced before the factorisation is handed out.
    None,
    Cholesky(Cholesky),
    SubtractionFree(SubtractionFree),
    /// A solver of the scaled matrix, and B.
    Krylov(Box<(BiCgStab, Divergence)>),
}

impl Elimination {
    pub(super) fn forward<const W: usize>(&self, x: &mut [f64]) {
        match self {
            Elimination::None | Elimination::Krylov(_) => {}
            Elimination::Cholesky(f) => f.forward_panel::<W>(x),
            Elimination::SubtractionFree(f) => f.forward_panel::<W>(x),
        }
    }
    pub(super) fn backward<const W: usize>(&self, x: &mut [f64]) {
        match self {
            Elimination::None | Elimination::Krylov(_) => {}
            Elimination::Cholesky(f) => f.backward_panel::<W>(x),
            Elimination::SubtractionFree(f) => f.backward_panel::<W>(x),
        }
    }
}
