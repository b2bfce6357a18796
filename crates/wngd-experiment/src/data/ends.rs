//! Whether an axis looks like an angle that was cut open.

use wngd::prelude::Grid;

/// Share of an axis that is looked at on either end.
const END: f64 = 0.05;
/// How many times the mean density makes an end dense.
const DENSE: f64 = 1.5;

/// A note for each axis that is dense at both ends.
pub(super) fn notes(grid: &Grid, density: &[f64], names: Option<&[String]>) -> Vec<String> {
    let total: f64 = density.iter().sum();
    let is_dense = |axis: usize| {
        let (lower, upper) = (grid.lower()[axis], grid.upper()[axis]);
        let end = END * (upper - lower);
        let share = |near: &dyn Fn(f64) -> bool| {
            let cells = (0..density.len()).filter(|&i| near(grid.center(i)[axis]));
            let (count, mass) = cells.fold((0usize, 0.0), |(n, m), i| (n + 1, m + density[i]));
            // Per cell, relative to the mean of all.
            mass / total * density.len() as f64 / count.max(1) as f64
        };
        share(&|x| x < lower + end) > DENSE && share(&|x| x > upper - end) > DENSE
    };
    let name = |axis: usize| names.and_then(|n| n.get(axis)).map_or(format!("axis {axis}"), Clone::clone);
    (0..grid.dim())
        .filter(|&axis| is_dense(axis))
        .map(|axis| {
            format!(
                "the data are dense at both ends of {}, where the model's density is cut; for an angle or a time of day \
                 set grid.periodic",
                name(axis)
            )
        })
        .collect()
}
