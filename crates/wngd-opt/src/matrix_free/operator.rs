use std::sync::atomic::{AtomicUsize, Ordering};

use wngd_adjoint::SolveCounts;
use wngd_linalg::dense::column;
use wngd_linalg::faer::{Mat, MatMut, MatRef};
use wngd_linalg::{LaplacianReport, LinearOp};

use crate::metric::LocalMetric;

/// Y = L Z as an operator: a tangent solve and a whitening forward, their transposes backward, counted.
pub(super) struct WhitenedJacobian<'a, J> {
    jacobian: J,
    local: Box<dyn LocalMetric + 'a>,
    rows: usize,
    tangent: AtomicUsize,
    adjoint: AtomicUsize,
}

impl<'a, J: LinearOp> WhitenedJacobian<'a, J> {
    pub(super) fn new(jacobian: J, local: Box<dyn LocalMetric + 'a>, rows: usize) -> Self {
        Self { jacobian, local, rows, tangent: AtomicUsize::new(0), adjoint: AtomicUsize::new(0) }
    }

    /// Number of state values k.
    pub(super) fn dim_state(&self) -> usize {
        self.jacobian.nrows()
    }

    /// Solves so far.
    pub(super) fn solves(&self) -> SolveCounts {
        SolveCounts {
            state: 0,
            tangent: self.tangent.load(Ordering::Relaxed),
            adjoint: self.adjoint.load(Ordering::Relaxed),
        }
    }

    /// What the metric's factorisation, or its solves so far, met.
    pub(super) fn laplacian(&self) -> Option<LaplacianReport> {
        self.local.laplacian()
    }

    /// Zᵀh, for probes h of Z itself.
    pub(super) fn adjoint(&self, h: MatRef<'_, f64>) -> Mat<f64> {
        self.adjoint.fetch_add(h.ncols(), Ordering::Relaxed);
        let mut out = Mat::zeros(self.jacobian.ncols(), h.ncols());
        self.jacobian.apply_transpose(out.as_mut(), h);
        out
    }

    /// Yᵀb by an adjoint solve, or as many as the metric asks for.
    pub(super) fn gradient(&self, u: &[f64]) -> Vec<f64> {
        self.local.gradient(&Counted(self), u)
    }

    /// The same where the tangents are at hand.
    pub(super) fn gradient_of(&self, z: &Mat<f64>, u: &[f64]) -> Vec<f64> {
        self.local.gradient(z, u)
    }

    /// Z by p tangents.
    pub(super) fn tangents(&self) -> Mat<f64> {
        self.tangent.fetch_add(self.jacobian.ncols(), Ordering::Relaxed);
        self.jacobian.to_dense()
    }

    /// L h: what the metric makes of cell functions, at no solve of the model.
    pub(super) fn whiten(&self, h: Mat<f64>) -> Mat<f64> {
        self.local.whiten(h).y
    }
}

/// Z itself, its solves counted.
struct Counted<'a, 'b, J>(&'a WhitenedJacobian<'b, J>);

impl<J: LinearOp> LinearOp for Counted<'_, '_, J> {
    fn nrows(&self) -> usize {
        self.0.jacobian.nrows()
    }
    fn ncols(&self) -> usize {
        self.0.jacobian.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.0.tangent.fetch_add(x.ncols(), Ordering::Relaxed);
        self.0.jacobian.apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.0.adjoint.fetch_add(y.ncols(), Ordering::Relaxed);
        self.0.jacobian.apply_transpose(out, y);
    }
    fn as_dense(&self) -> Option<MatRef<'_, f64>> {
        self.0.jacobian.as_dense()
    }
}

impl<J: LinearOp> LinearOp for WhitenedJacobian<'_, J> {
    fn nrows(&self) -> usize {
        self.rows
    }
    fn ncols(&self) -> usize {
        self.jacobian.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.tangent.fetch_add(x.ncols(), Ordering::Relaxed);
        let mut z = Mat::zeros(self.jacobian.nrows(), x.ncols());
        self.jacobian.apply(z.as_mut(), x);
        let mut out = out;
        out.copy_from(self.local.whiten(z).y);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.adjoint.fetch_add(y.ncols(), Ordering::Relaxed);
        let h = self.local.whiten_transpose(y.to_owned());
        self.jacobian.apply_transpose(out, h.as_ref());
    }
}

/// [A; √μ I] as an operator.
pub(super) struct Damped<'a> {
    pub(super) matrix: &'a dyn LinearOp,
    pub(super) root: f64,
}

impl LinearOp for Damped<'_> {
    fn nrows(&self) -> usize {
        self.matrix.nrows() + self.matrix.ncols()
    }
    fn ncols(&self) -> usize {
        self.matrix.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        let (top, bottom) = out.split_at_row_mut(self.matrix.nrows());
        self.matrix.apply(top, x);
        let mut bottom = bottom;
        for j in 0..x.ncols() {
            for i in 0..x.nrows() {
                bottom[(i, j)] = self.root * x[(i, j)];
            }
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        let (top, bottom) = y.split_at_row(self.matrix.nrows());
        let mut out = out;
        self.matrix.apply_transpose(out.as_mut(), top);
        for j in 0..bottom.ncols() {
            for i in 0..bottom.nrows() {
                out[(i, j)] += self.root * bottom[(i, j)];
            }
        }
    }
}

/// A R⁻¹ for an upper-triangular R.
pub(super) struct RightPreconditioned<'a> {
    pub(super) matrix: &'a dyn LinearOp,
    pub(super) r: &'a Mat<f64>,
}

impl LinearOp for RightPreconditioned<'_> {
    fn nrows(&self) -> usize {
        self.matrix.nrows()
    }
    fn ncols(&self) -> usize {
        self.matrix.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        let mut z = x.to_owned();
        for j in 0..z.ncols() {
            wngd_linalg::dense::solve_upper(self.r.as_ref(), z.col_as_slice_mut(j), false);
        }
        self.matrix.apply(out, z.as_ref());
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        let mut out = out;
        self.matrix.apply_transpose(out.as_mut(), y);
        for j in 0..out.ncols() {
            let mut z = column(out.as_ref(), j);
            wngd_linalg::dense::solve_upper(self.r.as_ref(), &mut z, true);
            for (i, v) in z.into_iter().enumerate() {
                out[(i, j)] = v;
            }
        }
    }
}
