//! A matrix that does not show its entries.

use std::sync::Arc;

use wngd_linalg::LinearOp;
use wngd_linalg::faer::{Mat, MatMut, MatRef};

/// Products only.
#[derive(Debug, Clone)]
pub struct Hidden(pub Arc<Mat<f64>>);

impl LinearOp for Hidden {
    fn nrows(&self) -> usize {
        self.0.nrows()
    }
    fn ncols(&self) -> usize {
        self.0.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.0.apply(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.0.apply_transpose(out, y);
    }
}
