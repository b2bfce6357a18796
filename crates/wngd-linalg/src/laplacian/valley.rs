//! How deep the valleys between the modes of a density are.

use crate::divergence::ACTIVE_DENSITY;
use crate::forest::Forest;
use crate::grid::Grid;

/// Depth of the deepest valley between two modes: the smallest ratio (saddle
/// density)/(density of the lower mode) over the modes that hold more than
/// `mass_fraction` of the mass; 1 for a unimodal density, 0 if the support splits.
///
/// The W₂ condition number across a valley grows like one over its depth.
///
/// # Panics
/// If the density has not one entry for each cell.
///
/// # Cost
/// k log k.
pub fn valley_depth(grid: &Grid, density: &[f64], mass_fraction: f64) -> f64 {
    let total: f64 = density.iter().sum();
    let mut order: Vec<usize> = (0..density.len()).collect();
    order.sort_by(|&a, &b| density[b].total_cmp(&density[a]).then(a.cmp(&b)));
    let strides: Vec<usize> = (0..grid.dim()).map(|axis| grid.cells()[axis + 1..].iter().product()).collect();
    let (mut forest, mut seen) = (Forest::new(density.len()), vec![false; density.len()]);
    let mut peak = vec![0.0; density.len()];
    let mut mass = vec![0.0; density.len()];
    let mut depth = 1.0f64;
    for &cell in &order {
        seen[cell] = true;
        peak[cell] = density[cell];
        mass[cell] = density[cell];
        for (axis, &stride) in strides.iter().enumerate() {
            let j = (cell / stride) % grid.cells()[axis];
            let neighbours = [(j > 0).then(|| cell - stride), (j + 1 < grid.cells()[axis]).then(|| cell + stride)];
            for other in neighbours.into_iter().flatten().filter(|&o| seen[o]) {
                let (a, b) = (forest.find(cell), forest.find(other));
                if a == b {
                    continue;
                }
                let lower = peak[a].min(peak[b]);
                if mass[a].min(mass[b]) > mass_fraction * total && lower > 0.0 {
                    let saddle = if density[cell] > ACTIVE_DENSITY { density[cell] } else { 0.0 };
                    depth = depth.min(saddle / lower);
                }
                let (keep, drop) = if peak[a] >= peak[b] { (a, b) } else { (b, a) };
                forest.join(keep, drop);
                mass[keep] += mass[drop];
            }
        }
    }
    depth
}
