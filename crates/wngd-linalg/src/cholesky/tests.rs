use std::ops::Range;
use std::sync::Arc;

use faer::{Mat, MatRef};

use super::*;
use crate::dominant_lu::DominantLu;
use crate::error::LinalgError;
use crate::ordering::{bisection, nested_dissection};
use crate::sparse::SparseMatrix;

const CELLS: [usize; 2] = [13, 9];

/// Lower triangle of a matrix on the faces of a grid, its off-diagonal entries of any size below 1.
fn lower() -> (usize, Vec<usize>, Vec<usize>, Vec<f64>) {
    let [rows, columns] = CELLS;
    let n = rows * columns;
    let (mut col_ptr, mut row_idx, mut values) = (vec![0], Vec::new(), Vec::new());
    for cell in 0..n {
        row_idx.push(cell);
        values.push(4.5);
        for (there, next) in [((cell + 1) % columns > 0, cell + 1), (cell + columns < n, cell + columns)] {
            if there {
                row_idx.push(next);
                values.push(-(0.2 + 0.7 * ((cell * 37 + next) as f64).sin().abs()));
            }
        }
        col_ptr.push(row_idx.len());
    }
    (n, col_ptr, row_idx, values)
}

fn product(n: usize, (col_ptr, row_idx, values): (&[usize], &[usize], &[f64]), x: &[f64]) -> Vec<f64> {
    let mut y = vec![0.0; n];
    for j in 0..n {
        for e in col_ptr[j]..col_ptr[j + 1] {
            y[row_idx[e]] += values[e] * x[j];
            if row_idx[e] != j {
                y[j] += values[e] * x[row_idx[e]];
            }
        }
    }
    y
}

fn parted() -> Ordering {
    let (parts, border) = bisection(&CELLS).unwrap();
    Ordering::Parted { parts, border }
}

#[test]
fn all_orders_solve_and_their_halves_fit_together() {
    let (n, col_ptr, row_idx, values) = lower();
    let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    let y = product(n, (&col_ptr, &row_idx, &values), &x);
    for ordering in [Ordering::Amd, Ordering::Custom(nested_dissection(&CELLS)), parted()] {
        let symbolic = SymbolicCholesky::new(n, col_ptr.clone(), row_idx.clone(), ordering.clone()).unwrap();
        let factor = Cholesky::new(Arc::new(symbolic), &values).unwrap();
        let order = factor.symbolic().order().to_vec();
        let panel = |v: &[f64]| order.iter().flat_map(|&i| [v[i], 2.0 * v[i], 0.0, -v[i]]).collect::<Vec<f64>>();
        for alone in [false, true] {
            let mut solved = panel(&y);
            factor.forward_panel::<4>(&mut solved, alone);
            // L⁻¹ A x = Lᵀ x.
            let upper = factor.multiply_transpose(&order.iter().map(|&i| x[i]).collect::<Vec<f64>>());
            for (row, u) in solved.chunks_exact(4).zip(upper) {
                assert!((row[0] - u).abs() < 1e-13 && (row[1] - 2.0 * u).abs() < 1e-13, "{ordering:?}");
            }
            factor.backward_panel::<4>(&mut solved, alone);
            for (value, wanted) in solved.iter().zip(panel(&x)) {
                assert!((value - wanted).abs() < 1e-13, "{ordering:?}");
            }
        }
    }
}

#[test]
fn a_pivot_that_is_not_positive_has_its_number_in_the_whole() {
    let (n, col_ptr, row_idx, values) = lower();
    let symbolic = Arc::new(SymbolicCholesky::new(n, col_ptr.clone(), row_idx, parted()).unwrap());
    for place in [0, n / 2, n - 1] {
        let cell = symbolic.order()[place];
        let mut broken = values.clone();
        broken[col_ptr[cell]] = -9.0;
        let found = Cholesky::new(symbolic.clone(), &broken).unwrap_err();
        assert_eq!(found, LinalgError::NotPositiveDefinite { index: place });
    }
}

#[test]
fn parts_that_share_an_entry_and_rows_that_are_missing_are_refused() {
    let (n, col_ptr, row_idx, values) = lower();
    let Ordering::Parted { parts, border } = parted() else { unreachable!() };
    let refused = |parts: Vec<Vec<usize>>, border: Vec<usize>| {
        let ordering = Ordering::Parted { parts, border };
        SymbolicCholesky::new(n, col_ptr.clone(), row_idx.clone(), ordering).unwrap_err().to_string()
    };
    let touching = vec![[&parts[0][..], &border[..]].concat(), parts[1].clone()];
    assert!(refused(touching, Vec::new()).contains("share an entry"));
    assert!(refused(parts.clone(), border[1..].to_vec()).contains("not a permutation"));
    let a = SparseMatrix::new(n, col_ptr.clone(), row_idx.clone(), values).unwrap();
    assert!(DominantLu::new(&a, parted()).unwrap_err().to_string().contains("in parts"));
}

/// Right-hand sides as columns in elimination order, and the rows that come back.
struct Given<'a>(&'a Mat<f64>);

impl RowsToSolve for Given<'_> {
    fn load(&self, rows: Range<usize>, stride: usize, out: &mut [f64]) {
        for (i, row) in rows.zip(out.chunks_exact_mut(stride)) {
            row.iter_mut().zip(self.0.row(i).iter()).for_each(|(out, value)| *out = *value);
        }
    }
}

impl SolvedRows for Vec<(usize, Mat<f64>)> {
    fn take(&mut self, first: usize, rows: MatRef<'_, f64>) {
        self.push((first, rows.to_owned()));
    }
}

#[test]
fn rows_solved_in_turn_are_those_of_panels() {
    let (n, col_ptr, row_idx, values) = lower();
    for ordering in [Ordering::Amd, Ordering::Custom(nested_dissection(&CELLS)), parted()] {
        let symbolic = SymbolicCholesky::new(n, col_ptr.clone(), row_idx.clone(), ordering.clone()).unwrap();
        let factor = Cholesky::new(Arc::new(symbolic), &values).unwrap();
        for columns in [1, 4, 23, 64] {
            let b = Mat::from_fn(n, columns, |i, j| ((i * 7 + j * 11) as f64).sin());
            let swept = factor.sweep(columns, &Given(&b), Vec::new).concat();
            assert_eq!(swept.iter().map(|(_, rows)| rows.nrows()).sum::<usize>(), n);
            for (first, rows) in swept {
                for (i, j) in (0..rows.nrows()).flat_map(|i| (0..columns).map(move |j| (i, j))) {
                    let mut panel: Vec<f64> = (0..n).flat_map(|i| [b[(i, j)], 0.0, 0.0, 0.0]).collect();
                    factor.forward_panel::<4>(&mut panel, false);
                    let off = (rows[(i, j)] - panel[4 * (first + i)]).abs();
                    assert!(off < 1e-13, "{ordering:?} {columns} {} {off}", first + i);
                }
            }
        }
    }
}
