//! From face densities to a factored Laplacian, checked on the constant potential.

use std::sync::Arc;

use super::analysis::Analysis;
use super::basins::{Basins, Jumps};
use super::choice;
use super::elimination::Elimination;
use super::factored::FactoredLaplacian;
use super::grounded::Grounded;
use super::iterative::{Attempt, IterativeLaplacian};
use super::plan::LaplacianPlan;
use super::report::{EliminationChoice, EliminationKind, LaplacianReport};
use super::support::{self, Support};
use super::weighted::WeightedLaplacian;
use crate::cholesky::{Cholesky, SymbolicCholesky};
use crate::divergence::{ACTIVE_DENSITY, check_density};
use crate::error::{LinalgError, check_vector};

/// Above this error of the constant potential Cholesky has lost digits to a valley
/// of the density, and the factorisation is redone without subtractions.
const CONSTANT_ERROR: f64 = 1e-10;

impl LaplacianPlan {
    /// Factors BBᵀ = D diag(ρ_f) Dᵀ on the complement of the constants.
    ///
    /// Each connected component of the open faces is grounded at its densest cell
    /// and the rest is scaled to unit diagonal, which removes the range of ρ from
    /// the condition number. One solve checks that the constant potential comes
    /// back; across a deep valley between two modes it does not (and no single pivot
    /// shows it), and the matrix is eliminated again without subtractions; the
    /// report says so.
    ///
    /// # Shapes
    /// `density`: k cells (used for grounding and the mass projection); `faces`: q
    /// face densities, as from [`face_densities`](crate::face_densities).
    ///
    /// Without elimination the check is a Krylov solve, and what it reports.
    ///
    /// # Errors
    /// Wrong lengths, NaN or negative entries, no mass; [`LinalgError::IterationLimit`] if that Krylov solve
    /// misses its tolerance; as [`new`](Self::new) where the analysis waited.
    pub fn factor(self: &Arc<Self>, density: &[f64], faces: &[f64]) -> Result<WeightedLaplacian, LinalgError> {
        self.factor_for(density, faces, usize::MAX)
    }

    /// As [`factor`](Self::factor), for so many columns: few of them on a large grid of the plane are solved by
    /// multigrid, which takes less time and memory than a factor. A valley that stops multigrid is eliminated.
    /// [`LaplacianReport::choice`] says why which way was taken.
    ///
    /// # Errors
    /// As [`factor`](Self::factor).
    pub fn factor_for(
        self: &Arc<Self>,
        density: &[f64],
        faces: &[f64],
        columns: usize,
    ) -> Result<WeightedLaplacian, LinalgError> {
        check_density(&self.grid, density)?;
        check_vector("face density", faces, self.grid.face_count())?;
        let n = self.grid.len();
        let conductance = self.conductances(faces);
        let degree = support::degrees(self, &conductance);
        let carried = (0..n).map(|i| if degree[i] > 0.0 || density[i] > ACTIVE_DENSITY { density[i] } else { 0.0 });
        let support = Support::new(self, density, &conductance);
        let kept = support::kept(&degree, &support);
        let eliminates = self.eliminates();
        let by_multigrid = choice::is_plane(&self.grid) && (!eliminates || choice::multigrid_pays(&self.grid, columns));
        let analysis = if by_multigrid { None } else { self.analysis()? };
        let mut grounded = Grounded {
            plan: self.clone(),
            places: analysis.map_or_else(|| self.in_order(), |analysis| analysis.places.clone()),
            faces: faces.to_vec(),
            density: carried.collect(),
            carries: degree.iter().map(|&d| d > 0.0).collect(),
            report: LaplacianReport {
                elimination: EliminationKind::Cholesky,
                choice: EliminationChoice::Grid,
                components: support.ground.iter().filter(|&&g| density[g] > ACTIVE_DENSITY).count(),
                voids: 0,
                inactive_cells: (0..n).filter(|&i| degree[i] <= 0.0 && density[i] <= ACTIVE_DENSITY).count(),
                constant_error: f64::INFINITY,
                krylov: None,
            },
            scale: (0..n).map(|i| if kept[i] { 1.0 / degree[i].sqrt() } else { 0.0 }).collect(),
            support,
            jumps: None,
        };
        if choice::multigrid_pays(&self.grid, 1) {
            grounded.report.choice = EliminationChoice::Columns;
        }
        if by_multigrid {
            grounded = match IterativeLaplacian::by_multigrid(grounded, &conductance)? {
                Attempt::Solves(laplacian) => return Ok(WeightedLaplacian::Iterative(laplacian)),
                Attempt::Stopped { limit, .. } if !eliminates => return Err(limit),
                Attempt::Stopped { grounded, .. } => *grounded,
            };
            grounded.report.choice = EliminationChoice::Valley;
        }
        match self.analysis()? {
            Some(analysis) => {
                grounded.places = analysis.places.clone();
                Ok(WeightedLaplacian::Factored(Box::new(analysis.eliminate(grounded, conductance, &kept))))
            }
            None => match IterativeLaplacian::by_bicgstab(grounded, &conductance, &degree, &kept)? {
                Attempt::Solves(laplacian) => Ok(WeightedLaplacian::Iterative(laplacian)),
                Attempt::Stopped { limit, .. } => Err(limit),
            },
        }
    }
}

impl Analysis {
    /// Cholesky, and without subtractions where that loses the constant potential; basin by basin where voids part them.
    fn eliminate(&self, grounded: Grounded, conductance: Vec<f64>, kept: &[bool]) -> FactoredLaplacian {
        let Self { symbolic, face_entry, diagonal_entry, .. } = self;
        let mut lower = vec![0.0; symbolic.pattern().1.len()];
        for &entry in diagonal_entry {
            lower[entry] = 1.0;
        }
        grounded.plan.for_each_face(|face, left, right| {
            lower[face_entry[face]] = -conductance[face] * grounded.scale[left] * grounded.scale[right];
        });
        let grounded = match Cholesky::new(symbolic.clone(), &lower) {
            Ok(cholesky) => {
                let found = FactoredLaplacian::checked(grounded, Elimination::Cholesky(cholesky), &conductance, kept);
                if found.report().constant_error <= CONSTANT_ERROR {
                    return found;
                }
                found.grounded
            }
            Err(_) => grounded,
        };
        let mut parted = conductance.clone();
        let basins = Basins::part(&grounded.plan, &grounded.density, &mut parted, &grounded.support);
        match basins.and_then(|basins| Jumps::new(basins, &grounded.plan, &grounded.density, symbolic, &conductance)) {
            Some(jumps) => FactoredLaplacian::parted(grounded, jumps, symbolic, &parted),
            None => FactoredLaplacian::without_subtraction(grounded, symbolic, &conductance, kept),
        }
    }
}

impl FactoredLaplacian {
    /// Basin by basin, with the voids closed in `conductance` and the jumps across them known.
    fn parted(mut grounded: Grounded, jumps: Jumps, symbolic: &SymbolicCholesky, conductance: &[f64]) -> Self {
        grounded.support = jumps.basins.support.clone();
        grounded.report.voids = jumps.basins.voids.len();
        grounded.jumps = Some(jumps);
        let kept = support::kept(&support::degrees(&grounded.plan, conductance), &grounded.support);
        Self::without_subtraction(grounded, symbolic, conductance, &kept)
    }
}
