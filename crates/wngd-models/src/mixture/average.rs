use rayon::prelude::*;
use wngd_linalg::Grid;

use super::quadrature::{NODES, WEIGHTS, small};

/// Cell widths, in standard deviations of the axis given the others, up to which 3, 4 and 8 points are enough for 1e-6
/// of a cell's mass; wider cells are cut into panels of the last one.
const WIDTHS: [f64; 3] = [0.25, 0.7, 2.0];
/// Reach of a component along an axis, in standard deviations; beyond is e^{-40} of it.
const REACH: f64 = 9.0;
/// Most panels along an axis of a cell.
const PANELS: usize = 16;

/// Means of one Gaussian with any covariance over all cells of a grid.
#[derive(Debug, Clone)]
pub(super) struct Averages {
    /// ln of the mean in each cell.
    pub(super) log: Vec<f64>,
    /// How the logarithm answers to the mean μ (3 entries) and to the covariance (6 entries: 00, 01, 02, 11, 12, 22,
    /// those off the diagonal with their twins), per cell; empty unless asked for.
    pub(super) scores: Vec<[f64; 9]>,
}

/// Nodes x − μ along an axis of one cell, with weights that sum to 1.
type AxisNodes = Vec<(f64, f64)>;

/// The Gaussian to be averaged.
pub(super) struct Gaussian<'a> {
    pub(super) mean: &'a [f64],
    pub(super) precision: &'a [[f64; 3]; 3],
    /// Variances along the axes.
    pub(super) variances: [f64; 3],
    /// ln of the normalisation.
    pub(super) log_scale: f64,
}

impl Averages {
    /// By Gauss–Legendre rules on each cell, finer where the cell is wide against the component.
    ///
    /// # Cost
    /// 9 exponentials per cell of a plane whose cells are narrow, 16 or 64 for wider ones.
    pub(super) fn new(grid: &Grid, gaussian: &Gaussian<'_>, with_scores: bool) -> Self {
        let nodes: Vec<Vec<AxisNodes>> = (0..grid.dim()).map(|axis| axis_nodes(grid, axis, gaussian)).collect();
        let k = grid.len();
        let mut log = vec![0.0; k];
        let mut scores = if with_scores { vec![[0.0; 9]; k] } else { Vec::new() };
        let chunk = super::CHUNK;
        let at = |cell: usize| -> [&[(f64, f64)]; 3] {
            let mut found: [&[(f64, f64)]; 3] = [&[(0.0, 1.0)]; 3];
            let mut rest = cell;
            for axis in (0..grid.dim()).rev() {
                found[axis] = &nodes[axis][rest % grid.cells()[axis]];
                rest /= grid.cells()[axis];
            }
            found
        };
        if with_scores {
            log.par_chunks_mut(chunk).zip(scores.par_chunks_mut(chunk)).enumerate().for_each(|(i, (log, scores))| {
                let mut scratch = Vec::new();
                for (offset, (log, scores)) in log.iter_mut().zip(scores).enumerate() {
                    (*log, *scores) = gaussian.average(&at(i * chunk + offset), true, &mut scratch);
                }
            });
        } else {
            log.par_chunks_mut(chunk).enumerate().for_each(|(i, log)| {
                let mut scratch = Vec::new();
                for (offset, log) in log.iter_mut().enumerate() {
                    *log = gaussian.average(&at(i * chunk + offset), false, &mut scratch).0;
                }
            });
        }
        Self { log, scores }
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
        let (mut sum, mut scores, mut i) = (0.0, [0.0; 9], 0);
        for (x, u) in nodes[0] {
            for (y, v) in nodes[1] {
                for (z, w) in nodes[2] {
                    let term = u * v * w * (scratch[i] - largest).exp();
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

/// The nodes of every cell of an axis.
fn axis_nodes(grid: &Grid, axis: usize, gaussian: &Gaussian<'_>) -> Vec<AxisNodes> {
    let (h, mu) = (grid.spacing()[axis], gaussian.mean[axis]);
    let narrowest = gaussian.precision[axis][axis].sqrt().recip();
    let reach = REACH * gaussian.variances[axis].sqrt();
    let width = h / narrowest;
    (0..grid.cells()[axis])
        .map(|j| {
            let from = grid.lower()[axis] + j as f64 * h - mu;
            let to = from + h;
            if width <= WIDTHS[1] {
                let rule = small(if width <= WIDTHS[0] { 3 } else { 4 });
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
