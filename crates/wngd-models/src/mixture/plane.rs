//! Products of a derivative in the plane whose components are products along the axes.

use wngd_linalg::dense::{as_column, beside, multiply};
use wngd_linalg::faer::{Mat, MatMut, MatRef};

use super::tables::AxisTable;

/// ∂ρ(i, j) = v(i) w(j) (s(i) + t(j)) for every parameter: sums over parameters or cells are products of its tables.
///
/// # Cost
/// k p multiplications per vector, in matrix products.
pub(super) struct Plane {
    first: Axis,
    second: Axis,
}

/// Tables of one axis as matrices, a row for each cell of it.
struct Axis {
    /// Values of the components of weights.
    weights: Mat<f64>,
    /// Values of the components of other parameters, and these times their scores.
    value: Mat<f64>,
    scored: Mat<f64>,
    /// Values of the last component.
    last: Vec<f64>,
}

impl Axis {
    fn new(table: &AxisTable) -> Self {
        let cells = table.last.len();
        let matrix = |table: &[f64]| MatRef::from_row_major_slice(table, cells, table.len() / cells).to_owned();
        let scored: Vec<f64> = table.value.iter().zip(&table.score).map(|(value, score)| value * score).collect();
        Self {
            weights: matrix(&table.of_weights),
            value: matrix(&table.value),
            scored: matrix(&scored),
            last: table.last.clone(),
        }
    }
}

/// Matrices side by side.
fn row(parts: [MatRef<'_, f64>; 3]) -> Mat<f64> {
    beside(beside(parts[0], parts[1]).as_ref(), parts[2])
}

impl Plane {
    pub(super) fn new(first: &AxisTable, second: &AxisTable) -> Self {
        Self { first: Axis::new(first), second: Axis::new(second) }
    }

    /// `out = Z x`.
    pub(super) fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        let Self { first, second } = self;
        let (n, count) = (second.last.len(), first.weights.ncols());
        let right = row([second.weights.as_ref(), second.value.as_ref(), second.scored.as_ref()]);
        let right = beside(right.as_ref(), as_column(&second.last));
        let mut out = out;
        for c in 0..x.ncols() {
            let scaled = |table: &Mat<f64>, from: usize| {
                Mat::from_fn(table.nrows(), table.ncols(), |i, q| table[(i, q)] * x[(from + q, c)])
            };
            let all: f64 = (0..count).map(|q| x[(q, c)]).sum();
            let last: Vec<f64> = first.last.iter().map(|last| -all * last).collect();
            let (weights, scored) = (scaled(&first.weights, 0), scaled(&first.scored, count));
            let left = row([weights.as_ref(), scored.as_ref(), scaled(&first.value, count).as_ref()]);
            let left = beside(left.as_ref(), as_column(&last));
            let mut sums = Mat::zeros(left.nrows(), n);
            multiply(sums.as_mut(), left.as_ref(), right.transpose());
            for i in 0..sums.nrows() {
                (0..n).for_each(|j| out[(i * n + j, c)] = sums[(i, j)]);
            }
        }
    }

    /// `out = Zᵀ y`.
    pub(super) fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        let Self { first, second } = self;
        let (m, n) = (first.last.len(), second.last.len());
        let (count, own) = (first.weights.ncols(), first.value.ncols());
        let right = row([second.weights.as_ref(), second.value.as_ref(), second.scored.as_ref()]);
        let mut out = out;
        for c in 0..y.ncols() {
            let cells = Mat::from_fn(m, n, |i, j| y[(i * n + j, c)]);
            let mut sums = Mat::zeros(m, right.ncols());
            multiply(sums.as_mut(), cells.as_ref(), right.as_ref());
            let along = |i: usize| (0..n).map(|j| cells[(i, j)] * second.last[j]).sum::<f64>();
            let last: f64 = (0..m).map(|i| first.last[i] * along(i)).sum();
            for q in 0..count {
                out[(q, c)] = (0..m).map(|i| first.weights[(i, q)] * sums[(i, q)]).sum::<f64>() - last;
            }
            for q in 0..own {
                let (plain, scored) = (count + q, count + own + q);
                let term = |i: usize| first.scored[(i, q)] * sums[(i, plain)] + first.value[(i, q)] * sums[(i, scored)];
                out[(plain, c)] = (0..m).map(term).sum();
            }
        }
    }
}
