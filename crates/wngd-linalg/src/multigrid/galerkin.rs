//! Coarse operators: PᵀAP, as the Laplacian of a graph of nine-point stencils.

use rayon::prelude::*;

use super::interpolation::Interpolation;
use super::level::{Corners, Level};

/// Neighbours whose edges a cell keeps, as steps along a row and across.
const AHEAD: [[isize; 2]; 4] = [[1, 0], [0, 1], [1, 1], [-1, 1]];

/// The next coarser level.
///
/// Off-diagonal entries are those of PᵀAP; diagonals follow from them, so that the constants stay in the kernel however
/// the products are rounded.
pub(super) fn coarsen(level: &Level, interpolation: &Interpolation) -> Level {
    let ([columns, rows], width) = (interpolation.coarse, interpolation.coarse[0] + 2);
    let mut edges = vec![[0.0; 4]; width * (rows + 2)];
    let tasks = level.rows_of_task().div_ceil(4);
    edges.par_chunks_mut(width).enumerate().with_min_len(tasks).for_each(|(j, row)| {
        if (1..=rows).contains(&j) {
            (1..=columns).for_each(|i| row[i] = weights(level, interpolation, [i, j]));
        }
    });
    let of = |k: usize| edges.iter().map(|e| e[k]).collect::<Vec<f64>>();
    let spacing = std::array::from_fn(|a| level.spacing[a] * interpolation.factor[a] as f64);
    let corners = Corners { north_east: of(2), north_west: of(3) };
    Level::new([columns, rows], spacing, of(0), of(1), Some(corners))
}

/// Weights of the edges of a coarse cell to the neighbours [`AHEAD`].
fn weights(level: &Level, interpolation: &Interpolation, [i, j]: [usize; 2]) -> [f64; 4] {
    let ([columns, rows], wide) = (interpolation.coarse, interpolation.coarse[0] + 2);
    let own = interpolation.weights(j * wide + i);
    let factor = interpolation.factor.map(|f| f as isize);
    let reach = factor.map(|f| f - 1);
    let width = level.width() as isize;
    let middle =
        ((j - 1) * interpolation.factor[1] + 1) as isize * width + ((i - 1) * interpolation.factor[0] + 1) as isize;
    // What leaves each fine cell around for each of its neighbours, times the cell's share of this coarse one.
    let mut edges = [[[0.0; 9]; 3]; 3];
    for b in -reach[1]..=reach[1] {
        for a in -reach[0]..=reach[0] {
            let share = own[(b + 1) as usize][(a + 1) as usize];
            if share == 0.0 {
                continue;
            }
            let at = (middle + b * width + a) as usize;
            let around = level.around(at);
            edges[(b + 1) as usize][(a + 1) as usize] = [
                around.south_west,
                around.south,
                around.south_east,
                around.west,
                -level.diagonal[at],
                around.east,
                around.north_west,
                around.north,
                around.north_east,
            ]
            .map(|edge| share * edge);
        }
    }
    AHEAD.map(|[right, up]| {
        let (x, y) = (i as isize + right, j as isize + up);
        if !(1..=columns as isize).contains(&x) || !(1..=rows as isize).contains(&y) {
            return 0.0;
        }
        let other = interpolation.weights(y as usize * wide + x as usize);
        let (ahead, above) = (factor[0] * right, factor[1] * up);
        let mut sum = 0.0;
        // Fine cells of this coarse one within a step of those of the other.
        for b in (above - reach[1] - 1).max(-reach[1])..=(above + reach[1] + 1).min(reach[1]) {
            for a in (ahead - reach[0] - 1).max(-reach[0])..=(ahead + reach[0] + 1).min(reach[0]) {
                let edges = &edges[(b + 1) as usize][(a + 1) as usize];
                for to_b in (above - reach[1]).max(b - 1)..=(above + reach[1]).min(b + 1) {
                    for to_a in (ahead - reach[0]).max(a - 1)..=(ahead + reach[0]).min(a + 1) {
                        let edge = edges[((to_b - b + 1) * 3 + (to_a - a + 1)) as usize];
                        sum += edge * other[(to_b - above + 1) as usize][(to_a - ahead + 1) as usize];
                    }
                }
            }
        }
        sum
    })
}
