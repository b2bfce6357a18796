//! Columns of potentials in and out of the row-major panels of the elimination.

use pulp::{Simd, WithSimd};

/// Cells whose values are transposed at once: columns lie a power of two apart on
/// common grids, so that reading them row by row would evict every cache line unused.
pub(super) const TILE: usize = 128;

/// Compensated sums of the columns of a panel.
pub(super) struct Sums<const W: usize> {
    /// Per component of the support: rounding mass would be carried across valleys.
    pub(super) total: Vec<[f64; W]>,
    pub(super) lost: Vec<[f64; W]>,
    /// ‖z‖₁ per component.
    pub(super) size: Vec<[f64; W]>,
}

impl<const W: usize> Sums<W> {
    #[inline(always)]
    fn take(&self, component: usize) -> ([f64; W], [f64; W], [f64; W]) {
        (self.total[component], self.lost[component], self.size[component])
    }

    #[inline(always)]
    fn put(&mut self, component: usize, (total, lost, size): ([f64; W], [f64; W], [f64; W])) {
        (self.total[component], self.lost[component], self.size[component]) = (total, lost, size);
    }

    /// The sum of a column over one component.
    pub(super) fn of(&self, component: usize, w: usize) -> f64 {
        self.total[component][w] + self.lost[component][w]
    }
}

/// Copies columns into a row-major panel in elimination order, and sums them.
pub(super) struct Load<'a, const W: usize> {
    /// Row of the panel of each cell.
    pub(super) position: &'a [usize],
    /// Component of the support of each cell, and their number.
    pub(super) label: &'a [usize],
    pub(super) components: usize,
    /// Cells with an open face, and the density: the rest is left out of the sums.
    pub(super) carries: &'a [bool],
    pub(super) density: &'a [f64],
    pub(super) columns: &'a [&'a mut [f64]],
    pub(super) x: &'a mut [f64],
}

impl<const W: usize> WithSimd for Load<'_, W> {
    type Output = Sums<W>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums<W> {
        let Self { position, label, components, carries, density, columns, x } = self;
        let mut sums = Sums {
            total: vec![[0.0; W]; components],
            lost: vec![[0.0; W]; components],
            size: vec![[0.0; W]; components],
        };
        // The component at hand stays in registers: neighbours mostly share it.
        let mut current = label[0];
        let mut running = sums.take(current);
        let mut tile = [[0.0; W]; TILE];
        for first in (0..position.len()).step_by(TILE) {
            let cells = first..position.len().min(first + TILE);
            for (w, column) in columns.iter().enumerate() {
                for (row, &value) in tile.iter_mut().zip(&column[cells.clone()]) {
                    row[w] = value;
                }
            }
            for (i, row) in cells.zip(&tile) {
                x[position[i] * W..(position[i] + 1) * W].copy_from_slice(row);
                if label[i] != current {
                    sums.put(current, running);
                    current = label[i];
                    running = sums.take(current);
                }
                let (total, lost, size) = &mut running;
                for w in 0..W {
                    size[w] += row[w].abs();
                }
                if carries[i] || density[i] != 0.0 {
                    for w in 0..W {
                        let next = total[w] + row[w];
                        let added = next - total[w];
                        lost[w] += (total[w] - (next - added)) + (row[w] - added);
                        total[w] = next;
                    }
                }
            }
        }
        sums.put(current, running);
        sums
    }
}

/// Copies rows `source(i)` of a row-major panel, times `factor(i)`, back into columns.
pub(super) fn store<const W: usize>(
    columns: &mut [&mut [f64]],
    source: impl Fn(usize) -> usize,
    factor: impl Fn(usize) -> f64,
    x: &[f64],
) {
    let n = x.len() / W;
    let mut tile = [[0.0; W]; TILE];
    for first in (0..n).step_by(TILE) {
        let cells = first..n.min(first + TILE);
        for (row, i) in tile.iter_mut().zip(cells.clone()) {
            let (from, factor) = (source(i) * W, factor(i));
            for w in 0..W {
                row[w] = factor * x[from + w];
            }
        }
        for (w, column) in columns.iter_mut().enumerate() {
            for (value, row) in column[cells.clone()].iter_mut().zip(&tile) {
                *value = row[w];
            }
        }
    }
}
