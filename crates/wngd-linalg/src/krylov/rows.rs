//! One direction of a matrix with its preconditioner.

use super::coarse::Coarse;
use super::compressed::Compressed;
use super::incomplete_lu::IncompleteLu;

/// One direction of the matrix: its rows, its incomplete LU, and the columns summed over aggregates.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) a: Compressed<f64>,
    pub(super) ilu: IncompleteLu,
    /// AP, with the aggregates' weights in the columns of P.
    pub(super) ap: Option<Compressed<f64>>,
}

impl Rows {
    pub(super) fn new(a: Compressed<f64>, ilu: IncompleteLu, coarse: Option<&Coarse>) -> Self {
        let ap = coarse.map(|coarse| coarse.columns(&a));
        Self { a, ilu, ap }
    }

    pub(super) fn transposed(&self, coarse: Option<&Coarse>) -> Self {
        Self::new(self.a.transposed(false), self.ilu.transposed(), coarse)
    }
}
