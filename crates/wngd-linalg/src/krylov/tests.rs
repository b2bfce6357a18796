use faer::Mat;

use super::dots::SLAB;
use super::*;
use crate::dense::{as_column_mut, norm};
use crate::error::LinalgError;
use crate::operator::{Factorization, LinearOp, apply_transpose_vec, apply_vec};
use crate::sparse::SparseMatrix;

/// κI − K of an upwind flow that circulates in a box.
pub(crate) fn rotor(cells: &[usize], kappa: f64) -> SparseMatrix {
    let dim = cells.len();
    let grid = crate::Grid::new(&vec![-1.0; dim], &vec![1.0; dim], cells).unwrap();
    let middle = grid.face_midpoints();
    let mut entries = std::collections::BTreeMap::new();
    for j in 0..grid.len() {
        entries.insert((j, j), kappa);
    }
    for block in grid.face_blocks() {
        block.for_each(|face, left, right| {
            let [x, y, z] = middle[face];
            let v = [-y + 0.3 * z, x - 0.2 * y, 0.4 - x * y - z][block.axis];
            let h = grid.spacing()[block.axis];
            let (from, to) = if v > 0.0 { (left, right) } else { (right, left) };
            for (from, to, rate) in [(from, to, v.abs() / h + 0.01), (to, from, 0.01)] {
                *entries.entry((from, from)).or_insert(0.0) += rate;
                *entries.entry((from, to)).or_insert(0.0) -= rate;
            }
        });
    }
    let mut col_ptr = vec![0; grid.len() + 1];
    for &(j, _) in entries.keys() {
        col_ptr[j + 1] += 1;
    }
    for j in 0..grid.len() {
        col_ptr[j + 1] += col_ptr[j];
    }
    let rows = entries.keys().map(|&(_, i)| i).collect();
    SparseMatrix::new(grid.len(), col_ptr, rows, entries.into_values().collect()).unwrap()
}

/// ‖b − Ax‖/‖b‖ of a solve.
pub(crate) fn solve_error(a: &SparseMatrix, factor: &dyn Factorization, transpose: bool) -> f64 {
    let n = a.ncols();
    let b: Vec<f64> = (0..n).map(|i| (0.37 * i as f64).cos()).collect();
    let mut x = b.clone();
    let column = as_column_mut(&mut x);
    if transpose {
        factor.apply_inverse_transpose(column)
    } else {
        factor.apply_inverse(column)
    }
    let ax = if transpose { apply_transpose_vec(a, &x) } else { apply_vec(a, &x) };
    let gap: Vec<f64> = ax.iter().zip(&b).map(|(ax, b)| b - ax).collect();
    norm(&gap) / norm(&b)
}

#[test]
fn forward_and_transposed_solves_reach_the_tolerance() {
    let a = rotor(&[12, 13, 14], 1e-2);
    let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
    for transpose in [false, true] {
        let error = solve_error(&a, &solver, transpose);
        assert!(error < 2e-12, "{transpose} {error:e} {:?}", solver.stats());
    }
    assert!(solver.stats().missed == 0 && solver.stats().iterations < 60, "{:?}", solver.stats());
}

#[test]
fn a_lane_has_the_same_bits_alone_and_in_company() {
    let a = rotor(&[8, 9, 10], 1e-2);
    let n = a.ncols();
    let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
    let b = Mat::from_fn(n, 11, |i, j| if j == 4 { 0.0 } else { ((i * (j + 1)) as f64 * 0.37).sin() });
    for transpose in [false, true] {
        let mut together = b.clone();
        solver.solve(together.as_mut(), transpose).unwrap();
        for j in 0..b.ncols() {
            let mut alone = b.as_ref().subcols(j, 1).to_owned();
            solver.solve(alone.as_mut(), transpose).unwrap();
            assert_eq!(alone, together.as_ref().subcols(j, 1).to_owned());
        }
    }
}

#[test]
fn aggregates_save_iterations_and_threads_change_no_bit() {
    let cells = [34, 36, 38];
    let a = rotor(&cells, 1e-3);
    let n = a.ncols();
    assert!(n > SLAB);
    let labels: Vec<usize> = (0..n)
        .map(|i| (i / (cells[1] * cells[2]) / 4 * 9 + i / cells[2] % cells[1] / 4) * 10 + i % cells[2] / 4)
        .collect();
    let plain = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
    let helped = BiCgStab::with_aggregates(&a, KrylovOptions::default(), &labels).unwrap();
    for transpose in [false, true] {
        assert!(solve_error(&a, &plain, transpose) < 2e-12);
        let solve = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut x = Mat::from_fn(n, 1, |i, _| (0.37 * i as f64).cos());
            pool.install(|| helped.solve(x.as_mut(), transpose)).unwrap();
            x
        };
        assert_eq!(solve(1), solve(3));
        assert!(solve_error(&a, &helped, transpose) < 2e-12);
    }
    let (few, many) = (helped.stats().iterations, plain.stats().iterations);
    assert!(4 * few < 3 * many, "{few} against {many}");
    assert!(BiCgStab::with_aggregates(&a, KrylovOptions::default(), &labels[1..]).is_err());
}

#[test]
fn misses_are_reported_and_recorded() {
    let a = rotor(&[12, 12, 12], 1e-3);
    let options = KrylovOptions { max_iterations: 2, ..Default::default() };
    let solver = BiCgStab::new(&a, options).unwrap();
    let mut b = Mat::from_fn(a.ncols(), 2, |i, j| (i + j) as f64);
    assert!(matches!(solver.solve(b.as_mut(), false), Err(LinalgError::IterationLimit { iterations: 2, .. })));
    assert_eq!(solver.stats().missed, 2);
    assert!(solver.stats().residual > 1e-12);
    let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
    let mut bad = Mat::from_fn(a.ncols(), 2, |i, j| if i == 3 && j == 1 { f64::NAN } else { 1.0 });
    assert!(solver.solve(bad.as_mut(), true).is_err());
    assert!(bad[(0, 1)].is_nan() && bad[(0, 0)].is_finite());
    assert_eq!(solver.stats().missed, 1);
}

#[test]
fn a_chain_is_ordered_downstream() {
    // 2 -> 0 -> 1: lower triangular in flow order, so ILU(0) is exact.
    let a = SparseMatrix::new(3, vec![0, 2, 3, 5], vec![0, 1, 1, 0, 2], vec![2.0, -1.0, 1.0, -3.0, 4.0]).unwrap();
    assert_eq!(flow_order(&a), [2, 0, 1]);
    let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
    assert!(solve_error(&a, &solver, false) < 1e-15);
    assert!(solver.stats().iterations <= 1);
}

#[test]
fn unusable_matrices_are_refused() {
    let no_diagonal = SparseMatrix::new(2, vec![0, 1, 2], vec![1, 0], vec![1.0, 1.0]).unwrap();
    assert!(BiCgStab::new(&no_diagonal, KrylovOptions::default()).is_err());
    let zero_pivot = SparseMatrix::new(1, vec![0, 1], vec![0], vec![0.0]).unwrap();
    assert!(matches!(BiCgStab::new(&zero_pivot, KrylovOptions::default()), Err(LinalgError::Singular { .. })));
    let wide = SparseMatrix::new(1, vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
    assert!(BiCgStab::new(&wide, KrylovOptions::default()).is_err());
}
