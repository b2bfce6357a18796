//! Solves and whitening without a factor, by Krylov iterations.

use faer::Mat;

use super::grounded::{FinishPanel, Grounded, tangent_fields};
use super::panel::store;
use super::report::{EliminationKind, LaplacianReport, MassLeak};
use crate::dense::as_column_mut;
use crate::divergence::Divergence;
use crate::error::LinalgError;
use crate::krylov::{BiCgStab, KrylovOptions};
use crate::operator::{Factorization, LinearOp, apply_transpose_vec};
use crate::sparse::SparseMatrix;

/// The weighted Laplacian BBᵀ of one density, solved by Krylov iterations.
///
/// There is no factor C to whiten with: [`whiten`](Self::whiten) gives the tangent fields Y = B†Z = Bᵀφ themselves.
#[derive(Debug)]
pub struct IterativeLaplacian {
    pub(super) grounded: Grounded,
    /// Solver of the scaled matrix.
    solver: BiCgStab,
    divergence: Divergence,
}

/// The projected and scaled tangents themselves, which the Krylov solver takes; its order is that of the cells.
struct Scaled;

impl FinishPanel for Scaled {
    fn finish<const W: usize>(&self, x: &mut [f64], mut columns: Vec<&mut [f64]>, _: &[Vec<f64>]) {
        store::<W>(&mut columns, |i| i, |_| 1.0, x);
    }
}

impl IterativeLaplacian {
    /// Prepares solves of the scaled matrix and makes one, of the constant potential. Slow modes of the matrix look
    /// like √degree times a smooth potential, so these are the weights of the aggregates.
    pub(super) fn new(
        mut grounded: Grounded,
        conductance: &[f64],
        degree: &[f64],
        kept: &[bool],
    ) -> Result<Self, LinalgError> {
        let (n, scale) = (degree.len(), &grounded.scale);
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|i| vec![(i, 1.0)]).collect();
        grounded.plan.for_each_face(|face, left, right| {
            let value = -conductance[face] * scale[left] * scale[right];
            if value != 0.0 {
                columns[left].push((right, value));
                columns[right].push((left, value));
            }
        });
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for mut column in columns {
            column.sort_unstable_by_key(|e| e.0);
            rows.extend(column.iter().map(|e| e.0));
            values.extend(column.iter().map(|e| e.1));
            col_ptr.push(rows.len());
        }
        let matrix = SparseMatrix::new(n, col_ptr, rows, values)?;
        let weights: Vec<f64> = (0..n).map(|i| if scale[i] > 0.0 { degree[i].sqrt() } else { 0.0 }).collect();
        // Cubes without a cell that takes part would make the second level singular.
        let (mut labels, mut renamed, mut count) = (grounded.plan.grid.cubes(), vec![usize::MAX; n], 0);
        for (label, &weight) in labels.iter_mut().zip(&weights) {
            if weight == 0.0 {
                *label = 0;
                continue;
            }
            let name = &mut renamed[*label];
            if *name == usize::MAX {
                (*name, count) = (count, count + 1);
            }
            *label = *name;
        }
        let options = KrylovOptions::default();
        let solver = match count {
            0 => BiCgStab::new(&matrix, options)?,
            _ => BiCgStab::with_weighted_aggregates(&matrix, options, &labels, &weights)?,
        };
        let divergence = Divergence::from_faces(&grounded.plan.grid, &grounded.faces)?;
        grounded.report.elimination = EliminationKind::Krylov;
        let mut current = grounded.constant_current(conductance, kept);
        solver.apply_inverse(as_column_mut(&mut current));
        grounded.report.constant_error = grounded.constant_error(kept, current.into_iter());
        Ok(Self { grounded, solver, divergence })
    }

    /// What the preparation met, and the solves up to now.
    pub fn report(&self) -> LaplacianReport {
        LaplacianReport { krylov: Some(self.solver.stats()), ..self.grounded.report.clone() }
    }

    /// Y = B†Z of the mass-projected columns.
    ///
    /// # Shapes
    /// `z`: k x p; result: q x p and the mass leak removed, p.
    ///
    /// # Cost
    /// One Krylov solve per column.
    pub fn whiten(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let (phi, leak) = self.solve(z);
        (tangent_fields(&self.divergence, &phi), leak)
    }

    /// Lᵀξ for the map L: Z ↦ Y of [`whiten`](Self::whiten): probes of Y as probes of Z, YᵀΞ = Zᵀ(LᵀΞ).
    ///
    /// # Shapes
    /// `xi`: q x r; result: k x r.
    ///
    /// # Cost
    /// One Krylov solve per column.
    pub fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        // L = BᵀSP with the symmetric grounded solve S; what B makes has no mass to project out.
        let mut divergence = Mat::zeros(self.grounded.density.len(), xi.ncols());
        self.divergence.apply(divergence.as_mut(), xi.as_ref());
        let mut phi = self.solve(divergence).0;
        (0..phi.ncols()).for_each(|j| self.grounded.project_transpose(phi.col_as_slice_mut(j)));
        phi
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells; k x p.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.grounded.solve_panels(z.as_mut(), &Scaled);
        self.solver.apply_inverse(z.as_mut());
        for j in 0..z.ncols() {
            for (i, scale) in self.grounded.scale.iter().enumerate() {
                z[(i, j)] *= scale;
            }
        }
        (z, leak)
    }

    /// The derivative u of an objective in the coordinates of [`whiten`](Self::whiten): Bᵀu.
    ///
    /// # Shapes
    /// `u`: k; result: q.
    pub fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        apply_transpose_vec(&self.divergence, u)
    }

    /// As [`WeightedLaplacian::project_derivative`](crate::WeightedLaplacian::project_derivative).
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        self.grounded.project_derivative(u)
    }
}
