use wngd_adjoint::{Factorization, ModelError, SparseLu};
use wngd_linalg::dense::{as_column_mut, sum};
use wngd_linalg::faer::MatMut;
use wngd_linalg::{BiCgStab, DominantLu, KrylovStats};

/// Which linear solver a [`StationaryDensity`](crate::flow::StationaryDensity) uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// Direct up to 10⁶ cells in one dimension, 40 000 in two, 10 000 in three (2000 for the semi-Lagrangian
    /// scheme); Krylov otherwise. If Krylov misses its tolerance on the state and the grid has at most 150 000
    /// cells, A is factored instead. [`FlowReport::solver`] is what was used in the end, [`FlowReport::krylov`]
    /// tells of an attempt that failed.
    #[default]
    Auto,
    /// Sparse LU; in three dimensions it pays up to 150 000 cells where 150 or more solves per θ follow.
    Direct,
    /// BiCGSTAB.
    Krylov,
}

/// The linear solver that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SolverUsed {
    /// Multifrontal LU on the diagonal.
    DominantLu,
    /// Sparse LU with nested dissection of the grid.
    NestedDissectionLu,
    /// Sparse LU with a column minimum-degree ordering.
    ColamdLu,
    /// BiCGSTAB, preconditioned by an incomplete LU in flow order.
    BiCgStab,
}

impl std::fmt::Display for SolverUsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SolverUsed::DominantLu => "multifrontal LU",
            SolverUsed::NestedDissectionLu => "sparse LU (nested dissection)",
            SolverUsed::ColamdLu => "sparse LU (COLAMD)",
            SolverUsed::BiCgStab => "BiCGSTAB",
        })
    }
}

/// What the solves at one θ met.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowReport {
    /// Linear solver used.
    pub solver: SolverUsed,
    /// Cells k.
    pub cells: usize,
    /// Stored entries of A.
    pub nonzeros: usize,
    /// Entries of the factors, for a direct solver.
    pub fill: Option<usize>,
    /// All Krylov solves so far: iterations, worst residual, misses; beside a direct solver, those
    /// of the attempt that it replaced.
    pub krylov: Option<KrylovStats>,
    /// ‖κ/k − Ap‖₁ / max diag A of the state found.
    pub state_residual: f64,
    /// Share of the mass in the 8 heaviest cells.
    pub concentration: f64,
    /// Whether more than half of the mass sits in these cells though nothing but upwinding
    /// holds it there: use diffusion, Scharfetter–Gummel, or the semi-Lagrangian scheme.
    pub spurious_sink: bool,
}

#[derive(Debug)]
pub(crate) enum Inverse {
    Dominant(DominantLu),
    Lu(Box<SparseLu>),
    Krylov(Box<BiCgStab>),
}

impl Inverse {
    pub(crate) fn solve(&self, b: &mut [f64]) -> Result<(), ModelError> {
        let column = as_column_mut(b);
        if let Inverse::Krylov(krylov) = self {
            krylov.solve(column, false)?;
        } else {
            self.factorization().apply_inverse(column);
        }
        Ok(())
    }

    fn factorization(&self) -> &dyn Factorization {
        match self {
            Inverse::Dominant(lu) => lu,
            Inverse::Lu(lu) => &**lu,
            Inverse::Krylov(krylov) => &**krylov,
        }
    }

    pub(crate) fn fill(&self) -> Option<usize> {
        match self {
            Inverse::Dominant(lu) => Some(lu.report().fill),
            Inverse::Lu(lu) => Some(lu.report().fill),
            Inverse::Krylov(_) => None,
        }
    }
}

/// The inverse of A on the complement of its mass direction.
///
/// A has the slow eigenvalue κ with right vector p and left vector 1. Parameters move no mass
/// (1ᵀE = 0), so this pair is split off: `apply_inverse` gives (I − p1ᵀ)A⁻¹b and
/// `apply_inverse_transpose` its transpose A⁻ᵀ(h − (pᵀh)1), which saves the digits that the
/// factor 1/κ would cost. On right-hand sides without mass both are A⁻¹ and A⁻ᵀ exactly, and
/// hᵀZ = −λᵀE is unchanged for every h.
///
/// Krylov solves at application may miss their tolerance: [`report`](Self::report) says so.
#[derive(Debug)]
pub struct FlowFactor {
    pub(crate) inverse: Inverse,
    pub(crate) p: Vec<f64>,
    pub(crate) report: FlowReport,
}

impl FlowFactor {
    /// What the solves met, up to now.
    pub fn report(&self) -> FlowReport {
        let krylov = match &self.inverse {
            Inverse::Krylov(krylov) => Some(krylov.stats()),
            _ => self.report.krylov,
        };
        FlowReport { krylov, ..self.report.clone() }
    }
}

impl Factorization for FlowFactor {
    fn dim(&self) -> usize {
        self.p.len()
    }
    fn apply_inverse(&self, b: MatMut<'_, f64>) {
        let mut b = b;
        self.inverse.factorization().apply_inverse(b.as_mut());
        for j in 0..b.ncols() {
            let mass = sum((0..b.nrows()).map(|i| b[(i, j)]));
            for i in 0..b.nrows() {
                b[(i, j)] -= mass * self.p[i];
            }
        }
    }
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) {
        let mut b = b;
        for j in 0..b.ncols() {
            let mean = sum((0..b.nrows()).map(|i| b[(i, j)] * self.p[i]));
            for i in 0..b.nrows() {
                b[(i, j)] -= mean;
            }
        }
        self.inverse.factorization().apply_inverse_transpose(b);
    }
}
