//! An order of the cells in which mass flows.

use crate::operator::LinearOp;
use crate::sparse::SparseMatrix;

/// An order in which mass flows: reverse postorder of a depth-first search along the
/// edges j → i that carry more than they bring back, |A[i, j]| > |A[j, i]|.
///
/// In this order the upwind part of a generator is as close to lower triangular
/// as its cycles allow; diffusion, which goes both ways alike, does not blur it.
///
/// # Cost
/// O(nnz).
pub fn flow_order(matrix: &SparseMatrix) -> Vec<usize> {
    let n = matrix.ncols();
    let (row_ptr, columns, values) = matrix.to_rows();
    let back = |i: usize, j: usize| {
        let row = row_ptr[j]..row_ptr[j + 1];
        columns[row.clone()].binary_search(&i).map_or(0.0, |at| values[row.start + at])
    };
    let mut seen = vec![false; n];
    let mut order = Vec::with_capacity(n);
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..n {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        path.push((root, matrix.col_ptr()[root]));
        while let Some((j, at)) = path.last_mut() {
            if *at == matrix.col_ptr()[*j + 1] {
                order.push(*j);
                path.pop();
                continue;
            }
            let (i, value, j) = (matrix.row_idx()[*at], matrix.values()[*at], *j);
            *at += 1;
            if i < n && !seen[i] && value.abs() > back(i, j).abs() {
                seen[i] = true;
                path.push((i, matrix.col_ptr()[i]));
            }
        }
    }
    order.reverse();
    order
}
