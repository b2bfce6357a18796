//! Solves and half-whitening by a factor C of the grounded Laplacian.

use faer::{Mat, MatMut};
use rayon::prelude::*;

use super::elimination::Elimination;
use super::grounded::{FinishPanel, Grounded};
use super::panel::store;
use super::report::{EliminationKind, LaplacianReport, MassLeak};
use crate::cholesky::{PANEL, SymbolicCholesky};
use crate::dense::{column_pieces, contiguous_columns};

/// The factored weighted Laplacian BBᵀ of one density.
///
/// With `P BBᵀ Pᵀ = C Cᵀ` on the grounded cells, [`whiten`](Self::whiten) gives
/// X = C⁻¹PZ, which has the Gram matrix and the R factor of Y = B†Z at half the
/// solve and fewer rows.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use faer::Mat;
/// use wngd_linalg::{FaceMean, Grid, LaplacianPlan, dense, face_densities};
/// let grid = Grid::new(&[-6.0], &[6.0], &[240])?;
/// let rho: Vec<f64> = grid.centers(0).iter().map(|x| (-x * x / 2.0).exp() / 2.5066282746310002).collect();
/// let plan = Arc::new(LaplacianPlan::new(&grid)?);
/// let laplacian = plan.factor(&rho, &face_densities(&grid, &rho, FaceMean::Arithmetic, 0.0)?)?;
/// let factored = laplacian.factored().expect("a grid of one axis is eliminated");
/// // Moving a Gaussian costs its distance: G_W2 = 1 for its mean.
/// let z = Mat::from_fn(240, 1, |i, _| grid.centers(0)[i] * rho[i]);
/// let (x, _) = factored.whiten(z);
/// let information = grid.cell_volume() * dense::gram(x.as_ref())[(0, 0)];
/// assert!((information - 1.0).abs() < 1e-3);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug)]
pub struct FactoredLaplacian {
    pub(super) grounded: Grounded,
    pub(super) elimination: Elimination,
}

/// X = C⁻¹PZ, rows in elimination order.
struct Half<'a>(&'a FactoredLaplacian);

/// φ = PᵀC⁻ᵀC⁻¹PZ, rows in cell order.
struct Full<'a>(&'a FactoredLaplacian);

impl FinishPanel for Half<'_> {
    fn finish<const W: usize>(&self, x: &mut [f64], mut columns: Vec<&mut [f64]>, across: &[Vec<f64>], alone: bool) {
        let FactoredLaplacian { grounded, elimination } = self.0;
        elimination.forward::<W>(x, alone);
        if let Some(jumps) = &grounded.jumps {
            for (w, across) in across.iter().enumerate() {
                for (cell, value) in jumps.rows(across) {
                    x[grounded.places.position[cell] * W + w] = value;
                }
            }
        }
        store::<W>(&mut columns, |i| i, |_| 1.0, x);
    }
}

impl FinishPanel for Full<'_> {
    fn finish<const W: usize>(&self, x: &mut [f64], mut columns: Vec<&mut [f64]>, across: &[Vec<f64>], alone: bool) {
        let FactoredLaplacian { grounded, elimination } = self.0;
        elimination.forward::<W>(x, alone);
        elimination.backward::<W>(x, alone);
        store::<W>(&mut columns, |i| grounded.places.position[i], |i| grounded.scale[i], x);
        if let Some(jumps) = &grounded.jumps {
            columns.into_iter().zip(across).for_each(|(column, across)| jumps.add_heights(across, column));
        }
    }
}

impl FactoredLaplacian {
    /// Takes an elimination and sees how well it reproduces the constant potential.
    pub(super) fn checked(grounded: Grounded, elimination: Elimination, conductance: &[f64], kept: &[bool]) -> Self {
        let mut x = vec![0.0; kept.len() * 4];
        let current = grounded.constant_current(conductance, kept);
        x.iter_mut().step_by(4).zip(current).for_each(|(x, current)| *x = current);
        elimination.forward::<4>(&mut x, true);
        elimination.backward::<4>(&mut x, true);
        let error = grounded.constant_error(kept, x.into_iter().step_by(4));
        let mut found = Self { grounded, elimination };
        found.grounded.report.constant_error = error;
        found
    }

    /// The same without subtractions, which works on the unscaled matrix.
    pub(super) fn without_subtraction(
        mut grounded: Grounded,
        symbolic: &SymbolicCholesky,
        conductance: &[f64],
        kept: &[bool],
    ) -> Self {
        let elimination = grounded.plan.eliminate_without_subtraction(symbolic, conductance, kept);
        grounded.scale = kept.iter().map(|&k| if k { 1.0 } else { 0.0 }).collect();
        grounded.report.elimination = EliminationKind::SubtractionFree;
        Self::checked(grounded, elimination, conductance, kept)
    }

    /// What the factorisation met.
    pub fn report(&self) -> LaplacianReport {
        self.grounded.report.clone()
    }

    /// X = C⁻¹PZ of the mass-projected columns, in place.
    ///
    /// # Shapes
    /// `z`: k x p; result: k x p (rows in elimination order) and the mass leak removed, p.
    ///
    /// # Cost
    /// One forward solve per column, in panels of 16, panels in parallel; no copy of `z`.
    pub fn whiten(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.grounded.solve_panels(z.as_mut(), &Half(self));
        (z, leak)
    }

    /// Lᵀξ for the map L: Z ↦ X of [`whiten`](Self::whiten): probes of X as probes of Z,
    /// XᵀΞ = Zᵀ(LᵀΞ). In place.
    ///
    /// # Shapes
    /// `xi`: k x r, rows in elimination order; result: k x r in cell order.
    ///
    /// # Cost
    /// One backward solve per column.
    pub fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        let mut h = xi;
        let pieces = column_pieces(h.as_mut(), PANEL);
        let alone = pieces.len() == 1;
        pieces.into_par_iter().for_each(|piece| self.transposed_panel(piece, alone));
        h
    }

    fn transposed_panel(&self, piece: MatMut<'_, f64>, alone: bool) {
        const W: usize = PANEL;
        let Grounded { places, scale, .. } = &self.grounded;
        let (order, position) = (&places.order, &places.position);
        let columns = contiguous_columns(piece);
        let mut x = vec![0.0; order.len() * W];
        for (w, column) in columns.iter().enumerate() {
            for (row, &value) in x.chunks_exact_mut(W).zip(column.iter()) {
                row[w] = value;
            }
        }
        let probes: Vec<Vec<f64>> = match &self.grounded.jumps {
            Some(jumps) => columns.iter().map(|c| jumps.cells().map(|cell| c[position[cell]]).collect()).collect(),
            None => Vec::new(),
        };
        // Rows of grounded and inactive cells are no other part of X.
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            if scale[i] == 0.0 {
                row.fill(0.0);
            }
        }
        self.elimination.backward::<W>(&mut x, alone);
        for (w, column) in columns.into_iter().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = scale[i] * x[position[i] * W + w];
            }
            self.grounded.project_transpose(column);
            if let Some(jumps) = &self.grounded.jumps {
                jumps.add_transposed(&probes[w], column);
            }
        }
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells; k x p in cell order.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.grounded.solve_panels(z.as_mut(), &Full(self));
        (z, leak)
    }

    /// The derivative u of an objective in the coordinates of [`whiten`](Self::whiten):
    /// b with bᵀX = uᵀZ (projected Z) and ‖b‖ = ‖Bᵀu‖.
    ///
    /// # Shapes
    /// `u`: k; result: k in elimination order.
    pub fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        let Grounded { places, scale, support, jumps, .. } = &self.grounded;
        let rooted: Vec<f64> = places
            .order
            .iter()
            .map(|&i| if scale[i] > 0.0 { (u[i] - u[support.ground[support.label[i]]]) / scale[i] } else { 0.0 })
            .collect();
        let mut b = self.elimination.multiply_transpose(&rooted);
        for (cell, value) in jumps.iter().flat_map(|jumps| jumps.derivative(u)) {
            b[places.position[cell]] = value;
        }
        b
    }

    /// As [`WeightedLaplacian::project_derivative`](crate::WeightedLaplacian::project_derivative).
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        self.grounded.project_derivative(u)
    }
}
