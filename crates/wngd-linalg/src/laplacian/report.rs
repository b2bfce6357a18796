//! What a factorisation met, and the mass that a tangent would have to create.

use crate::krylov::KrylovStats;

/// How a weighted Laplacian was eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EliminationKind {
    /// Supernodal Cholesky of the matrix scaled to unit diagonal.
    Cholesky,
    /// Subtraction-free elimination, chosen because Cholesky did not reproduce the constant potential.
    SubtractionFree,
    /// None: Krylov solves with an incomplete factorisation and aggregates, on three-dimensional grids of
    /// more than 48³ cells. [`LaplacianReport::krylov`] tells how they went.
    Krylov,
    /// None: conjugate gradients with multigrid, for few columns on large grids of the plane.
    /// [`LaplacianReport::krylov`] tells how they went.
    Multigrid,
}

/// Why a weighted Laplacian was eliminated, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EliminationChoice {
    /// Grids of this kind and size are always treated so.
    Grid,
    /// So many columns are whitened sooner in this way.
    Columns,
    /// Multigrid would have been sooner, but a valley of the density stopped it.
    Valley,
}

impl std::fmt::Display for EliminationChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EliminationChoice::Grid => "the only way for this grid",
            EliminationChoice::Columns => "the sooner for so many columns",
            EliminationChoice::Valley => "multigrid did not reach its tolerance across a valley of the density",
        })
    }
}

impl std::fmt::Display for EliminationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EliminationKind::Cholesky => "cholesky",
            EliminationKind::SubtractionFree => "subtraction-free",
            EliminationKind::Krylov => "bicgstab",
            EliminationKind::Multigrid => "multigrid",
        })
    }
}

/// What a factorisation met.
#[derive(Debug, Clone, PartialEq)]
pub struct LaplacianReport {
    /// Algorithm used.
    pub elimination: EliminationKind,
    /// Why that one.
    pub choice: EliminationChoice,
    /// Connected components of the support that hold mass.
    pub components: usize,
    /// Voids within these components, valleys deeper than 1e-17, across which the mass that jumps is kept apart from
    /// the transport within basins.
    pub voids: usize,
    /// Cells without usable density.
    pub inactive_cells: usize,
    /// Largest error with which the factorisation used reproduces the potential 1
    /// from its flow into the ground; measures what valleys of the density cost. With multigrid, estimated relative
    /// error in the energy norm of moving all mass askew through the box.
    pub constant_error: f64,
    /// All Krylov solves so far, where there is no factor: columns that missed the tolerance
    /// are counted, not refused.
    pub krylov: Option<KrylovStats>,
}

/// Mass that a tangent would have to create, removed before whitening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MassLeak {
    /// |1ᵀz| / ‖z‖₁ per column: the relative mass leak removed by z ← z − ρ (1ᵀz)/(1ᵀρ).
    pub relative: Vec<f64>,
    /// Mass per unit parameter that would have to jump between components of the
    /// support (infinite W₂ cost), per column; 0 for a connected support.
    pub between_components: Vec<f64>,
}
