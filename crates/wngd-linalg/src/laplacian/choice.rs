//! Whether the Laplacian of a density is factored or solved by iterations: what each costs.
//!
//! A factor is repaid by many columns; a few are solved by multigrid before it would stand. Seconds are those of one
//! machine with two threads (`cargo xtask bench --only choice`), of which only ratios matter; that they are constants
//! keeps the choice, and with it every bit of a result, the same on all machines.

use crate::grid::Grid;

/// Seconds of a factorisation with its check, for 10⁶ cells, and the power of the cells with which they grow.
const FACTOR: (f64, f64) = (1.28, 1.30);
/// The same for a column whitened with the factor.
const FACTOR_COLUMN: (f64, f64) = (0.024, 1.05);
/// The same for the levels of multigrid and the solve that tests them.
const LEVELS: (f64, f64) = (0.36, 1.0);
/// The same for a column solved by multigrid.
const LEVELS_COLUMN: (f64, f64) = (0.285, 1.08);
/// Fewer cells are factored whatever the number of columns: neither way takes half a second.
const LARGE: usize = 200_000;

fn seconds((factor, power): (f64, f64), cells: f64) -> f64 {
    factor * (cells / 1e6).powf(power)
}

/// Whether so many columns are whitened sooner by multigrid than by a factor.
pub(super) fn multigrid_pays(grid: &Grid, columns: usize) -> bool {
    let (k, p) = (grid.len() as f64, columns as f64);
    let factor = seconds(FACTOR, k) + p * seconds(FACTOR_COLUMN, k);
    let levels = seconds(LEVELS, k) + p * seconds(LEVELS_COLUMN, k);
    is_plane(grid) && grid.len() >= LARGE && levels < factor
}

/// Two axes, neither of them a strip: a thin strip fills in like a line.
pub(super) fn is_plane(grid: &Grid) -> bool {
    grid.dim() == 2 && grid.cells().iter().all(|n| *n > 64)
}
