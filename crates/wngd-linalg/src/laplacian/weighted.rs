//! Solves and whitening with a factored Laplacian.

use std::sync::Arc;

use faer::{Mat, MatMut};
use pulp::Arch;
use rayon::prelude::*;

use super::elimination::Elimination;
use super::panel::{Load, Sums, store};
use super::plan::LaplacianPlan;
use super::report::{EliminationKind, LaplacianReport, MassLeak};
use super::support::Support;
use crate::cholesky::{PANEL, SymbolicCholesky};
use crate::dense::{column_pieces, contiguous_columns, sum};
use crate::divergence::Divergence;
use crate::error::LinalgError;
use crate::grid::Grid;
use crate::krylov::{BiCgStab, KrylovOptions};
use crate::operator::{Factorization, LinearOp, apply_transpose_vec};
use crate::sparse::SparseMatrix;

/// The factored weighted Laplacian BBᵀ of one density.
///
/// With `P BBᵀ Pᵀ = C Cᵀ` on the grounded cells, [`whiten`](Self::whiten) gives
/// X = C⁻¹PZ, which has the Gram matrix and the R factor of Y = B†Z at half the
/// solve and fewer rows; [`flux`](Self::flux) gives Y itself. Where there is no factor C
/// ([`EliminationKind::Krylov`]) `whiten` gives Y as well.
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
/// // Moving a Gaussian costs its distance: G_W2 = 1 for its mean.
/// let z = Mat::from_fn(240, 1, |i, _| grid.centers(0)[i] * rho[i]);
/// let (x, _) = laplacian.whiten(z);
/// let information = grid.cell_volume() * dense::gram(x.as_ref())[(0, 0)];
/// assert!((information - 1.0).abs() < 1e-3);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug)]
pub struct WeightedLaplacian {
    pub(super) plan: Arc<LaplacianPlan>,
    pub(super) faces: Vec<f64>,
    pub(super) density: Vec<f64>,
    pub(super) carries: Vec<bool>,
    pub(super) scale: Vec<f64>,
    pub(super) support: Support,
    pub(super) elimination: Elimination,
    pub(super) report: LaplacianReport,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Solve {
    Half,
    Full,
}

impl WeightedLaplacian {
    /// What the factorisation met, and the solves up to now.
    pub fn report(&self) -> LaplacianReport {
        let krylov = match &self.elimination {
            Elimination::Krylov(krylov) => Some(krylov.0.stats()),
            _ => None,
        };
        LaplacianReport { krylov, ..self.report.clone() }
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.plan.grid
    }

    /// Half-whitening X = C⁻¹PZ of the mass-projected columns, in place.
    ///
    /// # Shapes
    /// `z`: k x p; result: k x p (rows in elimination order) and the mass leak removed, p;
    /// q x p with [`EliminationKind::Krylov`].
    ///
    /// # Cost
    /// One forward solve per column, in panels of 16, panels in parallel; no copy of `z`.
    pub fn whiten(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        if let Elimination::Krylov(krylov) = &self.elimination {
            let (phi, leak) = self.solve(z);
            return (tangent_fields(&krylov.1, &phi), leak);
        }
        let leak = self.solve_panels(z.as_mut(), Solve::Half);
        (z, leak)
    }

    /// Lᵀξ for the map L: Z ↦ X of [`whiten`](Self::whiten): probes of X as probes of Z,
    /// XᵀΞ = Zᵀ(LᵀΞ). In place.
    ///
    /// # Shapes
    /// `xi`: k x r, rows in elimination order, or q x r with [`EliminationKind::Krylov`]; result: k x r in
    /// cell order.
    ///
    /// # Cost
    /// One backward solve per column.
    pub fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        let mut h = xi;
        if let Elimination::Krylov(krylov) = &self.elimination {
            // L = BᵀSP with the symmetric grounded solve S; what B makes has no mass to project out.
            let mut divergence = Mat::zeros(self.density.len(), h.ncols());
            krylov.1.apply(divergence.as_mut(), h.as_ref());
            let mut phi = self.solve(divergence).0;
            (0..phi.ncols()).for_each(|j| self.project_transpose(phi.col_as_slice_mut(j)));
            return phi;
        }
        column_pieces(h.as_mut(), PANEL).into_par_iter().for_each(|piece| self.transposed_panel(piece));
        h
    }

    pub(super) fn transposed_panel(&self, piece: MatMut<'_, f64>) {
        const W: usize = PANEL;
        let (order, position) = (&self.plan.order, &self.plan.position);
        let columns = contiguous_columns(piece);
        let mut x = vec![0.0; order.len() * W];
        for (w, column) in columns.iter().enumerate() {
            for (row, &value) in x.chunks_exact_mut(W).zip(column.iter()) {
                row[w] = value;
            }
        }
        // Rows of grounded and inactive cells are no part of X.
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            if self.scale[i] == 0.0 {
                row.fill(0.0);
            }
        }
        self.elimination.backward::<W>(&mut x);
        for (w, column) in columns.into_iter().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = self.scale[i] * x[position[i] * W + w];
            }
            self.project_transpose(column);
        }
    }

    /// The transposed mass projection: h less its mean under ρ, on each component.
    pub(super) fn project_transpose(&self, h: &mut [f64]) {
        let masses = &self.support.mass;
        let mut weighted = vec![0.0; masses.len()];
        for (i, value) in h.iter().enumerate() {
            weighted[self.support.label[i]] += self.density[i] * value;
        }
        for (i, value) in h.iter_mut().enumerate() {
            let label = self.support.label[i];
            if (self.carries[i] || self.density[i] != 0.0) && masses[label] > 0.0 {
                *value -= weighted[label] / masses[label];
            }
        }
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells.
    ///
    /// # Shapes
    /// As [`whiten`](Self::whiten), rows in cell order.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.solve_panels(z.as_mut(), Solve::Full);
        (z, leak)
    }

    /// Y = B†Z = Bᵀφ on the faces: the tangent fields √ρ v of the columns.
    ///
    /// They are differences of potentials: where mass crosses a valley deeper than rounding, the fields beside it
    /// are lost to the jump of φ across it. [`whiten`](Self::whiten) keeps lengths and products there.
    ///
    /// # Shapes
    /// `z`: k x p; result: q x p.
    pub fn flux(&self, z: Mat<f64>) -> Result<(Mat<f64>, MassLeak), LinalgError> {
        let (phi, leak) = self.solve(z);
        let b = Divergence::from_faces(&self.plan.grid, &self.faces)?;
        Ok((tangent_fields(&b, &phi), leak))
    }

    /// The derivative u of an objective in the coordinates of [`whiten`](Self::whiten):
    /// b with bᵀX = uᵀZ (projected Z) and ‖b‖ = ‖Bᵀu‖.
    ///
    /// # Shapes
    /// `u`: k; result: k in elimination order; Bᵀu itself, q, with [`EliminationKind::Krylov`].
    pub fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        if let Elimination::Krylov(krylov) = &self.elimination {
            return apply_transpose_vec(&krylov.1, u);
        }
        let order = &self.plan.order;
        let rooted: Vec<f64> = order
            .iter()
            .map(|&i| {
                if self.scale[i] > 0.0 {
                    (u[i] - u[self.support.ground[self.support.label[i]]]) / self.scale[i]
                } else {
                    0.0
                }
            })
            .collect();
        match &self.elimination {
            Elimination::None | Elimination::Krylov(_) => rooted,
            Elimination::Cholesky(f) => f.multiply_transpose(&rooted),
            Elimination::SubtractionFree(f) => f.multiply_transpose(&rooted),
        }
    }

    /// u as mass-projected tangents feel it: Zᵀ of it is Xᵀb with those of [`whiten`](Self::whiten) and
    /// [`whiten_derivative`](Self::whiten_derivative), without their rounding.
    ///
    /// # Shapes
    /// `u`: k; result: k in cell order.
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        let mut h = u.to_vec();
        self.project_transpose(&mut h);
        for (value, &label) in h.iter_mut().zip(&self.support.label) {
            if !(self.support.mass[label] > 0.0) {
                *value = 0.0;
            }
        }
        h
    }

    /// Replaces the factorisation by the subtraction-free one, which works on the unscaled matrix.
    pub(super) fn use_subtraction_free(&mut self, symbolic: &SymbolicCholesky, conductance: &[f64], kept: &[bool]) {
        self.elimination = self.plan.eliminate_without_subtraction(symbolic, conductance, kept);
        self.scale = kept.iter().map(|&k| if k { 1.0 } else { 0.0 }).collect();
        self.report.elimination = EliminationKind::SubtractionFree;
    }

    /// Prepares Krylov solves of the scaled matrix. Its slow modes look like √degree times a smooth
    /// potential, so these are the weights of the aggregates.
    pub(super) fn use_krylov(&mut self, conductance: &[f64], degree: &[f64]) -> Result<(), LinalgError> {
        let (n, scale) = (degree.len(), &self.scale);
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|i| vec![(i, 1.0)]).collect();
        self.plan.for_each_face(|face, left, right| {
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
        let (mut labels, mut renamed, mut count) = (self.plan.grid.cubes(), vec![usize::MAX; n], 0);
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
        let divergence = Divergence::from_faces(&self.plan.grid, &self.faces)?;
        self.elimination = Elimination::Krylov(Box::new((solver, divergence)));
        self.report.elimination = EliminationKind::Krylov;
        Ok(())
    }

    /// Solves for the potential 1 from the currents it drives into the grounded
    /// cells, and returns its largest error.
    pub(super) fn constant_error(&self, conductance: &[f64], kept: &[bool]) -> f64 {
        let mut current = vec![0.0; kept.len()];
        self.plan.for_each_face(|face, left, right| match (kept[left], kept[right]) {
            (true, false) => current[left] += conductance[face],
            (false, true) => current[right] += conductance[face],
            _ => {}
        });
        let order = &self.plan.order;
        let mut x = vec![0.0; order.len() * 4];
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(4)) {
            row[0] = self.scale[i] * current[i];
        }
        self.elimination.forward::<4>(&mut x);
        self.elimination.backward::<4>(&mut x);
        if let Elimination::Krylov(krylov) = &self.elimination {
            let mut column: Vec<f64> = x.iter().step_by(4).copied().collect();
            krylov.0.apply_inverse(MatMut::from_column_major_slice_mut(&mut column, order.len(), 1));
            x.iter_mut().step_by(4).zip(column).for_each(|(x, solved)| *x = solved);
        }
        order
            .iter()
            .zip(x.chunks_exact(4))
            .filter(|(i, _)| kept[**i])
            .map(|(&i, row)| (row[0] * self.scale[i] - 1.0).abs())
            .fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
    }

    pub(super) fn solve_panels(&self, z: MatMut<'_, f64>, kind: Solve) -> MassLeak {
        let mut z = z;
        let reports: Vec<Vec<(f64, f64)>> = column_pieces(z.as_mut(), PANEL)
            .into_par_iter()
            .map_init(Vec::new, |x, piece| {
                if piece.ncols() <= 4 { self.panel::<4>(piece, kind, x) } else { self.panel::<PANEL>(piece, kind, x) }
            })
            .collect();
        if let Elimination::Krylov(krylov) = &self.elimination {
            krylov.0.apply_inverse(z.as_mut());
            for j in 0..z.ncols() {
                for (i, scale) in self.scale.iter().enumerate() {
                    z[(i, j)] *= scale;
                }
            }
        }
        let (relative, between_components) = reports.into_iter().flatten().unzip();
        MassLeak { relative, between_components }
    }

    /// One panel of columns, through the row-major workspace `x`.
    pub(super) fn panel<const W: usize>(
        &self,
        piece: MatMut<'_, f64>,
        kind: Solve,
        x: &mut Vec<f64>,
    ) -> Vec<(f64, f64)> {
        let order = &self.plan.order;
        x.resize(order.len() * W, 0.0);
        let x = &mut x[..order.len() * W];
        let columns = contiguous_columns(piece);
        let sums = Arch::new().dispatch(Load::<W> {
            position: &self.plan.position,
            label: &self.support.label,
            components: self.support.ground.len(),
            carries: &self.carries,
            density: &self.density,
            columns: &columns,
            x: &mut *x,
        });
        let (excess, report) = self.excess(&sums, columns.len());
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            let (scale, density, excess) = (self.scale[i], self.density[i], &excess[self.support.label[i]]);
            for w in 0..W {
                row[w] = if scale > 0.0 { scale * (row[w] - density * excess[w]) } else { 0.0 };
            }
        }
        self.elimination.forward::<W>(x);
        match kind {
            // The scaled tangents, that the Krylov solver takes.
            _ if matches!(self.elimination, Elimination::Krylov(_)) => store::<W>(columns, |i| i, |_| 1.0, x),
            Solve::Half => store::<W>(columns, |i| i, |_| 1.0, x),
            Solve::Full => {
                self.elimination.backward::<W>(x);
                store::<W>(columns, |i| self.plan.position[i], |i| self.scale[i], x);
            }
        }
        report
    }

    /// (1ᵀz)/(1ᵀρ) per component and column, and per column the leak that its removal means.
    pub(super) fn excess<const W: usize>(&self, sums: &Sums<W>, columns: usize) -> (Vec<[f64; W]>, Vec<(f64, f64)>) {
        let masses = &self.support.mass;
        let mass = sum(masses.iter().copied());
        let total = |component: usize, w: usize| sums.total[component][w] + sums.lost[component][w];
        let excess = (0..masses.len())
            .map(|c| std::array::from_fn(|w| if masses[c] > 0.0 { total(c, w) / masses[c] } else { 0.0 }))
            .collect();
        let report = (0..columns).map(|w| {
            let all = sum((0..masses.len()).map(|c| total(c, w)));
            let between = if masses.len() > 1 {
                let jumps = (0..masses.len()).map(|c| (total(c, w) - masses[c] * all / mass).abs());
                0.5 * self.plan.grid.cell_volume() * sum(jumps)
            } else {
                0.0
            };
            (if sums.size[w] > 0.0 { all.abs() / sums.size[w] } else { 0.0 }, between)
        });
        (excess, report.collect())
    }
}

/// Y = Bᵀφ.
pub(super) fn tangent_fields(b: &Divergence, phi: &Mat<f64>) -> Mat<f64> {
    let mut y = Mat::zeros(b.ncols(), phi.ncols());
    b.apply_transpose(y.as_mut(), phi.as_ref());
    y
}
