//! Sparse LU for column-diagonally-dominant matrices, with an ordering of the caller's choice.

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::lu::partial_pivoting::factor::PartialPivLuParams;
use faer::perm::PermRef;
use faer::sparse::linalg::lu::supernodal::{
    SupernodalLu, factorize_supernodal_numeric_lu, factorize_supernodal_numeric_lu_scratch,
    factorize_supernodal_symbolic_lu, factorize_supernodal_symbolic_lu_scratch, solve_in_place_scratch,
};
use faer::sparse::linalg::{colamd, qr};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Conj, MatMut, Par, Spec};
use rayon::prelude::*;

use crate::dense::{column_pieces, norm};
use crate::error::LinalgError;
use crate::operator::{Factorization, LinearOp, apply_vec, solve};
use crate::sparse::{SparseMatrix, inverse_permutation};

/// Right-hand sides solved together; more do not gain, and blocks run in parallel.
const BLOCK: usize = 64;
/// Largest relative residual of the test solve that a usable factorisation shows.
pub(crate) const TEST_RESIDUAL: f64 = 1e-8;

/// Fill-reducing ordering of a sparse LU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LuOrdering {
    /// Column approximate minimum degree, from the pattern alone.
    Colamd,
    /// A given elimination order: entry i is the original index of the i-th pivot.
    Custom(Vec<usize>),
}

/// What a sparse LU cost and how well it solves.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SparseLuReport {
    /// Entries of the factors; with row pivoting a bound from the symbolic analysis.
    pub fill: usize,
    /// Rows that were not eliminated on their own diagonal.
    pub off_diagonal_pivots: usize,
    /// Relative residual ‖b − Ax‖/(‖A‖‖x‖ + ‖b‖) of a test solve after the factorisation.
    pub residual: f64,
}

/// A supernodal LU of P A Pᵀ with row pivoting inside.
///
/// Room is kept for any row exchange, so that the fill is that of the Cholesky factor of AᵀA: little
/// more than needed where each face of a grid is stored in one direction only (upwind without
/// diffusion), several times too much where it is stored in both. There, if the diagonal dominates
/// each column, use [`DominantLu`](crate::DominantLu).
///
/// # Cost
/// On a 48³ grid with four entries a column and [`nested_dissection`](crate::nested_dissection)
/// about 4 s and 1.4 GB; time grows as n², memory as n^{4/3}.
pub struct SparseLu {
    lu: SupernodalLu<usize, f64>,
    /// order[i]: original index at place i; position: its inverse.
    order: Vec<usize>,
    position: Vec<usize>,
    row_perm: Vec<usize>,
    row_perm_inv: Vec<usize>,
    identity: Vec<usize>,
    report: SparseLuReport,
}

impl std::fmt::Debug for SparseLu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SparseLu").field("dim", &self.order.len()).field("report", &self.report).finish()
    }
}

impl SparseLu {
    /// Orders, analyses and factors a square matrix, then checks one solve.
    ///
    /// # Errors
    /// [`LinalgError::Singular`] if the test solve fails (the factorisation itself
    /// does not notice), [`LinalgError::Symbolic`] if memory runs out, and the
    /// errors of a bad ordering or shape.
    pub fn new(matrix: &SparseMatrix, ordering: LuOrdering) -> Result<Self, LinalgError> {
        let n = matrix.square()?;
        matrix.check_finite()?;
        let first = match ordering {
            LuOrdering::Custom(order) => order,
            LuOrdering::Colamd => colamd_order(n, matrix)?,
        };
        // Supernodes are found on consecutive columns: follow a postorder of the column tree.
        let post = Analysis::new(&matrix.permuted(&first)?)?.post;
        let order: Vec<usize> = post.iter().map(|&i| first[i]).collect();
        let position = inverse_permutation(&order, n)?;
        let permuted = matrix.permuted(&order)?;
        let analysis = Analysis::new(&permuted)?;
        // The same bound holds for L and for U.
        let fill = 2 * analysis.counts.iter().sum::<usize>();

        let (row_ptr, columns, row_values) = permuted.to_rows();
        let a = SparseColMatRef::new(pattern(n, permuted.col_ptr(), permuted.row_idx()), permuted.values());
        let transposed = SparseColMatRef::new(pattern(n, &row_ptr, &columns), &row_values[..]);
        let identity: Vec<usize> = (0..n).collect();
        let params: Spec<PartialPivLuParams, f64> = Default::default();

        let mut buffer = workspace(n, factorize_supernodal_symbolic_lu_scratch::<usize>(n, n))?;
        let Analysis { mut etree, min_col, counts, .. } = analysis;
        let tree = qr::col_etree(
            a.symbolic(),
            None,
            &mut etree,
            MemStack::new(&mut workspace(n, qr::col_etree_scratch::<usize>(n, n))?),
        );
        let symbolic = factorize_supernodal_symbolic_lu(
            a.symbolic(),
            None,
            &min_col,
            tree,
            &counts,
            MemStack::new(&mut buffer),
            Default::default(),
        )
        .map_err(|e| symbolic_error(n, e))?;

        let mut lu = SupernodalLu::new();
        let (mut row_perm, mut row_perm_inv) = (vec![0; n], vec![0; n]);
        let mut buffer = workspace(n, factorize_supernodal_numeric_lu_scratch::<usize, f64>(&symbolic, params))?;
        factorize_supernodal_numeric_lu(
            &mut row_perm,
            &mut row_perm_inv,
            &mut lu,
            a,
            transposed,
            PermRef::new_checked(&identity, &identity, n),
            &symbolic,
            Par::Seq,
            MemStack::new(&mut buffer),
            params,
        )
        .map_err(|_| LinalgError::Singular { what: "sparse LU", residual: f64::NAN })?;
        let off_diagonal_pivots = row_perm.iter().enumerate().filter(|(i, r)| i != *r).count();
        let report = SparseLuReport { fill, off_diagonal_pivots, residual: 0.0 };
        let mut factor = Self { lu, order, position, row_perm, row_perm_inv, identity, report };
        factor.report.residual = test_residual(matrix, &factor);
        // Written so that NaN fails too.
        if factor.report.residual <= TEST_RESIDUAL {
            Ok(factor)
        } else {
            Err(LinalgError::Singular { what: "sparse LU", residual: factor.report.residual })
        }
    }

    /// What the factorisation cost and how well it solves.
    pub fn report(&self) -> SparseLuReport {
        self.report
    }

    fn solve(&self, b: MatMut<'_, f64>, transpose: bool) {
        column_pieces(b, BLOCK).into_par_iter().for_each(|mut b| {
            let n = self.order.len();
            let mut x = faer::Mat::from_fn(n, b.ncols(), |i, j| b[(self.order[i], j)]);
            let rows = PermRef::new_checked(&self.row_perm, &self.row_perm_inv, n);
            let columns = PermRef::new_checked(&self.identity, &self.identity, n);
            let mut buffer = MemBuffer::new(solve_in_place_scratch::<usize, f64>(n, b.ncols(), Par::Seq));
            let stack = MemStack::new(&mut buffer);
            if transpose {
                self.lu.solve_transpose_in_place_with_conj(rows, columns, Conj::No, x.as_mut(), Par::Seq, stack);
            } else {
                self.lu.solve_in_place_with_conj(rows, columns, Conj::No, x.as_mut(), Par::Seq, stack);
            }
            for j in 0..b.ncols() {
                for i in 0..n {
                    b[(i, j)] = x[(self.position[i], j)];
                }
            }
        });
    }
}

impl Factorization for SparseLu {
    fn dim(&self) -> usize {
        self.order.len()
    }
    fn apply_inverse(&self, b: MatMut<'_, f64>) {
        self.solve(b, false);
    }
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) {
        self.solve(b, true);
    }
}

/// Relative residual ‖b − Ax‖/(‖A‖‖x‖ + ‖b‖) of a solve whose right-hand side excites every entry.
pub(crate) fn test_residual(matrix: &SparseMatrix, factor: &dyn Factorization) -> f64 {
    let b: Vec<f64> = (0..factor.dim()).map(|i| 1.0 + 0.5 * (1.7 * i as f64).sin()).collect();
    let x = solve(factor, &b);
    let residual: Vec<f64> = apply_vec(matrix, &x).iter().zip(&b).map(|(ax, b)| b - ax).collect();
    norm(&residual) / (norm(matrix.values()) * norm(&x) + norm(&b))
}

/// Column elimination tree of a pattern: the elimination tree of AᵀA.
struct Analysis {
    etree: Vec<usize>,
    post: Vec<usize>,
    counts: Vec<usize>,
    min_col: Vec<usize>,
}

impl Analysis {
    fn new(matrix: &SparseMatrix) -> Result<Self, LinalgError> {
        let n = matrix.ncols();
        let (row_ptr, columns, _) = matrix.to_rows();
        let a = pattern(n, matrix.col_ptr(), matrix.row_idx());
        let (mut etree, mut post, mut counts, mut min_col) = (vec![0; n], vec![0; n], vec![0; n], vec![0; n]);
        // The largest of the three needs: 5 n + n indices for the counts.
        let mut buffer = workspace(n, StackReq::new::<usize>(6 * n))?;
        let tree = qr::col_etree(a, None, &mut etree, MemStack::new(&mut buffer));
        qr::postorder(&mut post, tree, MemStack::new(&mut buffer));
        qr::column_counts_ata(
            &mut counts,
            &mut min_col,
            pattern(n, &row_ptr, &columns),
            None,
            tree,
            &post,
            MemStack::new(&mut buffer),
        );
        Ok(Self { etree, post, counts, min_col })
    }
}

fn pattern<'a>(n: usize, col_ptr: &'a [usize], row_idx: &'a [usize]) -> SymbolicSparseColMatRef<'a, usize> {
    SymbolicSparseColMatRef::new_checked(n, n, col_ptr, None, row_idx)
}

fn symbolic_error(n: usize, e: faer::sparse::FaerError) -> LinalgError {
    LinalgError::Symbolic { n, reason: format!("{e:?}") }
}

fn workspace(n: usize, scratch: StackReq) -> Result<MemBuffer, LinalgError> {
    MemBuffer::try_new(scratch)
        .map_err(|_| LinalgError::Symbolic { n, reason: "out of memory for the factorisation's workspace".into() })
}

fn colamd_order(n: usize, matrix: &SparseMatrix) -> Result<Vec<usize>, LinalgError> {
    let (mut order, mut inverse) = (vec![0; n], vec![0; n]);
    let mut buffer = workspace(n, colamd::order_scratch::<usize>(n, n, matrix.nnz()))?;
    colamd::order(
        &mut order,
        &mut inverse,
        pattern(n, matrix.col_ptr(), matrix.row_idx()),
        Default::default(),
        MemStack::new(&mut buffer),
    )
    .map_err(|e| symbolic_error(n, e))?;
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krylov::tests::{rotor, solve_error};
    use crate::ordering::nested_dissection;

    #[test]
    fn both_orderings_solve_forward_and_transposed() {
        let a = rotor(&[9, 8, 7], 1e-3);
        for ordering in [LuOrdering::Colamd, LuOrdering::Custom(nested_dissection(&[9, 8, 7]))] {
            let lu = SparseLu::new(&a, ordering).unwrap();
            assert_eq!(lu.report().off_diagonal_pivots, 0);
            assert!(lu.report().residual < 1e-14, "{:?}", lu.report());
            for transpose in [false, true] {
                assert!(solve_error(&a, &lu, transpose) < 1e-9);
            }
        }
    }

    #[test]
    fn singular_matrices_are_noticed() {
        // Faer answers Ok for this one, with NaN in the solution.
        let dependent = SparseMatrix::new(2, vec![0, 2, 4], vec![0, 1, 0, 1], vec![1.0, 2.0, 2.0, 4.0]).unwrap();
        assert!(matches!(SparseLu::new(&dependent, LuOrdering::Colamd), Err(LinalgError::Singular { .. })));
        let empty = SparseMatrix::new(2, vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
        assert!(SparseLu::new(&empty, LuOrdering::Colamd).is_err());
    }
}
