//! Rows of a sparse matrix with 32-bit indices, and their products.

use pulp::Arch;
use rayon::prelude::*;

use super::dots::{SLAB, dots};
use crate::sparse::SparseMatrix;

/// Rounding errors of a residual, in units of ε (|A||x| + |b|).
const ROUNDING: f64 = 8.0;

/// Rows of a sparse matrix with 32-bit indices.
#[derive(Debug)]
pub(super) struct Compressed<T> {
    pub(super) ptr: Vec<u32>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<T>,
}

impl<T: Copy + Default + Into<f64>> Compressed<T> {
    pub(super) fn with_capacity(rows: usize, entries: usize) -> Self {
        let mut ptr = Vec::with_capacity(rows + 1);
        ptr.push(0);
        Self { ptr, columns: Vec::with_capacity(entries), values: Vec::with_capacity(entries) }
    }

    pub(super) fn push(&mut self, column: u32, value: T) {
        self.columns.push(column);
        self.values.push(value);
    }

    pub(super) fn end_row(&mut self) {
        self.ptr.push(self.columns.len() as u32);
    }

    pub(super) fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.ptr[i] as usize..self.ptr[i + 1] as usize
    }

    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.range(i);
        self.columns[range.clone()].iter().map(|&c| c as usize).zip(self.values[range].iter().map(|&v| v.into()))
    }

    #[inline(always)]
    pub(super) fn row_times<const W: usize>(&self, i: usize, x: &[[f64; W]]) -> [f64; W] {
        let mut total = [0.0; W];
        for (j, a) in self.row(i) {
            let xj = &x[j];
            for w in 0..W {
                total[w] += a * xj[w];
            }
        }
        total
    }

    /// The transpose of a square matrix; of blocks of [`SLAB`] rows with their own columns, if `blocks`.
    pub(super) fn transposed(&self, blocks: bool) -> Self {
        let n = self.ptr.len() - 1;
        let offset = |i: usize| if blocks { i - i % SLAB } else { 0 };
        let mut ptr = vec![0u32; n + 1];
        for i in 0..n {
            for &j in &self.columns[self.range(i)] {
                ptr[offset(i) + j as usize + 1] += 1;
            }
        }
        for i in 0..n {
            ptr[i + 1] += ptr[i];
        }
        let mut slot = ptr.clone();
        let (mut columns, mut values) = (vec![0; self.columns.len()], vec![T::default(); self.values.len()]);
        for i in 0..n {
            for at in self.range(i) {
                let target = &mut slot[offset(i) + self.columns[at] as usize];
                columns[*target as usize] = (i - offset(i)) as u32;
                values[*target as usize] = self.values[at];
                *target += 1;
            }
        }
        Self { ptr, columns, values }
    }
}

impl Compressed<f64> {
    pub(super) fn from_rows(matrix: &SparseMatrix) -> Self {
        let (ptr, columns, values) = matrix.to_rows();
        let narrow = |v: Vec<usize>| v.into_iter().map(|i| i as u32).collect();
        Self { ptr: narrow(ptr), columns: narrow(columns), values }
    }

    /// Rows `first..` of `A x`.
    pub(super) fn multiply_slab<const W: usize>(&self, first: usize, x: &[[f64; W]], out: &mut [[f64; W]]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = self.row_times(first + i, x);
                }
            },
        );
    }

    pub(super) fn multiply<const W: usize>(&self, x: &[[f64; W]], out: &mut [[f64; W]]) {
        out.par_chunks_mut(SLAB).enumerate().for_each(|(slab, out)| self.multiply_slab(slab * SLAB, x, out));
    }

    /// Norm of the rounding errors that a computed residual carries.
    pub(super) fn rounding<const W: usize>(&self, x: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
        let mut bound: Vec<[f64; W]> = b.iter().map(|row| row.map(f64::abs)).collect();
        for (i, bound) in bound.iter_mut().enumerate() {
            for (j, a) in self.row(i) {
                for w in 0..W {
                    bound[w] += (a * x[j][w]).abs();
                }
            }
        }
        dots(&bound, &bound).map(|s| ROUNDING * f64::EPSILON * s.sqrt())
    }
}
