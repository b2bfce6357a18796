//! The second level: aggregates of cells, factored.

use faer::Mat;

use super::compressed::Compressed;
use crate::dominant_lu::DominantLu;
use crate::error::LinalgError;
use crate::operator::Factorization;
use crate::sparse::SparseMatrix;

/// The second level: PᵀAP factored, with one column of P per aggregate, the weights of its rows.
#[derive(Debug)]
pub(super) struct Coarse {
    /// Aggregate of each row, in flow order.
    pub(super) labels: Vec<u32>,
    /// Weight of each row, in flow order.
    pub(super) weights: Vec<f64>,
    pub(super) lu: DominantLu,
}

impl Coarse {
    pub(super) fn new(
        matrix: &SparseMatrix,
        labels: &[usize],
        weights: &[f64],
        order: &[usize],
    ) -> Result<Self, LinalgError> {
        let count = labels.iter().max().map_or(0, |&l| l + 1);
        if count > labels.len() {
            return Err(LinalgError::Shape { what: "aggregates", expected: labels.len(), found: count });
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (j, &label) in labels.iter().enumerate() {
            members[label].push(j);
        }
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut column: Vec<(usize, f64)> = Vec::new();
        for members in members {
            column.clear();
            for j in members {
                column.extend(matrix.column(j).map(|(i, v)| (labels[i], weights[i] * v * weights[j])));
            }
            merge(&mut column);
            rows.extend(column.iter().map(|c| c.0));
            values.extend(column.iter().map(|c| c.1));
            col_ptr.push(rows.len());
        }
        let lu = DominantLu::new(&SparseMatrix::new(count, col_ptr, rows, values)?, crate::Ordering::Amd)?;
        let weights = order.iter().map(|&i| weights[i]).collect();
        Ok(Self { labels: order.iter().map(|&i| labels[i] as u32).collect(), weights, lu })
    }

    /// AP: the weighted entries of each row summed over aggregates of columns.
    pub(super) fn columns(&self, a: &Compressed<f64>) -> Compressed<f64> {
        let n = self.labels.len();
        let mut out = Compressed::with_capacity(n, 3 * n);
        let mut row: Vec<(usize, f64)> = Vec::new();
        for i in 0..n {
            row.clear();
            row.extend(a.row(i).map(|(j, v)| (self.labels[j] as usize, v * self.weights[j])));
            merge(&mut row);
            row.iter().for_each(|&(j, v)| out.push(j as u32, v));
            out.end_row();
        }
        out
    }

    /// Solves for the sums of the slabs' contributions.
    pub(super) fn solve<const W: usize>(&self, slabs: &[Vec<[f64; W]>], transpose: bool) -> Vec<[f64; W]> {
        let mut c = Mat::from_fn(self.lu.dim(), W, |i, w| slabs.iter().map(|slab| slab[i][w]).sum());
        if transpose {
            self.lu.apply_inverse_transpose(c.as_mut());
        } else {
            self.lu.apply_inverse(c.as_mut());
        }
        (0..self.lu.dim()).map(|i| std::array::from_fn(|w| c[(i, w)])).collect()
    }
}

/// Sorts entries by index and sums those of equal index.
pub(super) fn merge(entries: &mut Vec<(usize, f64)>) {
    entries.sort_by_key(|e| e.0);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}
