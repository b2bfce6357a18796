use faer::{MatMut, MatRef};
use rayon::prelude::*;

use crate::dense::column_pieces;
use crate::error::{LinalgError, check_vector};
use crate::operator::LinearOp;

/// A sparse matrix in compressed columns, rows increasing in each.
///
/// The pattern is fixed at construction; [`values_mut`](Self::values_mut) changes the
/// entries. Entries that are stored and happen to be 0 are allowed.
///
/// # Example
/// ```
/// use wngd_linalg::{SparseMatrix, operator::apply_vec};
/// // [2 0; 1 3]
/// let a = SparseMatrix::new(2, vec![0, 2, 3], vec![0, 1, 1], vec![2.0, 1.0, 3.0])?;
/// assert_eq!(apply_vec(&a, &[1.0, 1.0]), [2.0, 4.0]);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SparseMatrix {
    nrows: usize,
    col_ptr: Vec<usize>,
    row_idx: Vec<usize>,
    values: Vec<f64>,
}

impl SparseMatrix {
    /// Takes a matrix over in compressed columns.
    ///
    /// # Shapes
    /// `col_ptr`: n + 1 entries from 0 to nnz; `row_idx`, `values`: nnz.
    ///
    /// # Errors
    /// [`LinalgError::Shape`] for inconsistent lengths, [`LinalgError::Sparse`] for pointers
    /// that decrease and rows out of range or out of order, [`LinalgError::NotFinite`].
    pub fn new(nrows: usize, col_ptr: Vec<usize>, row_idx: Vec<usize>, values: Vec<f64>) -> Result<Self, LinalgError> {
        let fail = |column, reason| Err(LinalgError::Sparse { column, reason });
        if col_ptr.first() != Some(&0) {
            return fail(0, "the column pointers do not start at 0");
        }
        let ncols = col_ptr.len() - 1;
        for (what, found) in [("row indices", row_idx.len()), ("matrix values", values.len())] {
            if found != col_ptr[ncols] {
                return Err(LinalgError::Shape { what, expected: col_ptr[ncols], found });
            }
        }
        for j in 0..ncols {
            let Some(rows) = row_idx.get(col_ptr[j]..col_ptr[j + 1]) else {
                return fail(j, "the column pointers decrease or pass the end");
            };
            if rows.last().is_some_and(|&last| last >= nrows) {
                return fail(j, "a row index is out of range");
            }
            if rows.windows(2).any(|w| w[0] >= w[1]) {
                return fail(j, "row indices must increase strictly");
            }
        }
        let matrix = Self { nrows, col_ptr, row_idx, values };
        matrix.check_finite()?;
        Ok(matrix)
    }

    /// A matrix from entries (row, column, value) in any order; entries at one place are added.
    ///
    /// # Errors
    /// [`LinalgError::Sparse`] for an index out of range, [`LinalgError::NotFinite`].
    ///
    /// # Example
    /// ```
    /// use wngd_linalg::{SparseMatrix, operator::apply_vec};
    /// let a = SparseMatrix::from_entries(2, 2, [(1, 1, 3.0), (0, 0, 1.5), (1, 0, 1.0), (0, 0, 0.5)])?;
    /// assert_eq!(apply_vec(&a, &[1.0, 1.0]), [2.0, 4.0]);
    /// # Ok::<(), wngd_linalg::LinalgError>(())
    /// ```
    pub fn from_entries(
        nrows: usize,
        ncols: usize,
        entries: impl IntoIterator<Item = (usize, usize, f64)>,
    ) -> Result<Self, LinalgError> {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if let Some(&(_, column, _)) = entries.iter().find(|&&(i, j, _)| i >= nrows || j >= ncols) {
            return Err(LinalgError::Sparse { column, reason: "an index is out of range" });
        }
        // Stable: entries at one place are added in the order given.
        entries.sort_by_key(|&(i, j, _)| (j, i));
        let mut col_ptr = vec![0; ncols + 1];
        let (mut row_idx, mut values) = (Vec::<usize>::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
        for (i, j, value) in entries {
            if col_ptr[j + 1] > 0 && row_idx.last() == Some(&i) {
                if let Some(last) = values.last_mut() {
                    *last += value;
                }
            } else {
                col_ptr[j + 1] += 1;
                row_idx.push(i);
                values.push(value);
            }
        }
        for j in 0..ncols {
            col_ptr[j + 1] += col_ptr[j];
        }
        Self::new(nrows, col_ptr, row_idx, values)
    }

    /// Number of stored entries.
    pub fn nnz(&self) -> usize {
        self.row_idx.len()
    }

    /// First entry of each column, and the end of the last: n + 1.
    pub fn col_ptr(&self) -> &[usize] {
        &self.col_ptr
    }

    /// Row of each entry.
    pub fn row_idx(&self) -> &[usize] {
        &self.row_idx
    }

    /// The entries, column by column.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The entries, to be changed in place; the pattern stays.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Entries `(row, value)` of one column.
    pub fn column(&self, j: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.col_ptr[j]..self.col_ptr[j + 1];
        self.row_idx[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    /// The same matrix in compressed rows: row pointers, columns (increasing) and values.
    pub fn to_rows(&self) -> (Vec<usize>, Vec<usize>, Vec<f64>) {
        let mut row_ptr = vec![0; self.nrows + 1];
        for &i in &self.row_idx {
            row_ptr[i + 1] += 1;
        }
        for i in 0..self.nrows {
            row_ptr[i + 1] += row_ptr[i];
        }
        let mut slot = row_ptr.clone();
        let (mut columns, mut values) = (vec![0; self.nnz()], vec![0.0; self.nnz()]);
        for j in 0..self.ncols() {
            for (i, value) in self.column(j) {
                columns[slot[i]] = j;
                values[slot[i]] = value;
                slot[i] += 1;
            }
        }
        (row_ptr, columns, values)
    }

    /// P A Pᵀ for a square matrix and the permutation that puts index `order[i]` at place i.
    ///
    /// # Errors
    /// [`LinalgError::Sparse`] if `order` is not a permutation, [`LinalgError::Shape`] if A is not square.
    pub fn permuted(&self, order: &[usize]) -> Result<Self, LinalgError> {
        let n = self.square()?;
        let position = inverse_permutation(order, n)?;
        let mut col_ptr = Vec::with_capacity(n + 1);
        let (mut row_idx, mut values) = (Vec::with_capacity(self.nnz()), Vec::with_capacity(self.nnz()));
        let mut column = Vec::new();
        col_ptr.push(0);
        for &old in order {
            column.clear();
            column.extend(self.column(old).map(|(i, value)| (position[i], value)));
            column.sort_unstable_by_key(|&(i, _)| i);
            row_idx.extend(column.iter().map(|&(i, _)| i));
            values.extend(column.iter().map(|&(_, value)| value));
            col_ptr.push(row_idx.len());
        }
        Ok(Self { nrows: n, col_ptr, row_idx, values })
    }

    /// Checks all entries: [`values_mut`](Self::values_mut) may have put NaN there.
    pub(crate) fn check_finite(&self) -> Result<(), LinalgError> {
        check_vector("matrix values", &self.values, self.nnz())
    }

    /// The dimension, if the matrix is square.
    pub(crate) fn square(&self) -> Result<usize, LinalgError> {
        match self.ncols() {
            n if n == self.nrows => Ok(n),
            found => Err(LinalgError::Shape { what: "row of a square matrix", expected: self.nrows, found }),
        }
    }
}

/// position with position[order[i]] = i.
pub(crate) fn inverse_permutation(order: &[usize], n: usize) -> Result<Vec<usize>, LinalgError> {
    if order.len() != n {
        return Err(LinalgError::Shape { what: "ordering", expected: n, found: order.len() });
    }
    let mut position = vec![usize::MAX; n];
    for (i, &old) in order.iter().enumerate() {
        match position.get_mut(old) {
            Some(slot) if *slot == usize::MAX => *slot = i,
            _ => return Err(LinalgError::Sparse { column: i, reason: "the ordering is not a permutation" }),
        }
    }
    Ok(position)
}

impl LinearOp for SparseMatrix {
    fn nrows(&self) -> usize {
        self.nrows
    }
    fn ncols(&self) -> usize {
        self.col_ptr.len() - 1
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        column_pieces(out, 1).into_par_iter().enumerate().for_each(|(c, mut out)| {
            out.fill(0.0);
            for j in 0..self.ncols() {
                let xj = x[(j, c)];
                for (i, value) in self.column(j) {
                    out[(i, 0)] += value * xj;
                }
            }
        });
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        column_pieces(out, 1).into_par_iter().enumerate().for_each(|(c, mut out)| {
            for j in 0..self.ncols() {
                out[(j, 0)] = self.column(j).map(|(i, value)| value * y[(i, c)]).sum();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::{apply_transpose_vec, apply_vec};

    fn sample() -> SparseMatrix {
        SparseMatrix::new(3, vec![0, 2, 3, 5], vec![0, 2, 1, 0, 2], vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap()
    }

    #[test]
    fn products_match_the_dense_matrix() {
        let a = sample();
        assert_eq!(apply_vec(&a, &[1.0, 2.0, 3.0]), [13.0, 6.0, 17.0]);
        assert_eq!(apply_transpose_vec(&a, &[1.0, 2.0, 3.0]), [7.0, 6.0, 19.0]);
        assert_eq!(a.to_rows(), (vec![0, 2, 3, 5], vec![0, 2, 1, 0, 2], vec![1.0, 4.0, 3.0, 2.0, 5.0]));
    }

    #[test]
    fn permuting_moves_rows_and_columns_together() {
        let (a, order) = (sample(), [2, 0, 1]);
        let dense = a.to_dense();
        let moved = a.permuted(&order).unwrap().to_dense();
        for i in 0..3 {
            for j in 0..3 {
                assert_eq!(moved[(i, j)], dense[(order[i], order[j])]);
            }
        }
        assert!(a.permuted(&[0, 1, 1]).is_err());
        assert!(a.permuted(&[0, 1]).is_err());
    }

    #[test]
    fn broken_storage_is_refused() {
        assert!(SparseMatrix::new(2, vec![], vec![], vec![]).is_err());
        assert!(SparseMatrix::new(2, vec![0, 1], vec![2], vec![1.0]).is_err());
        assert!(SparseMatrix::new(2, vec![0, 2], vec![1, 0], vec![1.0, 1.0]).is_err());
        assert!(SparseMatrix::new(2, vec![0, 2, 1], vec![0], vec![1.0]).is_err());
        assert!(SparseMatrix::new(2, vec![0, 1], vec![0], vec![f64::NAN]).is_err());
        assert!(SparseMatrix::new(2, vec![0, 1], vec![0, 1], vec![1.0]).is_err());
    }
}
