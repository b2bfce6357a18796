//! Dense kernels with a fixed split of the work: the same bits for any number of threads.
//!
//! Every call into faer's dense algorithms goes through this file, so that they
//! are instantiated once, sequentially, and parallelism is decided here.

use std::borrow::Cow;
use std::ops::Range;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltError, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par, Scale};
use rayon::prelude::*;

use crate::error::LinalgError;

/// Rows per task when a product is split over rows.
const ROW_CHUNK: usize = 8192;
/// Columns per task when a product is split over columns.
const COLUMN_CHUNK: usize = 64;
/// Tile edge of a large Gram matrix.
const GRAM_TILE: usize = 192;

/// Splits a block of columns into pieces of at most `width` columns that can be written in parallel.
pub fn column_pieces(mat: MatMut<'_, f64>, width: usize) -> Vec<MatMut<'_, f64>> {
    let mut rest = mat;
    let mut pieces = Vec::new();
    while rest.ncols() > width {
        let (head, tail) = rest.split_at_col_mut(width);
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}

/// The columns of a `Mat`, or of consecutive columns of one, as slices.
///
/// # Panics
/// If the entries of a column are not adjacent, as in a transposed view.
pub fn contiguous_columns(mat: MatMut<'_, f64>) -> Vec<&mut [f64]> {
    mat.col_iter_mut()
        .map(|column| match column.try_as_col_major_mut() {
            Some(column) => column.as_slice_mut(),
            None => panic!("the entries of a column are not adjacent"),
        })
        .collect()
}

fn row_pieces(mat: MatMut<'_, f64>, height: usize) -> Vec<MatMut<'_, f64>> {
    column_pieces(mat.transpose_mut(), height).into_iter().map(MatMut::transpose_mut).collect()
}

/// `out = A x`, split over rows of A.
pub fn multiply(out: MatMut<'_, f64>, a: MatRef<'_, f64>, x: MatRef<'_, f64>) {
    row_pieces(out, ROW_CHUNK).into_par_iter().enumerate().for_each(|(i, piece)| {
        let rows = piece.nrows();
        matmul(piece, Accum::Replace, a.subrows(i * ROW_CHUNK, rows), x, 1.0, Par::Seq);
    });
}

/// `out = A^T y`, split over columns of A.
pub fn multiply_transpose(out: MatMut<'_, f64>, a: MatRef<'_, f64>, y: MatRef<'_, f64>) {
    row_pieces(out, COLUMN_CHUNK).into_par_iter().enumerate().for_each(|(i, piece)| {
        let columns = piece.nrows();
        let block = a.subcols(i * COLUMN_CHUNK, columns);
        matmul(piece, Accum::Replace, block.transpose(), y, 1.0, Par::Seq);
    });
}

/// The Gram matrix `A^T A` (p x p, both triangles).
///
/// # Cost
/// k p² flops, in parallel over tiles of the lower triangle, and over blocks of
/// rows where there is one tile; block sums are added in order.
pub fn gram(a: MatRef<'_, f64>) -> Mat<f64> {
    let (k, p) = (a.nrows(), a.ncols());
    let tiles = gram_tiles(p);
    let height = if tiles.len() > 1 { k } else { ROW_CHUNK }.max(1);
    let tasks: Vec<(&GramTile, usize)> =
        tiles.iter().flat_map(|tile| (0..k.div_ceil(height)).map(move |block| (tile, block * height))).collect();
    let products: Vec<Mat<f64>> = tasks
        .par_iter()
        .map(|&((i, j), first)| {
            let rows = a.subrows(first, height.min(k - first));
            let (left, right) = (rows.subcols(i.start, i.len()), rows.subcols(j.start, j.len()));
            let mut tile = Mat::<f64>::zeros(left.ncols(), right.ncols());
            add_gram_tile(tile.as_mut(), Accum::Replace, left, right, i == j);
            tile
        })
        .collect();
    gram_of_tiles(p, tasks.into_iter().map(|(place, _)| place).zip(&products))
}

/// The Gram matrix, both triangles, from products of rows in tiles; those of one place add up.
pub(crate) fn gram_of_tiles<'a>(p: usize, tiles: impl Iterator<Item = (&'a GramTile, &'a Mat<f64>)>) -> Mat<f64> {
    let mut out = Mat::<f64>::zeros(p, p);
    for ((i, j), tile) in tiles {
        for c in 0..tile.ncols() {
            let first = if i == j { c } else { 0 };
            for r in first..tile.nrows() {
                out[(i.start + r, j.start + c)] += tile[(r, c)];
            }
        }
    }
    for col in 0..p {
        for row in col + 1..p {
            out[(col, row)] = out[(row, col)];
        }
    }
    out
}

/// Rows and columns of a tile.
pub(crate) type GramTile = (Range<usize>, Range<usize>);

/// Tiles of the lower triangle of a Gram matrix.
pub(crate) fn gram_tiles(p: usize) -> Vec<GramTile> {
    let edge = move |t: usize| t * GRAM_TILE..p.min((t + 1) * GRAM_TILE);
    let edges = p.div_ceil(GRAM_TILE);
    (0..edges).flat_map(|j| (j..edges).map(move |i| (edge(i), edge(j)))).collect()
}

/// One tile, leftᵀ right; of one on the diagonal the lower triangle.
pub(crate) fn add_gram_tile(
    tile: MatMut<'_, f64>,
    accum: Accum,
    left: MatRef<'_, f64>,
    right: MatRef<'_, f64>,
    diagonal: bool,
) {
    let structure = if diagonal { BlockStructure::TriangularLower } else { BlockStructure::Rectangular };
    let whole = BlockStructure::Rectangular;
    triangular::matmul(tile, structure, accum, left.transpose(), whole, right, whole, 1.0, Par::Seq);
}

/// Rows that begin `stride` entries apart.
pub(crate) fn row_major(rows: &[f64], count: usize, columns: usize, stride: usize) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice_with_stride(rows, columns, count, stride).transpose()
}

/// As [`row_major`], to write to: faer's own view of this kind takes the stride for that of columns.
pub(crate) fn row_major_mut(rows: &mut [f64], count: usize, columns: usize, stride: usize) -> MatMut<'_, f64> {
    MatMut::from_column_major_slice_with_stride_mut(rows, columns, count, stride).transpose_mut()
}

/// `out -= A B`.
pub(crate) fn subtract_product(out: MatMut<'_, f64>, a: MatRef<'_, f64>, b: MatRef<'_, f64>) {
    matmul(out, Accum::Add, a, b, -1.0, Par::Seq);
}

/// Adds R Rᵀ of a lower triangle R to the lower triangle of `out`.
pub(crate) fn add_square_of_lower(out: MatMut<'_, f64>, r: MatRef<'_, f64>) {
    triangular::matmul(
        out,
        BlockStructure::TriangularLower,
        Accum::Add,
        r,
        BlockStructure::TriangularLower,
        r.transpose(),
        BlockStructure::TriangularUpper,
        1.0,
        Par::Seq,
    );
}

/// The Cholesky factor in place of the lower triangle of a matrix.
///
/// # Errors
/// The pivot that is not positive.
pub(crate) fn cholesky(a: MatMut<'_, f64>) -> Result<(), usize> {
    let mut buffer = MemBuffer::new(cholesky_in_place_scratch::<f64>(a.nrows(), Par::Seq, Default::default()));
    let stack = MemStack::new(&mut buffer);
    match cholesky_in_place(a, Default::default(), Par::Seq, stack, Default::default()) {
        Ok(_) => Ok(()),
        Err(LltError::NonPositivePivot { index }) => Err(index),
    }
}

/// Euclidean norm of every column, safe against overflow and underflow of squares.
pub fn column_norms(a: MatRef<'_, f64>) -> Vec<f64> {
    (0..a.ncols()).into_par_iter().map(|j| norm(&column_slice(a, j))).collect()
}

/// A column as a slice, copied only if its entries are not adjacent.
pub(crate) fn column_slice(a: MatRef<'_, f64>, j: usize) -> Cow<'_, [f64]> {
    match a.col(j).try_as_col_major() {
        Some(column) => Cow::Borrowed(column.as_slice()),
        None => Cow::Owned(column(a, j)),
    }
}

/// A vector as a matrix of one column.
pub fn as_column(x: &[f64]) -> MatRef<'_, f64> {
    MatRef::from_column_major_slice(x, x.len(), 1)
}

/// A vector as a matrix of one column, to write to.
pub fn as_column_mut(x: &mut [f64]) -> MatMut<'_, f64> {
    let n = x.len();
    MatMut::from_column_major_slice_mut(x, n, 1)
}

/// A column as a contiguous vector.
pub fn column(a: MatRef<'_, f64>, j: usize) -> Vec<f64> {
    (0..a.nrows()).map(|i| a[(i, j)]).collect()
}

/// Two matrices of equally many rows side by side.
pub fn beside(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let n = a.ncols();
    Mat::from_fn(a.nrows(), n + b.ncols(), |i, j| if j < n { a[(i, j)] } else { b[(i, j - n)] })
}

/// Column sums `1^T A`.
pub fn column_sums(a: MatRef<'_, f64>) -> Vec<f64> {
    (0..a.ncols()).into_par_iter().map(|j| sum((0..a.nrows()).map(|i| a[(i, j)]))).collect()
}

/// Compensated (Neumaier) sum: the error does not grow with the number of terms.
pub fn sum(terms: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0f64, 0.0f64);
    for term in terms {
        let next = total + term;
        lost += if total.abs() >= term.abs() { (total - next) + term } else { (term - next) + total };
        total = next;
    }
    total + lost
}

/// Compensated dot product.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    sum(a.iter().zip(b).map(|(x, y)| x * y))
}

/// Euclidean norm, with scaling where the squares would overflow or underflow.
pub fn norm(a: &[f64]) -> f64 {
    let squares: f64 = a.iter().map(|v| v * v).sum();
    if (1e-280..1e300).contains(&squares) {
        return squares.sqrt();
    }
    let largest = a.iter().fold(0.0f64, |m, v| if v.is_nan() { f64::NAN } else { m.max(v.abs()) });
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * a.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
}

/// Upper-triangular factor R of a tall matrix with the transformed right-hand side.
#[derive(Debug, Clone)]
pub struct TallQr {
    /// R, min(k, p) x p.
    pub r: Mat<f64>,
    /// Leading entries of `Q^T b`, min(k, p).
    pub qtb: Vec<f64>,
    /// Norm of the part of b outside the range of A.
    pub outside: f64,
}

/// QR of the augmented matrix [A b] by blocks of rows (TSQR), without forming Q.
///
/// # Panics
/// If `b` has not k entries, or `extra` not p.
///
/// # Cost
/// 2 k p² flops in parallel row blocks and one block copy per thread; A is not copied whole.
pub fn tall_qr(a: MatRef<'_, f64>, b: &[f64], extra: Option<&[f64]>) -> TallQr {
    let (k, p) = (a.nrows(), a.ncols());
    // Tall blocks keep the merge cheap; the split depends on the shape only.
    let height = (4 * (p + 1)).max(4096);
    let blocks: Vec<(usize, usize)> =
        (0..k.div_ceil(height).max(1)).map(|i| (i * height, height.min(k - i * height))).collect();
    let mut factors: Vec<Mat<f64>> = blocks
        .par_iter()
        .map(|&(first, rows)| {
            let mut block = Mat::<f64>::zeros(rows, p + 1);
            for j in 0..p {
                for i in 0..rows {
                    block[(i, j)] = a[(first + i, j)];
                }
            }
            for i in 0..rows {
                block[(i, p)] = b[first + i];
            }
            upper_factor(block)
        })
        .collect();
    if let Some(diagonal) = extra {
        factors.push(Mat::from_fn(p, p + 1, |i, j| if i == j { diagonal[i] } else { 0.0 }));
    }
    let merged = if factors.len() == 1 {
        factors.swap_remove(0)
    } else {
        let rows = factors.iter().map(Mat::nrows).sum();
        let mut stacked = Mat::<f64>::zeros(rows, p + 1);
        let mut first = 0;
        for factor in &factors {
            stacked.as_mut().subrows_mut(first, factor.nrows()).copy_from(factor);
            first += factor.nrows();
        }
        upper_factor(stacked)
    };
    let rank_rows = merged.nrows().min(p);
    TallQr {
        r: merged.as_ref().submatrix(0, 0, rank_rows, p).to_owned(),
        qtb: (0..rank_rows).map(|i| merged[(i, p)]).collect(),
        outside: if merged.nrows() > p { merged[(p, p)].abs() } else { 0.0 },
    }
}

/// R of a Householder QR: min(m, n) x n.
fn upper_factor(a: Mat<f64>) -> Mat<f64> {
    let (m, n) = (a.nrows(), a.ncols());
    let qr = a.qr();
    let r = qr.R();
    Mat::from_fn(m.min(n), n, |i, j| if i <= j { r[(i, j)] } else { 0.0 })
}

/// 1, or a power of two near the largest entry of a matrix whose entries have no squares.
fn unit(a: MatRef<'_, f64>) -> f64 {
    let largest = a.norm_max();
    if largest == 0.0 || (1e-100..1e100).contains(&largest) {
        return 1.0;
    }
    2f64.powi(largest.log2().clamp(-1000.0, 1000.0) as i32)
}

/// Left singular vectors, singular values (decreasing) and right singular vectors.
pub type SingularTriple = (Mat<f64>, Vec<f64>, Mat<f64>);

/// Singular value decomposition of a small matrix.
///
/// # Errors
/// [`LinalgError::NoConvergence`], for NaN input among others.
pub fn small_svd(a: MatRef<'_, f64>) -> Result<SingularTriple, LinalgError> {
    if a.nrows() == 0 || a.ncols() == 0 {
        return Ok((Mat::zeros(a.nrows(), 0), Vec::new(), Mat::zeros(a.ncols(), 0)));
    }
    let unit = unit(a);
    let svd = (a * Scale(1.0 / unit)).thin_svd();
    let svd = svd.map_err(|_| LinalgError::NoConvergence { what: "singular value decomposition" })?;
    let s: Vec<f64> = (0..svd.S().dim()).map(|i| unit * svd.S()[i]).collect();
    if s.iter().any(|v| !v.is_finite()) {
        return Err(LinalgError::NoConvergence { what: "singular value decomposition" });
    }
    Ok((svd.U().to_owned(), s, svd.V().to_owned()))
}

/// Eigenvalues (increasing) and eigenvectors (columns) of a symmetric matrix.
///
/// # Panics
/// If the matrix is not square.
pub fn symmetric_eigen(a: MatRef<'_, f64>) -> Result<(Vec<f64>, Mat<f64>), LinalgError> {
    // faer answers Ok for NaN input, so finiteness is checked on both sides.
    let bad = |m: MatRef<'_, f64>| (0..m.ncols()).any(|j| (0..m.nrows()).any(|i| !m[(i, j)].is_finite()));
    let fail = LinalgError::NoConvergence { what: "symmetric eigenvalue decomposition" };
    if bad(a) {
        return Err(fail);
    }
    let unit = unit(a);
    let eigen = (a * Scale(1.0 / unit)).self_adjoint_eigen(faer::Side::Lower).map_err(|_| fail.clone())?;
    let values: Vec<f64> = (0..a.ncols()).map(|i| unit * eigen.S()[i]).collect();
    if values.iter().any(|v| !v.is_finite()) {
        return Err(fail);
    }
    Ok((values, eigen.U().to_owned()))
}

/// Solves `U x = b` (`upper = true`) or `U^T x = b` for an upper-triangular U with nonzero diagonal.
pub fn solve_upper(u: MatRef<'_, f64>, b: &mut [f64], transpose: bool) {
    for step in 0..b.len() {
        if transpose {
            let u = column_slice(u, step);
            let known: f64 = u[..step].iter().zip(&b[..step]).map(|(u, b)| u * b).sum();
            b[step] = (b[step] - known) / u[step];
        } else {
            let i = b.len() - 1 - step;
            let u = column_slice(u, i);
            b[i] /= u[i];
            let x = b[i];
            b[..i].iter_mut().zip(&u[..i]).for_each(|(b, u)| *b -= u * x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_taken_off_rows_of_any_layout() {
        for (m, n, p, stride) in
            [(3, 2, 5, 5), (24, 24, 37, 40), (83, 64, 37, 40), (70, 31, 200, 208), (30, 64, 12, 16)]
        {
            let (a, b, c) = (sample(m + 7, n + 2), sample(n, p), sample(m, p));
            let a = a.submatrix(5, 1, m, n);
            let rows = |x: &Mat<f64>| {
                (0..x.nrows() * stride)
                    .map(|t| if t % stride < p { x[(t / stride, t % stride)] } else { f64::NAN })
                    .collect::<Vec<f64>>()
            };
            let (solved, mut out) = (rows(&b), rows(&c));
            let view = row_major_mut(&mut out, m, p, stride);
            subtract_product(view, a, row_major(&solved, n, p, stride));
            for (i, j) in (0..m).flat_map(|i| (0..p).map(move |j| (i, j))) {
                let wanted = c[(i, j)] - (0..n).map(|t| a[(i, t)] * b[(t, j)]).sum::<f64>();
                assert!(
                    (out[i * stride + j] - wanted).abs() < 1e-12,
                    "{m} {n} {p} at {i} {j}: {} {wanted}",
                    out[i * stride + j]
                );
            }
        }
    }

    fn sample(m: usize, n: usize) -> Mat<f64> {
        Mat::from_fn(m, n, |i, j| ((i * 37 + j * 101) as f64 * 0.618).sin() + if i == j { 2.0 } else { 0.0 })
    }

    #[test]
    fn gram_equals_the_product_across_tiles() {
        let a = sample(500, 2 * GRAM_TILE + 7);
        let g = gram(a.as_ref());
        let reference = a.transpose() * &a;
        assert!((&g - &reference).norm_max() <= 1e-12 * reference.norm_max());
    }

    #[test]
    fn tall_qr_keeps_gram_and_right_hand_side() {
        let a = sample(10_000, 9);
        let b: Vec<f64> = (0..10_000).map(|i| (i as f64 * 0.01).cos()).collect();
        let qr = tall_qr(a.as_ref(), &b, None);
        let g = qr.r.transpose() * &qr.r;
        assert!((&g - gram(a.as_ref())).norm_max() < 1e-10 * g.norm_max());
        let norm2 = norm(&qr.qtb).hypot(qr.outside);
        assert!((norm2 - norm(&b)).abs() < 1e-12 * norm2);
    }

    #[test]
    fn compensated_sum_keeps_what_plain_summation_loses() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
    }

    #[test]
    fn norm_neither_overflows_nor_underflows() {
        assert!((norm(&[3e200, 4e200]) / 5e200 - 1.0).abs() < 1e-15);
        assert!((norm(&[3e-200, 4e-200]) / 5e-200 - 1.0).abs() < 1e-15);
        assert!(norm(&[1.0, f64::NAN]).is_nan());
    }
}
