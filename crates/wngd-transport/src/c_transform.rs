//! The transform that makes of a potential on one side the best one on the other.

use crate::grid_lines::lines;
use crate::row_minima::row_minima;

/// The transform min over y of Σ κₖ (xₖ − yₖ)² − v(y) at every cell, over the cells where `v` exceeds
/// negative infinity, one axis at a time.
pub(crate) fn transform(cells: &[usize], curvatures: &[f64], potential: &[f64]) -> Vec<f64> {
    let mut values: Vec<f64> = potential.iter().map(|v| -v).collect();
    for (axis, &curvature) in curvatures.iter().enumerate() {
        let mut minima = vec![f64::INFINITY; values.len()];
        for (start, stride, length) in lines(cells, axis) {
            let value = |j: usize| values[start + j * stride];
            let sites: Vec<usize> = (0..length).filter(|&j| value(j) < f64::INFINITY).collect();
            let cost = |i: usize, j: usize| {
                let distance = i.abs_diff(j) as f64;
                curvature * (distance * distance) + value(j)
            };
            row_minima(0..length, &sites, &cost, &mut |i, _, least| minima[start + i * stride] = least);
        }
        values = minima;
    }
    values
}
