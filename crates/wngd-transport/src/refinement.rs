//! Starts the network simplex on a grid from the solution on a coarser one.

use std::iter::zip;

use crate::c_transform::transform;
use crate::grid_lines::lines;
use crate::network_simplex::{NetworkSimplex, PivotLimit};

/// Solves from the potential of the problem at half the resolution, recursively.
pub(crate) fn refine(
    cells: &[usize],
    weights: &[i64],
    source: &[i64],
    target: &[i64],
    pivots: &mut usize,
    limit: usize,
) -> Result<NetworkSimplex, PivotLimit> {
    /// Grids up to this many cells start from the zero potential.
    const COARSEST: usize = 64;
    let factors: Vec<usize> = cells.iter().map(|&length| if length < 4 { 1 } else { 2 }).collect();
    let guess = if source.len() <= COARSEST || factors.iter().all(|&factor| factor == 1) {
        vec![0; source.len()]
    } else {
        let coarse_cells: Vec<usize> = zip(cells, &factors).map(|(n, f)| n.div_ceil(*f)).collect();
        let coarse_weights: Vec<i64> = zip(weights, &factors).map(|(w, &f)| w * (f * f) as i64).collect();
        let coarse_source = merge(cells, &factors, source);
        let coarse_target = merge(cells, &factors, target);
        let coarse = refine(&coarse_cells, &coarse_weights, &coarse_source, &coarse_target, pivots, limit)?;
        // Two transforms extend the potential from the target support to every cell.
        let curvatures: Vec<f64> = coarse_weights.iter().map(|&w| w as f64).collect();
        let supported: Vec<f64> =
            coarse.potentials().map(|potential| potential.map_or(f64::NEG_INFINITY, |p| p as f64)).collect();
        let mut other = transform(&coarse_cells, &curvatures, &supported);
        for (value, &mass) in zip(&mut other, &coarse_source) {
            if mass == 0 {
                *value = f64::NEG_INFINITY;
            }
        }
        let extended = transform(&coarse_cells, &curvatures, &other);
        let fine = interpolate(extended, &coarse_cells, cells);
        let least = fine.iter().copied().fold(f64::INFINITY, f64::min);
        fine.iter().map(|value| (value - least).round() as i64).collect()
    };
    let mut simplex = NetworkSimplex::new(cells, weights, source, target, &guess);
    simplex.optimise(pivots, limit)?;
    Ok(simplex)
}

/// Adds up the masses of the cells that share a coarse cell.
fn merge(cells: &[usize], factors: &[usize], masses: &[i64]) -> Vec<i64> {
    let mut merged = masses.to_vec();
    let mut shape = cells.to_vec();
    for (axis, &factor) in factors.iter().enumerate() {
        let mut coarse = shape.clone();
        coarse[axis] = shape[axis].div_ceil(factor);
        let mut sums = vec![0; coarse.iter().product()];
        for ((start, stride, length), (to, ..)) in zip(lines(&shape, axis), lines(&coarse, axis)) {
            for i in 0..length {
                sums[to + i / factor * stride] += merged[start + i * stride];
            }
        }
        (merged, shape) = (sums, coarse);
    }
    merged
}

/// Interpolates linearly from the centres of coarse cells to those of the cells that they merge.
fn interpolate(values: Vec<f64>, coarse_cells: &[usize], cells: &[usize]) -> Vec<f64> {
    let mut values = values;
    let mut shape = coarse_cells.to_vec();
    for (axis, &length) in cells.iter().enumerate() {
        let mut fine = shape.clone();
        fine[axis] = length;
        if fine == shape {
            continue;
        }
        let mut refined = vec![0.0; fine.iter().product()];
        for ((from, stride, count), (to, ..)) in zip(lines(&shape, axis), lines(&fine, axis)) {
            let coarse = |k: usize| values[from + k * stride];
            for i in 0..length {
                let k = i / 2;
                // Even cells lie a quarter of a coarse cell before the centre, odd ones after it; at the
                // ends the slope of the neighbouring interval is continued.
                let slope = match (i % 2, k) {
                    (0, 0) => coarse(0) - coarse(1),
                    (0, _) => coarse(k - 1) - coarse(k),
                    _ if k + 1 == count => coarse(k) - coarse(k - 1),
                    _ => coarse(k + 1) - coarse(k),
                };
                refined[to + i * stride] = coarse(k) + 0.25 * slope;
            }
        }
        (values, shape) = (refined, fine);
    }
    values
}
