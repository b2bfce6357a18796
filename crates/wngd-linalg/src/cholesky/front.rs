//! The forward solve for all right-hand sides at once, supernode by supernode: rows of the right-hand sides are asked for
//! when their turn comes and handed on when they are solved, and nothing is kept but what waits for its ancestors.

use std::ops::Range;

use faer::MatRef;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::numeric::Cholesky;
use super::panel::Supernode;
use super::part::Part;
use crate::dense;

/// Columns of a triangle that are solved before they are taken off the rows below.
const BLOCK: usize = 64;
/// From as many columns and rows below on the rows below are a matrix product.
const LARGE: usize = 24;

/// Right-hand sides, by rows in elimination order.
pub(crate) trait RowsToSolve: Sync {
    /// Writes some rows, each to the beginning of `stride` entries.
    fn load(&self, rows: Range<usize>, stride: usize, out: &mut [f64]);
}

/// What takes solved rows.
pub(crate) trait SolvedRows: Send {
    /// Rows from `first` on in elimination order.
    fn take(&mut self, first: usize, rows: MatRef<'_, f64>);
}

/// What a supernode takes off the rows below it.
struct Update {
    node: usize,
    rows: Vec<f64>,
}

/// Entries from one row to the next: rows a power of two apart would share their cache lines.
fn stride(columns: usize) -> usize {
    let stride = columns.next_multiple_of(8);
    if stride.is_multiple_of(64) { stride + 8 } else { stride }
}

impl Cholesky {
    /// X = L⁻¹B for a B of any number of columns, in rows: each part's go to a taker of its own, the border's to the last.
    ///
    /// # Cost
    /// One forward solve per column. Memory: the rows below the supernodes between a leaf and its root.
    pub(crate) fn sweep<T: SolvedRows>(
        &self,
        columns: usize,
        source: &impl RowsToSolve,
        taker: impl Fn() -> T + Sync,
    ) -> Vec<T> {
        let stride = stride(columns);
        let parts: Vec<_> = self.parts().collect();
        let swept: Vec<(T, Vec<Update>)> = parts
            .par_iter()
            .map(|&(part, values)| {
                let mut taker = taker();
                let left = sweep_part(part, values, (columns, stride), source, &mut taker);
                (taker, left)
            })
            .collect();
        let border = self.border();
        if border.width == 0 {
            return swept.into_iter().map(|(taker, _)| taker).collect();
        }
        let start = self.symbolic().dim() - border.width;
        let mut pivots = vec![0.0; border.width * stride];
        source.load(start..self.symbolic().dim(), stride, &mut pivots);
        let mut takers = Vec::with_capacity(parts.len() + 1);
        for ((own, updates), (part, values)) in swept.into_iter().zip(parts) {
            for update in updates {
                let node = part.node(values, update.node);
                for (row, &target) in update.rows.chunks_exact(stride).zip(node.border) {
                    add(&mut pivots[target * stride..][..columns], row);
                }
            }
            takers.push(own);
        }
        eliminate(border, &mut pivots, &mut [], (columns, stride));
        let mut last = taker();
        last.take(start, dense::row_major(&pivots, border.width, columns, stride));
        takers.push(last);
        takers
    }
}

/// Solves the rows of a part; returns what it takes off the border's.
fn sweep_part(
    part: &Part,
    values: &[f64],
    (columns, stride): (usize, usize),
    source: &impl RowsToSolve,
    taker: &mut impl SolvedRows,
) -> Vec<Update> {
    let count = part.node_count();
    let mut node_of = vec![0; part.rows];
    for s in 0..count {
        let node = part.node(values, s);
        node_of[node.first..node.first + node.width].fill(s);
    }
    // Updates wait at the supernode that solves their first row.
    let mut waiting: Vec<Vec<Update>> = (0..count).map(|_| Vec::new()).collect();
    let mut for_border = Vec::new();
    let (mut own_place, mut border_place) = (vec![0; part.rows], vec![0; part.border()]);
    let mut pivots = Vec::new();
    for s in 0..count {
        let node = part.node(values, s);
        pivots.resize(node.width * stride, 0.0);
        source.load(part.first + node.first..part.first + node.first + node.width, stride, &mut pivots);
        let mut below = vec![0.0; (node.own.len() + node.border.len()) * stride];
        node.own.iter().enumerate().for_each(|(place, &row)| own_place[row] = place);
        node.border.iter().enumerate().for_each(|(place, &row)| border_place[row] = node.own.len() + place);
        for update in std::mem::take(&mut waiting[s]) {
            let child = part.node(values, update.node);
            let (own, border) = update.rows.split_at(child.own.len() * stride);
            for (row, &target) in own.chunks_exact(stride).zip(child.own) {
                match target.checked_sub(node.first).filter(|place| *place < node.width) {
                    Some(place) => add(&mut pivots[place * stride..][..columns], row),
                    None => add(&mut below[own_place[target] * stride..][..columns], row),
                }
            }
            for (row, &target) in border.chunks_exact(stride).zip(child.border) {
                add(&mut below[border_place[target] * stride..][..columns], row);
            }
        }
        eliminate(node, &mut pivots, &mut below, (columns, stride));
        taker.take(part.first + node.first, dense::row_major(&pivots, node.width, columns, stride));
        let update = Update { node: s, rows: below };
        match node.own.first() {
            Some(&row) => waiting[node_of[row]].push(update),
            None if !node.border.is_empty() => for_border.push(update),
            None => {}
        }
    }
    for_border
}

fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// Solves with the triangle of a supernode and takes the solved rows off those below.
fn eliminate(node: Supernode<'_>, pivots: &mut [f64], below: &mut [f64], (columns, stride): (usize, usize)) {
    let (width, rows) = (node.width, below.len() / stride);
    let entries = MatRef::from_column_major_slice_with_stride(node.entries, node.stride, width, node.stride);
    for start in (0..width).step_by(BLOCK) {
        let end = width.min(start + BLOCK);
        Arch::new().dispatch(Triangle { node, start, end, pivots: &mut *pivots, columns, stride });
        let (solved, rest) = pivots.split_at_mut(end * stride);
        let solved = &solved[start * stride..];
        let take_off = |stored: usize, rows: usize, x: &mut [f64]| {
            if end - start >= LARGE && rows >= LARGE {
                let x = dense::row_major_mut(x, rows, columns, stride);
                let solved = dense::row_major(solved, end - start, columns, stride);
                dense::subtract_product(x, entries.submatrix(stored, start, rows, end - start), solved);
            } else {
                Arch::new().dispatch(TakeOff { node, start, stored, rows, solved, x, columns, stride });
            }
        };
        take_off(end, width - end, rest);
        take_off(width, rows, below);
    }
}

/// Columns `start..end` of the triangle.
struct Triangle<'a> {
    node: Supernode<'a>,
    start: usize,
    end: usize,
    pivots: &'a mut [f64],
    columns: usize,
    stride: usize,
}

impl WithSimd for Triangle<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { node, start, end, pivots, columns, stride } = self;
        let mut c = 0;
        while c + 16 <= columns {
            triangle::<16>(node, start..end, &mut pivots[c..], stride);
            c += 16;
        }
        while c + 4 <= columns {
            triangle::<4>(node, start..end, &mut pivots[c..], stride);
            c += 4;
        }
        for c in c..columns {
            triangle::<1>(node, start..end, &mut pivots[c..], stride);
        }
    }
}

#[inline(always)]
fn row<const W: usize>(x: &[f64], at: usize) -> &[f64; W] {
    match x[at..].first_chunk::<W>() {
        Some(row) => row,
        None => unreachable!("a row has at least W entries left"),
    }
}

#[inline(always)]
fn triangle<const W: usize>(node: Supernode<'_>, block: Range<usize>, x: &mut [f64], stride: usize) {
    for i in block.clone() {
        let mut acc = *row::<W>(x, i * stride);
        for j in block.start..i {
            let l = node.at(i, j);
            let xj = row::<W>(x, j * stride);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xj[w], acc[w]);
            }
        }
        let inverse = 1.0 / node.at(i, i);
        for (x, acc) in x[i * stride..][..W].iter_mut().zip(&acc) {
            *x = acc * inverse;
        }
    }
}

/// Takes solved rows, from column `start` on, off the rows `x`, which are stored from `stored` on.
struct TakeOff<'a> {
    node: Supernode<'a>,
    start: usize,
    stored: usize,
    rows: usize,
    solved: &'a [f64],
    x: &'a mut [f64],
    columns: usize,
    stride: usize,
}

impl WithSimd for TakeOff<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut c = 0;
        while c + 16 <= self.columns {
            self.columns::<16>(c, S::REGISTER_COUNT >= 32);
            c += 16;
        }
        while c + 4 <= self.columns {
            self.columns::<4>(c, true);
            c += 4;
        }
        for c in c..self.columns {
            self.columns::<1>(c, true);
        }
    }
}

impl TakeOff<'_> {
    /// Columns c to c + W, as many rows at a time as there are registers for.
    #[inline(always)]
    fn columns<const W: usize>(&mut self, c: usize, many: bool) {
        let mut r = 0;
        while many && r + 4 <= self.rows {
            self.rows::<W, 4>(r, c);
            r += 4;
        }
        while r + 2 <= self.rows {
            self.rows::<W, 2>(r, c);
            r += 2;
        }
        if r < self.rows {
            self.rows::<W, 1>(r, c);
        }
    }

    #[inline(always)]
    fn rows<const W: usize, const ROWS: usize>(&mut self, r: usize, c: usize) {
        let (stride, width) = (self.stride, self.solved.len() / self.stride);
        let mut sums: [[f64; W]; ROWS] = std::array::from_fn(|t| *row::<W>(self.x, (r + t) * stride + c));
        for j in 0..width {
            let xj = row::<W>(self.solved, j * stride + c);
            for t in 0..ROWS {
                let l = self.node.at(self.stored + r + t, self.start + j);
                for w in 0..W {
                    sums[t][w] = f64::mul_add(-l, xj[w], sums[t][w]);
                }
            }
        }
        for (t, sum) in sums.iter().enumerate() {
            self.x[(r + t) * stride + c..][..W].copy_from_slice(sum);
        }
    }
}
