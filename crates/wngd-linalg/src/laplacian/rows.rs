//! Whitening by rows that are made when they are needed: the Gram matrix without the k x p matrix.

use std::ops::Range;

use faer::MatRef;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::elimination::Elimination;
use super::factored::FactoredLaplacian;
use super::grounded::Grounded;
use super::report::MassLeak;
use crate::cholesky::{RowsToSolve, SolvedRows};
use crate::gram::{GramSum, NormalSums};
use crate::operator::RowSource;

/// Cells of a task when columns are summed, at least; and tasks at most.
const CELLS: usize = 4096;
const TASKS: usize = 64;
/// Rows that are made at once.
const ROWS: usize = 16;
/// Components of the support with sums of their own, at most.
const COMPONENTS: usize = 4;

impl FactoredLaplacian {
    /// XᵀX and Xᵀb, X = C⁻¹PZ and b as in [`whiten`](Self::whiten) and [`whiten_derivative`](Self::whiten_derivative), of rows
    /// of Z that are made twice and never kept; and the leak.
    ///
    /// `None` where basins are parted by voids, where the matrix was eliminated without subtractions and where the support
    /// has more than four components: [`whiten`](Self::whiten) does these.
    ///
    /// # Shapes
    /// `z`: k x p; `b`: k in elimination order.
    ///
    /// # Panics
    /// If `b` has not k entries.
    ///
    /// # Cost
    /// One forward solve per column and k p² flops; memory: p² per part of the factor, a thousand rows and those of the
    /// separators.
    pub fn whitened_sums(&self, z: &dyn RowSource, columns: usize, b: &[f64]) -> Option<(NormalSums, MassLeak)> {
        let Elimination::Cholesky(factor) = &self.elimination else { return None };
        let grounded = &self.grounded;
        if grounded.jumps.is_some() || columns == 0 {
            return None;
        }
        let components = Components::new(grounded)?;
        let (totals, sizes) = column_sums(grounded, &components, z, columns);
        let masses = &components.mass;
        let excess: Vec<Vec<f64>> = totals
            .iter()
            .zip(masses)
            .map(|(totals, &mass)| totals.iter().map(|t| if mass > 0.0 { t / mass } else { 0.0 }).collect())
            .collect();
        let leaks = (0..columns).map(|j| {
            let size = sizes.iter().map(|size| size[j]);
            grounded.leak(&totals.iter().map(|totals| totals[j]).collect::<Vec<f64>>(), masses, size)
        });
        let (relative, between_components) = leaks.unzip();
        let tangents = Tangents { grounded, components: &components, z, excess };
        let taker = || Sums { gram: GramSum::new(columns), b, product: vec![0.0; columns], size: vec![0.0; columns] };
        let found = factor.sweep(columns, &tangents, taker);
        let (mut product, mut size) = (vec![0.0; columns], vec![0.0; columns]);
        for sums in &found {
            product.iter_mut().zip(&sums.product).for_each(|(total, p)| *total += p);
            size.iter_mut().zip(&sums.size).for_each(|(total, s)| *total += s);
        }
        let gram = GramSum::total(found.into_iter().map(|sums| sums.gram), columns);
        Some((NormalSums { gram, product, size }, MassLeak { relative, between_components }))
    }
}

/// Components of the support by small numbers; all cells without an open face share the last one.
struct Components {
    /// Of each label.
    number: Vec<usize>,
    /// Mass of the density in each.
    mass: Vec<f64>,
}

impl Components {
    fn new(grounded: &Grounded) -> Option<Self> {
        let labels = grounded.support.mass.len();
        let mut open = vec![false; labels];
        grounded.carries.iter().zip(&grounded.support.label).for_each(|(carries, &label)| open[label] |= carries);
        let count = open.iter().filter(|open| **open).count();
        if count > COMPONENTS {
            return None;
        }
        let (mut number, mut mass, mut next) = (vec![count; labels], vec![0.0; count + 1], 0);
        for (label, open) in open.into_iter().enumerate() {
            if open {
                number[label] = next;
                next += 1;
            }
            mass[number[label]] += grounded.support.mass[label];
        }
        if count == labels {
            mass.pop();
        }
        Some(Self { number, mass })
    }
}

/// Mass-projected and scaled tangents in elimination order.
struct Tangents<'a> {
    grounded: &'a Grounded,
    components: &'a Components,
    z: &'a dyn RowSource,
    /// (1ᵀz)/(1ᵀρ), per component and column.
    excess: Vec<Vec<f64>>,
}

impl RowsToSolve for Tangents<'_> {
    fn load(&self, rows: Range<usize>, stride: usize, out: &mut [f64]) {
        let Grounded { places, scale, density, support, .. } = self.grounded;
        let cells = &places.order[rows];
        self.z.fill_rows(cells, stride, out);
        for (&cell, row) in cells.iter().zip(out.chunks_exact_mut(stride)) {
            let excess = &self.excess[self.components.number[support.label[cell]]];
            let (scale, mass) = (scale[cell], scale[cell] * density[cell]);
            let row = &mut row[..excess.len()];
            if scale > 0.0 {
                row.iter_mut().zip(excess).for_each(|(z, excess)| *z = scale * *z - mass * excess);
            } else {
                row.fill(0.0);
            }
        }
    }
}

/// What becomes of solved rows.
struct Sums<'a> {
    gram: GramSum,
    b: &'a [f64],
    product: Vec<f64>,
    size: Vec<f64>,
}

impl SolvedRows for Sums<'_> {
    fn take(&mut self, first: usize, rows: MatRef<'_, f64>) {
        self.gram.add(rows);
        for (i, row) in rows.row_iter().enumerate() {
            if let Some(row) = row.try_as_row_major() {
                let (product, size) = (&mut self.product, &mut self.size);
                Arch::new().dispatch(AddProduct { row: row.as_slice(), b: self.b[first + i], product, size });
            }
        }
    }
}

/// Adds b x and |b x|.
struct AddProduct<'a> {
    row: &'a [f64],
    b: f64,
    product: &'a mut [f64],
    size: &'a mut [f64],
}

impl WithSimd for AddProduct<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { row, b, product, size } = self;
        for ((x, product), size) in row.iter().zip(product).zip(size) {
            let term = b * x;
            *product += term;
            *size += term.abs();
        }
    }
}

/// Compensated sums of the columns, and sums of their sizes, for each component of the support.
fn column_sums(
    grounded: &Grounded,
    components: &Components,
    z: &dyn RowSource,
    columns: usize,
) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
    let (k, count) = (grounded.density.len(), components.mass.len());
    let cells: Vec<usize> = (0..k).collect();
    let none = || vec![Column { total: vec![0.0; columns], lost: vec![0.0; columns], size: vec![0.0; columns] }; count];
    let pieces: Vec<Vec<Column>> = cells
        .par_chunks(CELLS.max(k.div_ceil(TASKS)))
        .map(|cells| {
            let mut sums = none();
            let mut rows = vec![0.0; ROWS * columns];
            for cells in cells.chunks(ROWS) {
                z.fill_rows(cells, columns, &mut rows);
                for (&cell, row) in cells.iter().zip(rows.chunks_exact(columns)) {
                    let counts = grounded.carries[cell] || grounded.density[cell] != 0.0;
                    Arch::new().dispatch(AddRow {
                        row,
                        counts,
                        sums: &mut sums[components.number[grounded.support.label[cell]]],
                    });
                }
            }
            sums
        })
        .collect();
    let mut sums = none();
    for piece in pieces {
        for (sums, piece) in sums.iter_mut().zip(piece) {
            Arch::new().dispatch(AddTotals { row: &piece.total, total: &mut sums.total, lost: &mut sums.lost });
            sums.lost.iter_mut().zip(&piece.lost).for_each(|(lost, l)| *lost += l);
            sums.size.iter_mut().zip(&piece.size).for_each(|(size, s)| *size += s);
        }
    }
    sums.into_iter()
        .map(|Column { total, lost, size }| (total.iter().zip(lost).map(|(t, l)| t + l).collect(), size))
        .unzip()
}

/// Sums of all columns: compensated, and of sizes.
#[derive(Clone)]
struct Column {
    total: Vec<f64>,
    lost: Vec<f64>,
    size: Vec<f64>,
}

/// Adds a row, to the sizes alone where it does not count.
struct AddRow<'a> {
    row: &'a [f64],
    counts: bool,
    sums: &'a mut Column,
}

impl WithSimd for AddRow<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { row, counts, sums } = self;
        let Column { total, lost, size } = sums;
        size.iter_mut().zip(row).for_each(|(size, z)| *size += z.abs());
        if counts {
            add_compensated(row, total, lost);
        }
    }
}

/// Adds totals to totals.
struct AddTotals<'a> {
    row: &'a [f64],
    total: &'a mut [f64],
    lost: &'a mut [f64],
}

impl WithSimd for AddTotals<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        add_compensated(self.row, self.total, self.lost);
    }
}

#[inline(always)]
fn add_compensated(row: &[f64], total: &mut [f64], lost: &mut [f64]) {
    for ((total, lost), z) in total.iter_mut().zip(lost).zip(row) {
        let next = *total + z;
        let added = next - *total;
        *lost += (*total - (next - added)) + (z - added);
        *total = next;
    }
}
