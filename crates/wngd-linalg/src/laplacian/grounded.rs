//! What every solver shares: the cells at potential 0, the scaling, and the mass that tangents may not create.

use std::sync::Arc;

use faer::{Mat, MatMut};
use pulp::Arch;
use rayon::prelude::*;

use super::basins::Jumps;
use super::panel::{Load, Sums};
use super::places::Places;
use super::plan::LaplacianPlan;
use super::report::{LaplacianReport, MassLeak};
use super::support::Support;
use crate::cholesky::PANEL;
use crate::dense::{column_pieces, contiguous_columns, sum};
use crate::divergence::Divergence;
use crate::operator::LinearOp;

/// A density on a grid with what a solver of its Laplacian needs.
#[derive(Debug)]
pub(super) struct Grounded {
    pub(super) plan: Arc<LaplacianPlan>,
    pub(super) places: Arc<Places>,
    pub(super) faces: Vec<f64>,
    pub(super) density: Vec<f64>,
    /// Cells with an open face.
    pub(super) carries: Vec<bool>,
    /// The scaling of rows and columns; 0 in cells that are grounded or inactive.
    pub(super) scale: Vec<f64>,
    pub(super) support: Support,
    /// Where voids part the components: `support` then has a label for each basin.
    pub(super) jumps: Option<Jumps>,
    pub(super) report: LaplacianReport,
}

/// What becomes of a panel of projected, scaled tangents in elimination order, and of the mass that each of its columns
/// carries across voids.
pub(super) trait FinishPanel: Sync {
    /// `alone`: there is no other panel.
    fn finish<const W: usize>(&self, x: &mut [f64], columns: Vec<&mut [f64]>, across: &[Vec<f64>], alone: bool);
}

impl Grounded {
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

    /// u as mass-projected tangents feel it: Zᵀ of it is Xᵀb with those of [`whiten`](Self::whiten) and
    /// [`whiten_derivative`](Self::whiten_derivative), without their rounding.
    ///
    /// # Shapes
    /// `u`: k; result: k in cell order.
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        let mut h = u.to_vec();
        match &self.jumps {
            // Mass goes from basin to basin, as far as it does not leave the component.
            Some(jumps) => jumps.project(&self.density, &mut h),
            None => self.project_transpose(&mut h),
        }
        for (value, &label) in h.iter_mut().zip(&self.support.label) {
            if !(self.support.mass[label] > 0.0) {
                *value = 0.0;
            }
        }
        h
    }

    /// Projects and scales the columns of `z` in panels, and hands each panel to `solver`.
    pub(super) fn solve_panels(&self, z: MatMut<'_, f64>, solver: &impl FinishPanel) -> MassLeak {
        let pieces = column_pieces(z, PANEL);
        let alone = pieces.len() == 1;
        let reports: Vec<Vec<(f64, f64)>> = pieces
            .into_par_iter()
            .map_init(Vec::new, |x, piece| {
                if piece.ncols() <= 4 {
                    self.panel::<4>(piece, solver, x, alone)
                } else {
                    self.panel::<PANEL>(piece, solver, x, alone)
                }
            })
            .collect();
        let (relative, between_components) = reports.into_iter().flatten().unzip();
        MassLeak { relative, between_components }
    }

    /// One panel of columns, through the row-major workspace `x`.
    fn panel<const W: usize>(
        &self,
        piece: MatMut<'_, f64>,
        solver: &impl FinishPanel,
        x: &mut Vec<f64>,
        alone: bool,
    ) -> Vec<(f64, f64)> {
        let order = &self.places.order;
        x.resize(order.len() * W, 0.0);
        let x = &mut x[..order.len() * W];
        let columns = contiguous_columns(piece);
        let sums = Arch::new().dispatch(Load::<W> {
            position: &self.places.position,
            label: &self.support.label,
            components: self.support.ground.len(),
            carries: &self.carries,
            density: &self.density,
            columns: &columns,
            x: &mut *x,
        });
        let (mut excess, report) = self.excess(&sums, columns.len());
        let across: Vec<Vec<f64>> = match &self.jumps {
            Some(Jumps { basins, .. }) => (0..columns.len())
                .map(|w| basins.across(|basin| sums.of(basin, w), |basin| sums.size[basin][w]))
                .collect(),
            None => Vec::new(),
        };
        if let Some(jumps) = &self.jumps {
            for (w, across) in across.iter().enumerate() {
                jumps.ends(across).for_each(|(cell, value)| x[self.places.position[cell] * W + w] -= value);
                for (basin, mass) in self.support.mass.iter().enumerate().filter(|(_, mass)| **mass > 0.0) {
                    excess[basin][w] = (sums.of(basin, w) - jumps.sum(across, basin)) / mass;
                }
            }
        }
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            let (scale, density, excess) = (self.scale[i], self.density[i], &excess[self.support.label[i]]);
            for w in 0..W {
                row[w] = if scale > 0.0 { scale * (row[w] - density * excess[w]) } else { 0.0 };
            }
        }
        solver.finish::<W>(x, columns, &across, alone);
        report
    }

    /// (1ᵀz)/(1ᵀρ) per component and column, and per column the leak that its removal means.
    fn excess<const W: usize>(&self, sums: &Sums<W>, columns: usize) -> (Vec<[f64; W]>, Vec<(f64, f64)>) {
        let masses = &self.support.mass;
        let excess = (0..masses.len())
            .map(|c| std::array::from_fn(|w| if masses[c] > 0.0 { sums.of(c, w) / masses[c] } else { 0.0 }))
            .collect();
        let report = (0..columns).map(|w| {
            let totals: Vec<f64> = (0..masses.len()).map(|c| sums.of(c, w)).collect();
            let sizes = sums.size.iter().map(|size| size[w]);
            match &self.jumps {
                Some(Jumps { basins, .. }) => self.leak(&basins.by_component(&totals), &basins.component_mass, sizes),
                None => self.leak(&totals, masses, sizes),
            }
        });
        (excess, report.collect())
    }

    /// The leak of one column, relative and between components: from its sums, the density's and its sizes in each.
    pub(super) fn leak(&self, totals: &[f64], masses: &[f64], sizes: impl Iterator<Item = f64>) -> (f64, f64) {
        let (all, mass) = (sum(totals.iter().copied()), sum(masses.iter().copied()));
        let between = if totals.len() > 1 {
            let jumps = totals.iter().zip(masses).map(|(total, own)| (total - own * all / mass).abs());
            0.5 * self.plan.grid.cell_volume() * sum(jumps)
        } else {
            0.0
        };
        let size = sum(sizes);
        (if size > 0.0 { all.abs() / size } else { 0.0 }, between)
    }

    /// The scaled currents that the potential 1 drives into the grounded cells, in elimination order.
    pub(super) fn constant_current(&self, conductance: &[f64], kept: &[bool]) -> Vec<f64> {
        let mut current = vec![0.0; kept.len()];
        self.plan.for_each_face(|face, left, right| match (kept[left], kept[right]) {
            (true, false) => current[left] += conductance[face],
            (false, true) => current[right] += conductance[face],
            _ => {}
        });
        self.places.order.iter().map(|&i| self.scale[i] * current[i]).collect()
    }

    /// Largest error of what a solver made of [`constant_current`](Self::constant_current).
    pub(super) fn constant_error(&self, kept: &[bool], solved: impl Iterator<Item = f64>) -> f64 {
        self.places
            .order
            .iter()
            .zip(solved)
            .filter(|(i, _)| kept[**i])
            .map(|(&i, value)| (value * self.scale[i] - 1.0).abs())
            .fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
    }
}

/// Y = Bᵀφ.
pub(super) fn tangent_fields(b: &Divergence, phi: &Mat<f64>) -> Mat<f64> {
    let mut y = Mat::zeros(b.ncols(), phi.ncols());
    b.apply_transpose(y.as_mut(), phi.as_ref());
    y
}
