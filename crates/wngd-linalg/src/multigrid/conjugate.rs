//! Preconditioned conjugate gradients, a few right-hand sides at a time.

use faer::MatMut;
use rayon::prelude::*;

use super::hierarchy::{Multigrid, Workspace};
use super::level::Level;
use crate::dense::{column_pieces, contiguous_columns};
use crate::krylov::dots::{SLAB, dots, total};

/// Right-hand sides that are solved at a time.
const LANES: usize = 4;
/// Depth of the level of [`Multigrid::probe`].
const PROBED: usize = 2;
/// Times that the recurrence starts again from the residual itself, where the two have drifted apart.
const RESTARTS: usize = 2;
/// Iterations without progress after which a solve stands at its rounding, and growth of rᵀM⁻¹r that says the same.
const STALLED: usize = 8;
const LOST: f64 = 1e3;

/// When a solve is done. Both are errors in the energy norm relative to the solution's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    /// Where the recurrence may stop.
    pub(crate) aim: f64,
    /// Where the residual itself must be; above, the recurrence starts again from it.
    pub(crate) tolerance: f64,
    /// Cycles allowed.
    pub(crate) cycles: usize,
}

/// What one right-hand side took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Solved {
    /// Cycles.
    pub(crate) iterations: usize,
    /// Estimated error in the energy norm relative to the solution's, √(rᵀM⁻¹r / φᵀAφ), from the residual itself.
    pub(crate) error: f64,
}

impl Multigrid {
    /// A⁺ of each column, up to a constant on each component. In place.
    ///
    /// # Shapes
    /// `columns`: k x p, with sum 0 over each component.
    ///
    /// # Cost
    /// 10 to 20 cycles per four columns, about 90 flops per cell and column each.
    pub(crate) fn solve(&self, columns: MatMut<'_, f64>, stop: Stop) -> Vec<Solved> {
        let pieces = column_pieces(columns, LANES).into_iter().filter(|piece| piece.ncols() > 0);
        pieces
            .flat_map(|piece| match piece.ncols() {
                1 => self.lanes::<1>(piece, stop),
                2 => self.lanes::<2>(piece, stop),
                _ => self.lanes::<LANES>(piece, stop),
            })
            .collect()
    }

    fn lanes<const W: usize>(&self, piece: MatMut<'_, f64>, stop: Stop) -> Vec<Solved> {
        let level = &self.levels[0];
        let (width, across) = (level.width(), level.columns);
        let mut columns = contiguous_columns(piece);
        let mut b = vec![[0.0; W]; level.len()];
        let inside = |cell: usize| (cell / across + 1) * width + cell % across + 1;
        for (w, column) in columns.iter().enumerate() {
            column.iter().enumerate().for_each(|(cell, value)| b[inside(cell)][w] = *value);
        }
        let mut x = vec![[0.0; W]; level.len()];
        let solved = self.conjugate(0, &mut x, &b, stop);
        for (w, column) in columns.iter_mut().enumerate() {
            column.iter_mut().enumerate().for_each(|(cell, value)| *value = x[inside(cell)][w]);
        }
        solved.into_iter().take(columns.len()).collect()
    }

    /// What a solve takes on a coarser level, where a valley of the density is as deep and cycles cost less.
    ///
    /// # Shapes
    /// `column`: k, with sum 0 over each component.
    pub(crate) fn probe(&self, column: &[f64], stop: Stop) -> Solved {
        let level = &self.levels[0];
        let (width, across) = (level.width(), level.columns);
        let mut b = vec![[0.0; 1]; level.len()];
        column.chunks(across).enumerate().for_each(|(j, row)| {
            let to = &mut b[(j + 1) * width + 1..][..across];
            to.iter_mut().zip(row).for_each(|(to, value)| *to = [*value]);
        });
        let depth = PROBED.min(self.levels.len() - 1);
        let b = self.restricted(b, depth);
        let [solved] = self.conjugate(depth, &mut vec![[0.0]; b.len()], &b, stop);
        solved
    }

    /// x with A x = b on the level of some depth.
    fn conjugate<const W: usize>(&self, depth: usize, x: &mut [[f64; W]], b: &[[f64; W]], stop: Stop) -> [Solved; W] {
        let (level, mut work): (_, Workspace<W>) = (&self.levels[depth], self.workspace(depth));
        let mut solved = [Solved::default(); W];
        let (mut r, mut z) = (b.to_vec(), vec![[0.0; W]; b.len()]);
        let (mut p, mut q) = (z.clone(), z.clone());
        let mut energy = [0.0; W];
        for restart in 0..=RESTARTS {
            if restart > 0 {
                level.residual(&mut r, b, x);
            }
            self.cycle(&mut z, &r, &mut work);
            let mut rho = dots(&r, &z);
            // Before the first step nothing is solved but 0; what is no number never is.
            (0..W).for_each(|w| solved[w].error = relative(rho[w], energy[w]));
            // A lane is at rest once the recurrence, or the residual, says that it is solved.
            let mut active: [bool; W] =
                std::array::from_fn(|w| rho[w] > 0.0 && !(restart > 0 && solved[w].error <= stop.tolerance));
            if !active.contains(&true) || restart == RESTARTS {
                break;
            }
            p.copy_from_slice(&z);
            let (mut least, mut since) = (rho, [0; W]);
            while active.contains(&true) {
                let product = apply(level, &mut q, &p);
                let alpha: [f64; W] =
                    std::array::from_fn(|w| if active[w] && product[w] > 0.0 { rho[w] / product[w] } else { 0.0 });
                advance(x, &mut r, &p, &q, alpha);
                for w in (0..W).filter(|&w| active[w]) {
                    energy[w] += alpha[w] * rho[w];
                    solved[w].iterations += 1;
                }
                self.cycle(&mut z, &r, &mut work);
                let next = dots(&r, &z);
                let beta: [f64; W] = std::array::from_fn(|w| if active[w] { next[w] / rho[w] } else { 0.0 });
                for w in 0..W {
                    if !active[w] {
                        continue;
                    }
                    since[w] = if next[w] < least[w] { 0 } else { since[w] + 1 };
                    least[w] = least[w].min(next[w]);
                    let done = !(next[w] > 0.0) || relative(next[w], energy[w]) <= stop.aim;
                    let stands = since[w] >= STALLED || next[w] > LOST * least[w];
                    active[w] = !done && !stands && alpha[w] > 0.0 && solved[w].iterations < stop.cycles;
                    rho[w] = next[w];
                }
                p.par_chunks_mut(SLAB).zip(z.par_chunks(SLAB)).for_each(|(p, z)| {
                    for (p, z) in p.iter_mut().zip(z) {
                        for w in 0..W {
                            p[w] = z[w] + beta[w] * p[w];
                        }
                    }
                });
            }
        }
        solved
    }
}

fn relative(rho: f64, energy: f64) -> f64 {
    if rho == 0.0 { 0.0 } else { (rho / energy).sqrt() }
}

/// q ← A p, and pᵀq.
fn apply<const W: usize>(level: &Level, q: &mut [[f64; W]], p: &[[f64; W]]) -> [f64; W] {
    let width = level.width();
    let rows = q.par_chunks_mut(width).enumerate().with_min_len(level.rows_of_task()).map(|(j, q)| {
        let mut sum = [0.0; W];
        if (1..=level.rows).contains(&j) {
            let row = &p[j * width..][..width];
            level.applied(j, p, |i, value| {
                q[i] = value;
                for w in 0..W {
                    sum[w] += row[i][w] * value[w];
                }
            });
        }
        [sum]
    });
    let [sum] = total(rows.collect());
    sum
}

/// x ← x + α p, r ← r − α q.
fn advance<const W: usize>(x: &mut [[f64; W]], r: &mut [[f64; W]], p: &[[f64; W]], q: &[[f64; W]], alpha: [f64; W]) {
    let moved = x.par_chunks_mut(SLAB).zip(r.par_chunks_mut(SLAB));
    moved.zip(p.par_chunks(SLAB).zip(q.par_chunks(SLAB))).for_each(|((x, r), (p, q))| {
        for ((x, r), (p, q)) in x.iter_mut().zip(r).zip(p.iter().zip(q)) {
            for w in 0..W {
                x[w] += alpha[w] * p[w];
                r[w] -= alpha[w] * q[w];
            }
        }
    });
}
