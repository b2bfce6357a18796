use rayon::prelude::*;
use wngd_linalg::Grid;

use super::exponential::exponentials;
use super::gaussian::{Gaussian, Scores};
use super::narrow::Narrow;
use super::quadrature::{NODES, WEIGHTS, small};

/// Cell widths, in standard deviations of the axis given the others, up to which 3, 4 and 8 points are enough for 1e-6
/// of a cell's mass; wider cells are cut into panels of the last one.
const WIDTHS: [f64; 3] = [0.25, 0.7, 2.0];
/// Reach of a component along an axis, in standard deviations; beyond is e^{-40} of it.
const REACH: f64 = 9.0;
/// Cells per task.
const CHUNK: usize = 1024;
/// Most panels along an axis of a cell.
const PANELS: usize = 16;

/// Means of one Gaussian with any covariance over all cells of a grid.
#[derive(Debug, Clone)]
pub(super) struct Averages {
    /// ln of the mean in each cell.
    pub(super) log: Vec<f64>,
    /// The mean itself, 0 where it underflows.
    pub(super) value: Vec<f64>,
    /// Scores of each cell; empty unless asked for.
    pub(super) scores: Vec<Scores>,
}

/// Nodes x − μ along an axis of one cell, with weights that sum to 1.
type AxisNodes = Vec<(f64, f64)>;

impl Averages {
    /// By Gauss–Legendre rules on each cell, finer where the cell is wide against the component.
    ///
    /// # Cost
    /// Some fifty products per cell of a plane whose cells are narrow on both axes, 64 exponentials or more for wider ones.
    pub(super) fn new(grid: &Grid, gaussian: &Gaussian<'_>, with_scores: bool) -> Self {
        match Self::narrow(grid, gaussian) {
            Some(narrow) => Self::of_cells(grid, with_scores, |at, _| narrow.average(at, with_scores)),
            None => Self::by_nodes(grid, gaussian, with_scores),
        }
    }

    /// Tables for cells that are narrow on all axes.
    fn narrow<'a>(grid: &Grid, gaussian: &'a Gaussian<'a>) -> Option<Narrow<'a>> {
        let rules: Option<Vec<_>> = (0..grid.dim()).map(|axis| rule(gaussian.width(grid, axis))).collect();
        Narrow::new(grid, gaussian, &rules?)
    }

    /// With exponentials at the nodes of each cell.
    fn by_nodes(grid: &Grid, gaussian: &Gaussian<'_>, with_scores: bool) -> Self {
        let nodes: Vec<Vec<AxisNodes>> = (0..grid.dim()).map(|axis| axis_nodes(grid, axis, gaussian)).collect();
        Self::of_cells(grid, with_scores, |at, scratch| {
            let mut found: [&[(f64, f64)]; 3] = [&[(0.0, 1.0)]; 3];
            for axis in 0..grid.dim() {
                found[axis] = &nodes[axis][at[axis]];
            }
            gaussian.average(&found, with_scores, scratch)
        })
    }

    /// Of what one cell has, by its indices.
    fn of_cells(
        grid: &Grid,
        with_scores: bool,
        cell: impl Fn([usize; 3], &mut Vec<f64>) -> (f64, Scores) + Sync,
    ) -> Self {
        let k = grid.len();
        let (mut log, mut value) = (vec![0.0; k], vec![0.0; k]);
        let mut scores = if with_scores { vec![[0.0; 9]; k] } else { Vec::new() };
        if with_scores {
            log.par_chunks_mut(CHUNK).zip(scores.par_chunks_mut(CHUNK)).enumerate().for_each(|(i, (log, scores))| {
                let mut scratch = Vec::new();
                for (offset, (log, scores)) in log.iter_mut().zip(scores).enumerate() {
                    (*log, *scores) = cell(grid.indices(i * CHUNK + offset), &mut scratch);
                }
            });
        } else {
            log.par_chunks_mut(CHUNK).enumerate().for_each(|(i, log)| {
                let mut scratch = Vec::new();
                for (offset, log) in log.iter_mut().enumerate() {
                    *log = cell(grid.indices(i * CHUNK + offset), &mut scratch).0;
                }
            });
        }
        log.par_chunks(CHUNK).zip(value.par_chunks_mut(CHUNK)).for_each(|(log, value)| {
            value.copy_from_slice(log);
            exponentials(value);
        });
        Self { log, value, scores }
    }
}

impl Gaussian<'_> {
    /// ln of the mean over one cell, relative to the largest value at its nodes, and its scores.
    fn average(&self, nodes: &[&[(f64, f64)]; 3], with_scores: bool, scratch: &mut Vec<f64>) -> (f64, [f64; 9]) {
        let p = self.precision;
        scratch.clear();
        for (x, _) in nodes[0] {
            for (y, _) in nodes[1] {
                let plane = p[0][0] * x * x + 2.0 * p[0][1] * x * y + p[1][1] * y * y;
                let slope = 2.0 * (p[0][2] * x + p[1][2] * y);
                scratch.extend(nodes[2].iter().map(|(z, _)| -0.5 * (plane + slope * z + p[2][2] * z * z)));
            }
        }
        let largest = scratch.iter().fold(f64::NEG_INFINITY, |m, &e| m.max(e));
        scratch.iter_mut().for_each(|e| *e -= largest);
        exponentials(scratch);
        let (mut sum, mut scores, mut i) = (0.0, [0.0; 9], 0);
        for (x, u) in nodes[0] {
            for (y, v) in nodes[1] {
                for (z, w) in nodes[2] {
                    let term = u * v * w * scratch[i];
                    i += 1;
                    sum += term;
                    if with_scores {
                        let s: [f64; 3] = std::array::from_fn(|a| p[a][0] * x + p[a][1] * y + p[a][2] * z);
                        let mut slot = 3;
                        for a in 0..3 {
                            scores[a] += term * s[a];
                            for b in a..3 {
                                let share = if a == b { 0.5 } else { 1.0 };
                                scores[slot] += term * share * (s[a] * s[b] - p[a][b]);
                                slot += 1;
                            }
                        }
                    }
                }
            }
        }
        scores.iter_mut().for_each(|s| *s /= sum);
        (self.log_scale + largest + sum.ln(), scores)
    }
}

/// The rule of cells that are narrow.
fn rule(width: f64) -> Option<&'static [(f64, f64)]> {
    (width <= WIDTHS[1]).then(|| small(if width <= WIDTHS[0] { 3 } else { 4 }))
}

/// The nodes of every cell of an axis.
fn axis_nodes(grid: &Grid, axis: usize, gaussian: &Gaussian<'_>) -> Vec<AxisNodes> {
    let (h, mu) = (grid.spacing()[axis], gaussian.mean[axis]);
    let narrowest = gaussian.precision[axis][axis].sqrt().recip();
    let reach = REACH * gaussian.variances[axis].sqrt();
    let width = gaussian.width(grid, axis);
    (0..grid.cells()[axis])
        .map(|j| {
            let from = grid.lower()[axis] + j as f64 * h - mu;
            let to = from + h;
            if let Some(rule) = rule(width) {
                return rule.iter().map(|(t, w)| (from + 0.5 * h * (1.0 + t), 0.5 * w)).collect();
            }
            // Of a cell much wider than the component only the part that the component reaches counts.
            let (a, b) = match (from.max(-reach), to.min(reach)) {
                (a, b) if a < b => (a, b),
                _ => (from, to),
            };
            let panels = (((b - a) / narrowest / WIDTHS[2]).ceil() as usize).clamp(1, PANELS);
            let panel = (b - a) / panels as f64;
            let rule = |i: usize| {
                let start = a + i as f64 * panel;
                NODES.iter().zip(WEIGHTS).map(move |(t, w)| (start + 0.5 * panel * (1.0 + t), 0.5 * w * panel / h))
            };
            (0..panels).flat_map(rule).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(dim: usize, correlation: f64, width: f64) -> (Grid, Vec<f64>, [[f64; 3]; 3], [f64; 3]) {
        // Unit variances on the first axes, correlated in a chain; other axes count for nothing.
        let cells = [90, 40, 12];
        let upper: Vec<f64> = cells[..dim].iter().map(|n| width * (1.0 - correlation.abs()) * *n as f64).collect();
        let grid = Grid::new(&vec![0.0; dim], &upper, &cells[..dim]).unwrap();
        let mean = (0..dim).map(|a| (0.3 + 0.1 * a as f64) * upper[a]).collect();
        let r = correlation;
        let mut p = [[0.0; 3]; 3];
        match dim {
            1 => p[0][0] = 1.3,
            2 => {
                let f = 1.0 / (1.0 - r * r);
                (p[0][0], p[1][1], p[0][1], p[1][0]) = (f, f, -r * f, -r * f);
            }
            _ => {
                // An autoregression's precision.
                let f = 1.0 / (1.0 - r * r);
                (p[0][0], p[1][1], p[2][2]) = (f, (1.0 + r * r) * f, f);
                (p[0][1], p[1][0], p[1][2], p[2][1]) = (-r * f, -r * f, -r * f, -r * f);
            }
        }
        (grid, mean, p, [1.0; 3])
    }

    #[test]
    fn means_and_scores_are_those_of_exponentials_at_the_nodes() {
        for dim in 1..=3 {
            for correlation in [0.0, 0.6, -0.97] {
                for width in [0.2, 0.6] {
                    let (grid, mean, precision, variances) = case(dim, correlation, width);
                    let gaussian = Gaussian { mean: &mean, precision: &precision, variances, log_scale: -0.7 };
                    let fast = Averages::new(&grid, &gaussian, true);
                    let slow = Averages::by_nodes(&grid, &gaussian, true);
                    assert!(Averages::narrow(&grid, &gaussian).is_some(), "{dim} {correlation} {width}");
                    let size: f64 = precision.iter().flatten().fold(0.0, |m: f64, v| m.max(v.abs()));
                    for cell in 0..grid.len() {
                        let far = slow.log[cell].abs();
                        assert!((fast.log[cell] - slow.log[cell]).abs() < 2e-15 * (5.0 + far), "{dim} {cell}");
                        for (found, wanted) in fast.scores[cell].iter().zip(&slow.scores[cell]) {
                            let near = 1e-14 * (size * (5.0 + far));
                            assert!((found - wanted).abs() < near, "{dim} {correlation} {cell}: {found} {wanted}");
                        }
                    }
                    let without = Averages::new(&grid, &gaussian, false);
                    assert_eq!(without.log, fast.log);
                }
            }
        }
    }

    #[test]
    fn cells_that_are_wide_or_too_far_have_nodes_of_their_own() {
        let (grid, mean, precision, variances) = case(2, 0.6, 3.0);
        let gaussian = Gaussian { mean: &mean, precision: &precision, variances, log_scale: 0.0 };
        assert!(Averages::narrow(&grid, &gaussian).is_none());
        // 0.6 of a standard deviation wide, and 60 000 of them.
        let grid = Grid::new(&[0.0], &[36_000.0], &[60_000]).unwrap();
        let precision = [[1.0, 0.0, 0.0], [0.0; 3], [0.0; 3]];
        let gaussian = Gaussian { mean: &[10.0], precision: &precision, variances: [1.0; 3], log_scale: 0.0 };
        assert!(Averages::narrow(&grid, &gaussian).is_none());
        let found = Averages::new(&grid, &gaussian, false).log;
        assert!(found.iter().all(|log| log.is_finite()));
    }
}
