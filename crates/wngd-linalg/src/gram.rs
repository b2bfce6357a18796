//! The Gram matrix of rows that come in pieces and are not kept.

use faer::{Accum, Mat, MatRef};
use rayon::prelude::*;

use crate::dense::{GramTile, add_gram_tile, gram_of_tiles, gram_tiles};

/// Rows that are gathered before they are multiplied: the sums are read and written once for all of them.
const GATHERED: usize = 384;

/// What the rows of a matrix A and of a vector b add up to.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalSums {
    /// AᵀA, p x p.
    pub gram: Mat<f64>,
    /// Aᵀb, p.
    pub product: Vec<f64>,
    /// |A|ᵀ|b|, p.
    pub size: Vec<f64>,
}

/// Σ xᵢxᵢᵀ of rows xᵢ.
///
/// # Cost
/// k p² flops, tiles in parallel; memory: p² and 384 rows.
#[derive(Debug, Clone)]
pub(crate) struct GramSum {
    columns: usize,
    /// Rows not yet multiplied, row-major.
    gathered: Vec<f64>,
    /// Tiles of the lower triangle.
    tiles: Vec<Mat<f64>>,
}

impl GramSum {
    /// Of no rows, of so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        let zeros = |(i, j): GramTile| Mat::zeros(i.len(), j.len());
        Self { columns, gathered: Vec::new(), tiles: gram_tiles(columns).into_iter().map(zeros).collect() }
    }

    /// Adds rows.
    pub(crate) fn add(&mut self, rows: MatRef<'_, f64>) {
        for row in rows.row_iter() {
            match row.try_as_row_major() {
                Some(row) => self.gathered.extend_from_slice(row.as_slice()),
                None => self.gathered.extend(row.iter()),
            }
            if self.gathered.len() >= GATHERED * self.columns {
                self.multiply();
            }
        }
    }

    fn multiply(&mut self) {
        let rows =
            MatRef::from_row_major_slice(&self.gathered, self.gathered.len() / self.columns.max(1), self.columns);
        self.tiles.par_iter_mut().zip(gram_tiles(self.columns)).for_each(|(tile, (i, j))| {
            let columns = |range: &std::ops::Range<usize>| rows.subcols(range.start, range.len());
            add_gram_tile(tile.as_mut(), Accum::Add, columns(&i), columns(&j), i == j);
        });
        self.gathered.clear();
    }

    /// The Gram matrix of the rows of all sums, both triangles.
    pub(crate) fn total(sums: impl IntoIterator<Item = Self>, columns: usize) -> Mat<f64> {
        let mut sums: Vec<Self> = sums.into_iter().collect();
        sums.iter_mut().for_each(Self::multiply);
        let places = gram_tiles(columns);
        gram_of_tiles(columns, sums.iter().flat_map(|sum| places.iter().zip(&sum.tiles)))
    }
}
