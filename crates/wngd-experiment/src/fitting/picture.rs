//! The figure of a fit: density of the data, fitted density, residual, on the first three columns.

use std::path::Path;

use wngd::fit::{Fit, Mixture};
use wngd_figures::{Axis, Cloud, Densities, Figure};

use super::file::grid;
use super::read::Table;
use crate::error::ExperimentError;
use crate::fitted::{Fitted, draw_covariance};
use crate::labels::labels;
use crate::models::{Part, PartShape};

/// Cells of a figure per axis, by dimension.
const CELLS: [usize; 3] = [120, 80, 40];

/// Draws `density-fit`, the data with the components, and the errors of the parameters.
pub(super) fn draw(table: &Table, found: &Fit, folder: &Path) -> Result<(), ExperimentError> {
    let all = table.columns().len();
    let dim = all.min(3);
    draw_covariance(&labels(&found.names, Some(table.columns())), &found.theta, &found.covariance, None, folder)?;
    let Some(mixture) = marginal(&found.mixture, dim) else { return Ok(()) };
    // Points with shares: samples, or bins by their parts.
    let (points, shares) = match table {
        Table::Samples { values, weights, .. } => {
            let points: Vec<f64> = values.chunks_exact(all).flat_map(|x| x[..dim].to_vec()).collect();
            let shares = weights.clone().unwrap_or_else(|| vec![1.0; points.len() / dim]);
            (points, shares)
        }
        Table::Histogram { lower, upper, counts, .. } => spread(lower, upper, counts, dim),
    };
    let (lower, upper, mut cells) = grid(&points, dim, &mixture);
    cells.iter_mut().for_each(|c| *c = (*c).min(CELLS[dim - 1]));
    let size: usize = cells.iter().product();
    let width: Vec<f64> = (0..dim).map(|a| (upper[a] - lower[a]) / cells[a] as f64).collect();
    let volume: f64 = width.iter().product();
    let total: f64 = shares.iter().sum();
    let mut data = vec![0.0; size];
    for (x, share) in points.chunks_exact(dim).zip(&shares) {
        let place = |a: usize| ((x[a] - lower[a]) / width[a]).floor();
        if (0..dim).all(|a| place(a) >= 0.0 && place(a) < cells[a] as f64) {
            let index = (0..dim).fold(0, |i, a| i * cells[a] + place(a) as usize);
            data[index] += share / (total * volume);
        }
    }
    let centre = |index: usize| {
        let mut rest = index;
        let mut x = vec![0.0; dim];
        for a in (0..dim).rev() {
            x[a] = lower[a] + (0.5 + (rest % cells[a]) as f64) * width[a];
            rest /= cells[a];
        }
        x
    };
    let fitted: Vec<f64> = (0..size).map(|i| mixture.log_density(&centre(i)).exp()).collect();
    let axis = |a: usize| Axis { name: table.columns()[a].clone(), lower: lower[a], upper: upper[a], cells: cells[a] };
    let axes: Vec<Axis> = (0..dim).map(axis).collect();
    let (cloud, bins) = match table {
        Table::Samples { weights, .. } => {
            (Some(Cloud::Points { values: points, weights: weights.clone().unwrap_or_default() }), None)
        }
        Table::Histogram { lower, upper, counts, .. } => (None, bins(lower, upper, counts).filter(|_| dim == 1)),
    };
    let with_parts = Fitted {
        axes: axes.clone(),
        data: &data,
        fit: &fitted,
        number: found.observations,
        parts: parts(&mixture),
        cloud,
        bins,
    };
    with_parts.draw(folder)?;
    let densities =
        Densities { axes, data, label: "fit".into(), fit: fitted, equal_scale: false, title: String::new() };
    densities.save(folder)?;
    Ok(())
}

/// The components.
fn parts(mixture: &Mixture) -> Vec<Part> {
    let part = |k: usize| Part {
        name: format!("component {k}"),
        share: mixture.weights()[k],
        shape: PartShape::Gaussian { mean: mixture.means()[k].clone(), covariance: mixture.covariances()[k].concat() },
    };
    (0..mixture.weights().len()).map(part).collect()
}

/// Bins of one axis in order, if they are finite and do not overlap.
fn bins(lower: &[f64], upper: &[f64], counts: &[f64]) -> Option<Vec<[f64; 3]>> {
    let mut bins: Vec<[f64; 3]> = (0..counts.len().min(lower.len())).map(|i| [lower[i], upper[i], counts[i]]).collect();
    bins.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let whole = bins.iter().flatten().all(|v| v.is_finite());
    (whole && bins.windows(2).all(|w| w[1][0] >= w[0][1] - 1e-9 * (w[1][1] - w[1][0]))).then_some(bins)
}

/// The mixture of the first coordinates.
fn marginal(mixture: &Mixture, dim: usize) -> Option<Mixture> {
    let means = mixture.means().iter().map(|m| m[..dim].to_vec()).collect();
    // Symmetric to the last bit.
    let entry = |c: &[Vec<f64>], a: usize, b: usize| c[a.min(b)][a.max(b)];
    let block = |c: &Vec<Vec<f64>>| (0..dim).map(|a| (0..dim).map(|b| entry(c, a, b)).collect()).collect();
    Mixture::new(mixture.weights().to_vec(), means, mixture.covariances().iter().map(block).collect()).ok()
}

/// Counts of bins spread over a few places in each.
fn spread(lower: &[f64], upper: &[f64], counts: &[f64], dim: usize) -> (Vec<f64>, Vec<f64>) {
    let parts: usize = [40, 6, 3][dim - 1];
    let (mut points, mut shares) = (Vec::new(), Vec::new());
    for (bin, count) in counts.iter().enumerate().filter(|(_, n)| **n > 0.0) {
        for part in 0..parts.pow(dim as u32) {
            for a in 0..dim {
                let at = (0.5 + ((part / parts.pow(a as u32)) % parts) as f64) / parts as f64;
                points.push(lower[bin * dim + a] + at * (upper[bin * dim + a] - lower[bin * dim + a]));
            }
            shares.push(count / parts.pow(dim as u32) as f64);
        }
    }
    (points, shares)
}
