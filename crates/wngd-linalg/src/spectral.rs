use rayon::prelude::*;
use rustdct::{DctPlanner, TransformType2And3};
use std::sync::Arc;

use crate::grid::Grid;
use faer::MatMut;

/// Functions of the Neumann Laplacian on a grid, by cosine transforms.
///
/// −Δ is the unweighted graph Laplacian `D Dᵀ` of the grid (no flux through the
/// boundary); its eigenvectors are products of cosines (DCT-II), its eigenvalues
/// λ = Σᵢ (2 − 2 cos(π jᵢ/nᵢ))/hᵢ².
///
/// # Cost
/// k log k per column.
pub struct NeumannLaplacian {
    cells: Vec<usize>,
    eigenvalues: Vec<Vec<f64>>,
    plans: Vec<Arc<dyn TransformType2And3<f64>>>,
}

impl std::fmt::Debug for NeumannLaplacian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NeumannLaplacian").field("cells", &self.cells).finish_non_exhaustive()
    }
}

impl NeumannLaplacian {
    /// Plans the transforms for a grid.
    pub fn new(grid: &Grid) -> Self {
        let mut planner = DctPlanner::new();
        let eigenvalues = grid
            .cells()
            .iter()
            .zip(grid.spacing())
            .map(|(&n, h)| {
                // 4 sin²(x/2) rather than 2 − 2 cos x: no cancellation for smooth modes.
                (0..n).map(|j| (2.0 * (std::f64::consts::PI * j as f64 / (2.0 * n as f64)).sin() / h).powi(2)).collect()
            })
            .collect();
        let plans = grid.cells().iter().map(|&n| planner.plan_dct2(n)).collect();
        Self { cells: grid.cells().to_vec(), eigenvalues, plans }
    }

    /// `v <- g(−Δ) v` for one cell array; `g` maps an eigenvalue to a factor.
    pub fn apply(&self, v: &mut [f64], g: impl Fn(f64) -> f64) {
        self.transform(v, false);
        let total: f64 = self.cells.iter().map(|&n| n as f64 / 2.0).product();
        for (index, value) in v.iter_mut().enumerate() {
            *value *= g(self.eigenvalue(index)) / total;
        }
        self.transform(v, true);
    }

    /// `Z <- g(−Δ) Z` column by column, in parallel.
    pub fn apply_columns(&self, z: MatMut<'_, f64>, g: impl Fn(f64) -> f64 + Sync) {
        crate::dense::column_pieces(z, 1).into_par_iter().for_each(|mut piece| {
            let mut v: Vec<f64> = (0..piece.nrows()).map(|i| piece[(i, 0)]).collect();
            self.apply(&mut v, &g);
            for (i, value) in v.into_iter().enumerate() {
                piece[(i, 0)] = value;
            }
        });
    }

    fn eigenvalue(&self, index: usize) -> f64 {
        let mut rest = index;
        let mut total = 0.0;
        for axis in (0..self.cells.len()).rev() {
            total += self.eigenvalues[axis][rest % self.cells[axis]];
            rest /= self.cells[axis];
        }
        total
    }

    /// DCT-II along every axis, or its inverse up to the factor Π nᵢ/2 (a DCT-III).
    fn transform(&self, v: &mut [f64], inverse: bool) {
        for (axis, plan) in self.plans.iter().enumerate() {
            let n = self.cells[axis];
            let stride: usize = self.cells[axis + 1..].iter().product();
            let outer: usize = self.cells[..axis].iter().product();
            let mut line = vec![0.0; n];
            let mut scratch = vec![0.0; plan.get_scratch_len()];
            for o in 0..outer {
                for s in 0..stride {
                    let first = o * n * stride + s;
                    for j in 0..n {
                        line[j] = v[first + j * stride];
                    }
                    if inverse {
                        plan.process_dct3_with_scratch(&mut line, &mut scratch);
                    } else {
                        plan.process_dct2_with_scratch(&mut line, &mut scratch);
                    }
                    for j in 0..n {
                        v[first + j * stride] = line[j];
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laplacian(grid: &Grid, v: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; v.len()];
        for block in grid.face_blocks() {
            let h2 = grid.spacing()[block.axis].powi(2);
            block.for_each(|_, l, r| {
                let flux = (v[r] - v[l]) / h2;
                out[r] += flux;
                out[l] -= flux;
            });
        }
        out
    }

    #[test]
    fn identity_and_laplacian_are_reproduced() {
        for cells in [vec![9], vec![1, 6], vec![5, 8], vec![3, 4, 6]] {
            let dim = cells.len();
            let grid = Grid::new(&vec![0.0; dim], &vec![1.5; dim], &cells).unwrap();
            let v: Vec<f64> = (0..grid.len()).map(|i| (1.7 * i as f64).sin()).collect();
            let operator = NeumannLaplacian::new(&grid);
            let mut identity = v.clone();
            operator.apply(&mut identity, |_| 1.0);
            let mut delta = v.clone();
            operator.apply(&mut delta, |lambda| lambda);
            let reference = laplacian(&grid, &v);
            for i in 0..grid.len() {
                assert!((identity[i] - v[i]).abs() < 1e-13, "{cells:?}");
                assert!((delta[i] - reference[i]).abs() < 1e-11 * 400.0, "{cells:?}");
            }
        }
    }
}
