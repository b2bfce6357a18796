//! Multifrontal LU on the diagonal, for matrices whose diagonal dominates each column.

use std::sync::Arc;

use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_unit_lower_triangular_in_place};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::Arch;
use rayon::prelude::*;

use crate::cholesky::{Ordering, SymbolicCholesky};
use crate::dense::column_pieces;
use crate::error::LinalgError;
use crate::operator::{Factorization, LinearOp};
use crate::sparse::SparseMatrix;
use crate::sparse_lu::{SparseLuReport, TEST_RESIDUAL, test_residual};

/// Right-hand sides that share one pass over the factors.
const LANES: usize = 16;
/// Columns eliminated together inside a front.
const BLOCK: usize = 48;

/// A = LU without row exchanges, on the symmetrised pattern of A.
///
/// Elimination on the diagonal is stable where it dominates each column, as in κI − K of a
/// Markov generator K (growth at most 2). The fill is then that of a Cholesky factorisation
/// with the same ordering, where [`SparseLu`](crate::SparseLu), which must leave room for any
/// row exchange, needs up to ten times as much on matrices of symmetric pattern.
///
/// # Cost
/// On a three-dimensional grid of n cells with nested dissection O(n²) flops and O(n^{4/3})
/// memory; the columns of a solve share passes over the factors by 16, blocks in parallel.
///
/// # References
/// Duff and Reid 1984, doi:10.1137/0905045.
///
/// # Example
/// ```
/// use faer::Mat;
/// use wngd_linalg::{DominantLu, Factorization, Ordering, SparseMatrix};
/// // [3 -1; -2 2]
/// let a = SparseMatrix::new(2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![3.0, -2.0, -1.0, 2.0])?;
/// let lu = DominantLu::new(&a, Ordering::Amd)?;
/// let mut x = Mat::from_fn(2, 1, |_, _| 4.0);
/// lu.apply_inverse(x.as_mut());
/// assert!((x[(0, 0)] - 3.0).abs() < 1e-15 && (x[(1, 0)] - 5.0).abs() < 1e-14);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug)]
pub struct DominantLu {
    symbolic: Arc<SymbolicCholesky>,
    fronts: Vec<Front>,
    report: SparseLuReport,
}

/// The eliminated part of one front.
#[derive(Debug)]
struct Front {
    first: usize,
    width: usize,
    /// Rows (and columns) below the pivots.
    pattern: Vec<usize>,
    /// Unit L below and U on and above the diagonal, width x width, row-major.
    pivots: Vec<f64>,
    /// L below the pivots: row-major, pattern x width.
    lower: Vec<f64>,
    /// Uᵀ beyond the pivots: row-major, pattern x width.
    upper: Vec<f64>,
}

impl DominantLu {
    /// Orders, analyses and factors a square matrix, then checks one solve.
    ///
    /// # Errors
    /// [`LinalgError::Singular`] if a pivot vanishes or the test solve fails, as it may where the diagonal
    /// does not dominate; [`LinalgError::Symbolic`] for a bad ordering.
    pub fn new(matrix: &SparseMatrix, ordering: Ordering) -> Result<Self, LinalgError> {
        matrix.check_finite()?;
        let (col_ptr, row_idx) = symmetrised(matrix)?;
        Self::eliminated(matrix, Arc::new(SymbolicCholesky::new(matrix.ncols(), col_ptr, row_idx, ordering)?))
    }

    /// Factors another matrix of the same pattern with the ordering and analysis of an earlier factorisation.
    ///
    /// # Errors
    /// [`LinalgError::Symbolic`] if the symmetrised patterns differ; otherwise as [`new`](Self::new).
    pub fn with_symbolic(matrix: &SparseMatrix, symbolic: Arc<SymbolicCholesky>) -> Result<Self, LinalgError> {
        matrix.check_finite()?;
        let (col_ptr, row_idx) = symmetrised(matrix)?;
        if symbolic.pattern() != (&col_ptr[..], &row_idx[..]) {
            return Err(LinalgError::Symbolic { n: matrix.ncols(), reason: "the pattern was not analysed".into() });
        }
        Self::eliminated(matrix, symbolic)
    }

    fn eliminated(matrix: &SparseMatrix, symbolic: Arc<SymbolicCholesky>) -> Result<Self, LinalgError> {
        let fronts = eliminate(matrix, &symbolic)?;
        let fill = fronts.iter().map(|f| f.pivots.len() + f.lower.len() + f.upper.len()).sum();
        let mut factor = Self { symbolic, fronts, report: SparseLuReport { fill, ..Default::default() } };
        factor.report.residual = test_residual(matrix, &factor);
        // Written so that NaN fails too.
        if factor.report.residual <= TEST_RESIDUAL {
            Ok(factor)
        } else {
            Err(LinalgError::Singular { what: "LU on the diagonal", residual: factor.report.residual })
        }
    }

    /// The ordering and analysis, for [`with_symbolic`](Self::with_symbolic).
    pub fn symbolic(&self) -> &Arc<SymbolicCholesky> {
        &self.symbolic
    }

    /// What the factorisation cost and how well it solves.
    pub fn report(&self) -> SparseLuReport {
        self.report
    }

    fn solve(&self, b: MatMut<'_, f64>, transpose: bool) {
        column_pieces(b, LANES).into_par_iter().for_each(|piece| match piece.ncols() {
            0 => {}
            1 => self.solve_lanes::<1>(piece, transpose),
            2..=4 => self.solve_lanes::<4>(piece, transpose),
            _ => self.solve_lanes::<LANES>(piece, transpose),
        });
    }

    fn solve_lanes<const W: usize>(&self, piece: MatMut<'_, f64>, transpose: bool) {
        let (mut piece, order) = (piece, self.symbolic.order());
        let mut x = vec![[0.0; W]; order.len()];
        for j in 0..piece.ncols() {
            for (row, &old) in x.iter_mut().zip(order) {
                row[j] = piece[(old, j)];
            }
        }
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for front in &self.fronts {
                    if transpose { front.forward_upper(&mut x) } else { front.forward_lower(&mut x) }
                }
                for front in self.fronts.iter().rev() {
                    if transpose { front.backward_lower(&mut x) } else { front.backward_upper(&mut x) }
                }
            },
        );
        for j in 0..piece.ncols() {
            for (row, &old) in x.iter().zip(order) {
                piece[(old, j)] = row[j];
            }
        }
    }
}

impl Factorization for DominantLu {
    fn dim(&self) -> usize {
        self.symbolic.dim()
    }
    fn apply_inverse(&self, b: MatMut<'_, f64>) {
        self.solve(b, false);
    }
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) {
        self.solve(b, true);
    }
}

impl Front {
    /// `x <- L⁻¹ x` on this front's pivots, and what they owe the rows below.
    #[inline(always)]
    fn forward_lower<const W: usize>(&self, x: &mut [[f64; W]]) {
        for i in 0..self.width {
            let mut total = x[self.first + i];
            for j in 0..i {
                subtract(&mut total, self.pivots[i * self.width + j], &x[self.first + j]);
            }
            x[self.first + i] = total;
        }
        self.scatter(&self.lower, x);
    }

    /// As [`forward_lower`](Self::forward_lower) with Uᵀ in place of L.
    #[inline(always)]
    fn forward_upper<const W: usize>(&self, x: &mut [[f64; W]]) {
        for i in 0..self.width {
            let mut total = x[self.first + i];
            for j in 0..i {
                subtract(&mut total, self.pivots[j * self.width + i], &x[self.first + j]);
            }
            let pivot = self.pivots[i * self.width + i];
            x[self.first + i] = total.map(|v| v / pivot);
        }
        self.scatter(&self.upper, x);
    }

    /// `x <- U⁻¹ x` on this front's pivots, all later ones being known.
    #[inline(always)]
    fn backward_upper<const W: usize>(&self, x: &mut [[f64; W]]) {
        self.gather(&self.upper, x);
        for i in (0..self.width).rev() {
            let mut total = x[self.first + i];
            for j in i + 1..self.width {
                subtract(&mut total, self.pivots[i * self.width + j], &x[self.first + j]);
            }
            let pivot = self.pivots[i * self.width + i];
            x[self.first + i] = total.map(|v| v / pivot);
        }
    }

    /// As [`backward_upper`](Self::backward_upper) with Lᵀ in place of U.
    #[inline(always)]
    fn backward_lower<const W: usize>(&self, x: &mut [[f64; W]]) {
        self.gather(&self.lower, x);
        for i in (0..self.width).rev() {
            let mut total = x[self.first + i];
            for j in i + 1..self.width {
                subtract(&mut total, self.pivots[j * self.width + i], &x[self.first + j]);
            }
            x[self.first + i] = total;
        }
    }

    #[inline(always)]
    fn scatter<const W: usize>(&self, entries: &[f64], x: &mut [[f64; W]]) {
        let (solved, below) = x.split_at_mut(self.first + self.width);
        let solved = &solved[self.first..];
        for (row, &target) in entries.chunks_exact(self.width).zip(&self.pattern) {
            let mut total = [0.0; W];
            for (l, xj) in row.iter().zip(solved) {
                for w in 0..W {
                    total[w] += l * xj[w];
                }
            }
            subtract(&mut below[target - self.first - self.width], 1.0, &total);
        }
    }

    #[inline(always)]
    fn gather<const W: usize>(&self, entries: &[f64], x: &mut [[f64; W]]) {
        let (open, known) = x.split_at_mut(self.first + self.width);
        let open = &mut open[self.first..];
        for (row, &source) in entries.chunks_exact(self.width).zip(&self.pattern) {
            let value = &known[source - self.first - self.width];
            for (l, xj) in row.iter().zip(open.iter_mut()) {
                subtract(xj, *l, value);
            }
        }
    }
}

#[inline(always)]
fn subtract<const W: usize>(target: &mut [f64; W], factor: f64, x: &[f64; W]) {
    for w in 0..W {
        target[w] -= factor * x[w];
    }
}

/// Lower triangle of the pattern of A + Aᵀ, diagonal included.
fn symmetrised(matrix: &SparseMatrix) -> Result<(Vec<usize>, Vec<usize>), LinalgError> {
    let n = matrix.square()?;
    let (row_ptr, columns, _) = matrix.to_rows();
    let (mut col_ptr, mut row_idx) = (vec![0], Vec::with_capacity(matrix.nnz()));
    let mut column = Vec::new();
    for j in 0..n {
        column.clear();
        column.push(j);
        column.extend(matrix.column(j).map(|(i, _)| i).filter(|&i| i > j));
        column.extend(columns[row_ptr[j]..row_ptr[j + 1]].iter().copied().filter(|&i| i > j));
        column.sort_unstable();
        column.dedup();
        row_idx.extend_from_slice(&column);
        col_ptr.push(row_idx.len());
    }
    Ok((col_ptr, row_idx))
}

fn eliminate(matrix: &SparseMatrix, symbolic: &SymbolicCholesky) -> Result<Vec<Front>, LinalgError> {
    let nodes = symbolic.supernodes()?;
    let permuted = matrix.permuted(symbolic.order())?;
    let (row_ptr, columns, row_values) = permuted.to_rows();
    let mut node_of = vec![0; symbolic.dim()];
    for s in 0..nodes.n_supernodes() {
        node_of[nodes.supernode_begin()[s]..nodes.supernode_end()[s]].fill(s);
    }
    // Updates wait at the front that eliminates their first row.
    let mut waiting: Vec<Vec<(usize, Mat<f64>)>> = (0..nodes.n_supernodes()).map(|_| Vec::new()).collect();
    let mut fronts: Vec<Front> = Vec::with_capacity(nodes.n_supernodes());
    let mut place = vec![0; symbolic.dim()];
    for s in 0..nodes.n_supernodes() {
        let (first, end) = (nodes.supernode_begin()[s], nodes.supernode_end()[s]);
        let (width, pattern) = (end - first, nodes.supernode(s).pattern());
        let size = width + pattern.len();
        for i in first..end {
            place[i] = i - first;
        }
        for (r, &i) in pattern.iter().enumerate() {
            place[i] = width + r;
        }
        let mut front = Mat::<f64>::zeros(size, size);
        for j in first..end {
            for (i, value) in permuted.column(j).filter(|&(i, _)| i >= first) {
                front[(place[i], j - first)] += value;
            }
            for at in (row_ptr[j]..row_ptr[j + 1]).filter(|&at| columns[at] >= end) {
                front[(j - first, place[columns[at]])] += row_values[at];
            }
        }
        for (child, update) in waiting[s].drain(..) {
            let rows = &fronts[child].pattern;
            for (c, &j) in rows.iter().enumerate() {
                let target = place[j];
                for (r, &i) in rows.iter().enumerate() {
                    front[(place[i], target)] += update[(r, c)];
                }
            }
        }
        eliminate_front(front.as_mut(), width);
        for i in 0..width {
            if !(front[(i, i)] != 0.0 && front[(i, i)].is_finite()) {
                return Err(LinalgError::Singular { what: "LU on the diagonal", residual: f64::NAN });
            }
        }
        let rows = |block: MatRef<'_, f64>| -> Vec<f64> {
            (0..block.nrows()).flat_map(|i| (0..block.ncols()).map(move |j| block[(i, j)])).collect()
        };
        fronts.push(Front {
            first,
            width,
            pattern: pattern.to_vec(),
            pivots: rows(front.as_ref().submatrix(0, 0, width, width)),
            lower: rows(front.as_ref().submatrix(width, 0, size - width, width)),
            upper: rows(front.as_ref().submatrix(0, width, width, size - width).transpose()),
        });
        if let Some(&next) = pattern.iter().min() {
            let update = front.as_ref().submatrix(width, width, size - width, size - width).to_owned();
            waiting[node_of[next]].push((s, update));
        }
    }
    Ok(fronts)
}

/// Eliminates the first `width` pivots of a square front in place.
fn eliminate_front(front: MatMut<'_, f64>, width: usize) {
    let (mut pivots, mut right, mut below, corner) = front.split_at_mut(width, width);
    for start in (0..width).step_by(BLOCK) {
        let block = BLOCK.min(width - start);
        let active = pivots.as_mut().submatrix_mut(start, start, width - start, width - start);
        let (mut diagonal, mut row, mut column, rest) = active.split_at_mut(block, block);
        for k in 0..block {
            let pivot = diagonal[(k, k)];
            for i in k + 1..block {
                diagonal[(i, k)] /= pivot;
            }
            for j in k + 1..block {
                let u = diagonal[(k, j)];
                for i in k + 1..block {
                    diagonal[(i, j)] -= diagonal[(i, k)] * u;
                }
            }
        }
        solve_sides(diagonal.as_ref(), row.as_mut(), column.as_mut());
        matmul(rest, Accum::Add, column.as_ref(), row.as_ref(), -1.0, Par::Seq);
    }
    solve_sides(pivots.as_ref(), right.as_mut(), below.as_mut());
    matmul(corner, Accum::Add, below.as_ref(), right.as_ref(), -1.0, Par::Seq);
}

/// `right <- L⁻¹ right` and `below <- below U⁻¹` for a factored block LU.
fn solve_sides(lu: MatRef<'_, f64>, right: MatMut<'_, f64>, below: MatMut<'_, f64>) {
    solve_unit_lower_triangular_in_place(lu, right, Par::Seq);
    solve_lower_triangular_in_place(lu.transpose(), below.transpose_mut(), Par::Seq);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::tests::{rotor, solve_error};
    use crate::ordering::nested_dissection;

    #[test]
    fn both_orderings_solve_forward_and_transposed() {
        let cells = [13, 12, 14];
        let a = rotor(&cells, 1e-3);
        for ordering in [Ordering::Amd, Ordering::Custom(nested_dissection(&cells))] {
            let lu = DominantLu::new(&a, ordering).unwrap();
            assert!(lu.report().residual < 1e-14, "{:?}", lu.report());
            let other = rotor(&cells, 1e-2);
            let again = DominantLu::with_symbolic(&other, lu.symbolic().clone()).unwrap();
            for transpose in [false, true] {
                assert!(solve_error(&a, &lu, transpose) < 1e-9);
                assert!(solve_error(&other, &again, transpose) < 1e-9);
            }
            let smaller = rotor(&[12, 12, 14], 1e-2);
            assert!(DominantLu::with_symbolic(&smaller, lu.symbolic().clone()).is_err());
        }
    }

    #[test]
    fn a_column_has_the_same_bits_alone_and_in_company() {
        let a = rotor(&[7, 8, 9], 1e-2);
        let lu = DominantLu::new(&a, Ordering::Amd).unwrap();
        let b = Mat::from_fn(a.ncols(), 19, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
        for transpose in [false, true] {
            let mut together = b.clone();
            lu.solve(together.as_mut(), transpose);
            for j in 0..b.ncols() {
                let mut alone = b.as_ref().subcols(j, 1).to_owned();
                lu.solve(alone.as_mut(), transpose);
                assert_eq!(alone, together.as_ref().subcols(j, 1).to_owned());
            }
        }
    }

    #[test]
    fn unsymmetric_patterns_and_wide_fronts_are_handled() {
        // A dense column-dominant matrix with holes above the diagonal: one front wider than a block.
        let n = 2 * BLOCK + 5;
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for j in 0..n {
            for i in (0..n).filter(|i| *i >= j || (i + j) % 3 == 0) {
                rows.push(i);
                values.push(if i == j { n as f64 } else { -((i * 7 + j * 3) as f64 * 0.1).sin().abs() });
            }
            col_ptr.push(rows.len());
        }
        let a = SparseMatrix::new(n, col_ptr, rows, values).unwrap();
        let lu = DominantLu::new(&a, Ordering::Amd).unwrap();
        for transpose in [false, true] {
            assert!(solve_error(&a, &lu, transpose) < 1e-13);
        }
    }

    #[test]
    fn singular_and_unsuitable_matrices_are_noticed() {
        let dense = |values: [f64; 4]| SparseMatrix::new(2, vec![0, 2, 4], vec![0, 1, 0, 1], values.to_vec()).unwrap();
        for values in [[1.0, 2.0, 2.0, 4.0], [0.0, 1.0, 1.0, 0.0], [1e-20, 1.0, 1.0, 1.0]] {
            let lu = DominantLu::new(&dense(values), Ordering::Amd);
            assert!(matches!(lu, Err(LinalgError::Singular { .. })), "{values:?}");
        }
        let wide = SparseMatrix::new(1, vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
        assert!(DominantLu::new(&wide, Ordering::Amd).is_err());
        assert!(DominantLu::new(&dense([1.0; 4]), Ordering::Custom(vec![0, 0])).is_err());
    }
}
