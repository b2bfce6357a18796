//! Linear maps and factored matrices, known by their action on blocks.

use faer::{Mat, MatMut, MatRef};

use crate::dense::{as_column, as_column_mut};

/// A real linear map, known by its action on blocks of columns.
///
/// # Shapes
/// An m x n operator takes `x` (n x r) to `out` (m x r) in [`apply`](LinearOp::apply)
/// and `y` (m x r) to `out` (n x r) in [`apply_transpose`](LinearOp::apply_transpose);
/// r may be any number. Both overwrite `out`.
pub trait LinearOp: Sync {
    /// Number of rows m.
    fn nrows(&self) -> usize;
    /// Number of columns n.
    fn ncols(&self) -> usize;
    /// `out = A x`.
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>);
    /// `out = A^T y`, with the plain sign.
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>);
    /// The matrix itself, where it is stored densely.
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        None
    }
    /// The entries by rows, where they can be made when they are asked for, again and again.
    fn as_rows(&self) -> Option<&dyn RowSource> {
        None
    }
    /// The matrix as a dense array (m x n), by applying the operator to the identity if need be.
    fn to_dense(&self) -> Mat<f64> {
        match self.as_dense() {
            Some(dense) => dense.to_owned(),
            None => {
                let mut out = Mat::zeros(self.nrows(), self.ncols());
                self.apply(out.as_mut(), Mat::<f64>::identity(self.ncols(), self.ncols()).as_ref());
                out
            }
        }
    }
    /// As [`to_dense`](Self::to_dense), without a copy where the matrix is stored densely.
    fn into_dense(self) -> Mat<f64>
    where
        Self: Sized,
    {
        self.to_dense()
    }
    /// As [`into_dense`](Self::into_dense), for operators behind a pointer.
    ///
    /// Whoever overrides one of the two overrides both.
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        self.to_dense()
    }
}

/// Entries of an m x n matrix that are made row by row when they are asked for.
pub trait RowSource: Sync {
    /// Writes some rows, each to the first n of `stride` entries of `out`, in any order and as often as they are named.
    ///
    /// # Shapes
    /// `rows`: numbers below m; `out`: at least (rows − 1) `stride` + n entries, `stride` ≥ n.
    fn fill_rows(&self, rows: &[usize], stride: usize, out: &mut [f64]);
}

/// A factored square matrix: fallible to make, infallible to apply.
pub trait Factorization: Sync {
    /// Dimension n of the matrix.
    fn dim(&self) -> usize;
    /// `b <- A^{-1} b` for a block of right-hand sides (n x r).
    fn apply_inverse(&self, b: MatMut<'_, f64>);
    /// `b <- A^{-T} b` for a block of right-hand sides (n x r).
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>);
}

impl LinearOp for Mat<f64> {
    fn nrows(&self) -> usize {
        self.as_ref().nrows()
    }
    fn ncols(&self) -> usize {
        self.as_ref().ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        crate::dense::multiply(out, self.as_ref(), x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        crate::dense::multiply_transpose(out, self.as_ref(), y);
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        Some(self.as_ref())
    }
    fn as_rows(&self) -> Option<&dyn RowSource> {
        Some(self)
    }
    fn into_dense(self) -> Mat<f64> {
        self
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        *self
    }
}

impl RowSource for Mat<f64> {
    fn fill_rows(&self, rows: &[usize], stride: usize, out: &mut [f64]) {
        for j in 0..self.ncols() {
            let column = self.col_as_slice(j);
            out[j..].iter_mut().step_by(stride).zip(rows).for_each(|(out, &i)| *out = column[i]);
        }
    }
}

/// The entries of an operator: borrowed where it stores them, formed where it does not.
pub(crate) enum Entries<'a> {
    Stored(MatRef<'a, f64>),
    Formed(Mat<f64>),
}

impl<'a> Entries<'a> {
    pub(crate) fn of(a: &'a dyn LinearOp) -> Self {
        a.as_dense().map_or_else(|| Self::Formed(a.to_dense()), Self::Stored)
    }

    pub(crate) fn as_ref(&self) -> MatRef<'_, f64> {
        match self {
            Self::Stored(entries) => *entries,
            Self::Formed(entries) => entries.as_ref(),
        }
    }
}

impl<T: LinearOp + ?Sized> LinearOp for Box<T> {
    fn nrows(&self) -> usize {
        (**self).nrows()
    }
    fn ncols(&self) -> usize {
        (**self).ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        (**self).apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        (**self).apply_transpose(out, y);
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        (**self).as_dense()
    }
    fn as_rows(&self) -> Option<&dyn RowSource> {
        (**self).as_rows()
    }
    fn to_dense(&self) -> Mat<f64> {
        (**self).to_dense()
    }
    fn into_dense(self) -> Mat<f64> {
        self.into_dense_boxed()
    }
    fn into_dense_boxed(self: Box<Self>) -> Mat<f64> {
        (*self).into_dense_boxed()
    }
}

impl<T: LinearOp + ?Sized> LinearOp for &T {
    fn nrows(&self) -> usize {
        (**self).nrows()
    }
    fn ncols(&self) -> usize {
        (**self).ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        (**self).apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        (**self).apply_transpose(out, y);
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        (**self).as_dense()
    }
    fn as_rows(&self) -> Option<&dyn RowSource> {
        (**self).as_rows()
    }
    fn to_dense(&self) -> Mat<f64> {
        (**self).to_dense()
    }
}

/// `A x` for one vector.
pub fn apply_vec(op: &dyn LinearOp, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; op.nrows()];
    op.apply(as_column_mut(&mut out), as_column(x));
    out
}

/// `A^T y` for one vector.
pub fn apply_transpose_vec(op: &dyn LinearOp, y: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; op.ncols()];
    op.apply_transpose(as_column_mut(&mut out), as_column(y));
    out
}

/// `A⁻¹ b` for one vector.
///
/// # Panics
/// If `b` has not [`Factorization::dim`] entries.
pub fn solve(factor: &dyn Factorization, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    factor.apply_inverse(as_column_mut(&mut x));
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_in_a_box_is_the_operator() {
        /// Twice the identity of ℝ³, by its action alone.
        struct Twice;
        impl LinearOp for Twice {
            fn nrows(&self) -> usize {
                3
            }
            fn ncols(&self) -> usize {
                3
            }
            fn apply(&self, mut out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
                out.copy_from(x * faer::Scale(2.0));
            }
            fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
                self.apply(out, y);
            }
        }
        let z = Mat::from_fn(4, 3, |i, j| (i * 3 + j) as f64);
        let place = z.as_ptr();
        let ops: [Box<dyn LinearOp + Send>; 2] = [Box::new(z.clone()), Box::new(Twice)];
        assert_eq!(apply_vec(&ops[0], &[1.0, 2.0, 3.0]), apply_vec(&z, &[1.0, 2.0, 3.0]));
        assert_eq!(apply_transpose_vec(&ops[1], &[1.0, 2.0, 3.0]), [2.0, 4.0, 6.0]);
        assert!(ops[0].as_dense().is_some() && ops[1].as_dense().is_none());
        let boxed: Box<dyn LinearOp + '_> = Box::new(z);
        let back = Box::new(boxed).into_dense();
        assert_eq!((back.as_ptr(), back.nrows()), (place, 4), "a stored matrix comes out without a copy");
        let [_, twice] = ops;
        assert_eq!(twice.into_dense(), Mat::from_fn(3, 3, |i, j| if i == j { 2.0 } else { 0.0 }));
    }
}
