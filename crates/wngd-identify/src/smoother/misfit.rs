//! Whether the innovations are what a right model leaves: independent of one another and of all that was known before.

use super::forward::Forward;
use super::observed::Observed;
use crate::estimate::Misfit;
use crate::hotelling::hotelling;
use crate::weak::waves;

/// Steps back that an innovation is compared with.
const LAGS: usize = 3;
/// Most observed columns that are looked at.
const CHANNELS: usize = 8;
/// Products with functions of the predicted point, about.
const PRODUCTS: usize = 24;
/// Points that count as one draw.
const CLUSTER: usize = 5;

/// Products of whitened innovations v/√S with earlier ones, and with random functions of the predicted points.
///
/// All have mean 0 if the model is right; what the estimated parameters take out of them is taken out of their scatter, too.
/// Hotelling's T², calibrated on right models (the book has the figures).
///
/// `inverse`: covariance of the parameters in their units, row-major.
pub(super) fn misfit(observed: &Observed, path: &[f64], forward: &Forward, inverse: &[f64]) -> Option<Misfit> {
    let (n, d, m, columns) = (observed.count(), observed.dim, observed.which.len(), forward.columns);
    let p = columns - 1;
    let channels: Vec<usize> = (0..m).step_by(m.div_ceil(CHANNELS)).collect();
    let functions = (PRODUCTS / (2 * channels.len())).max(1);
    let waves = waves(&observed.scales, functions);
    let q = channels.len() * (LAGS + 2 * functions);
    // v/√S with its derivatives.
    let white = |k: usize, i: usize| -> Option<Vec<f64>> {
        let at = k * m + i;
        let variance = forward.variances[at];
        let all = &forward.innovations[at * columns..(at + 1) * columns];
        (variance > 0.0).then(|| all.iter().map(|v| v / variance.sqrt()).collect())
    };
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(n);
    let mut influences: Vec<Vec<f64>> = Vec::with_capacity(n);
    let mut slopes = vec![0.0; q * p];
    let mut begun = 0;
    for k in 0..n {
        if observed.begins(k) {
            begun = k;
        }
        let mut score = vec![0.0; p];
        for i in 0..m {
            if let Some(z) = white(k, i) {
                score.iter_mut().zip(&z[1..]).for_each(|(s, by)| *s += by * z[0]);
            }
        }
        influences.push((0..p).map(|i| -(0..p).map(|j| inverse[i * p + j] * score[j]).sum::<f64>()).collect());
        let predicted: Vec<f64> =
            (0..d).map(|c| path[k * d + c] + observed.scales[c] * forward.mean[(k * d + c) * columns]).collect();
        let instruments: Vec<f64> = waves
            .iter()
            .flat_map(|wave| {
                let phase: f64 = wave.iter().map(|&(axis, w)| w * predicted[axis]).sum();
                let (sine, cosine) = phase.sin_cos();
                [sine, cosine]
            })
            .collect();
        let mut row = vec![0.0; q];
        // The first points of a record are known by a wide guess only.
        let known = k > begun + LAGS + d;
        for (channel, &i) in channels.iter().enumerate().filter(|_| known) {
            let Some(z) = white(k, i) else { continue };
            let first = channel * (LAGS + 2 * functions);
            for lag in 1..=LAGS {
                let Some(before) = white(k - lag, i) else { continue };
                row[first + lag - 1] = z[0] * before[0];
                for j in 0..p {
                    slopes[(first + lag - 1) * p + j] += z[1 + j] * before[0] + z[0] * before[1 + j];
                }
            }
            for (f, h) in instruments.iter().enumerate() {
                row[first + LAGS + f] = z[0] * h;
                (0..p).for_each(|j| slopes[(first + LAGS + f) * p + j] += z[1 + j] * h);
            }
        }
        rows.push(row);
    }
    for (row, influence) in rows.iter_mut().zip(&influences) {
        for (value, slope) in row.iter_mut().zip(slopes.chunks_exact(p.max(1))) {
            *value += slope.iter().zip(influence).map(|(s, i)| s * i).sum::<f64>();
        }
    }
    let sum = |cluster: &[Vec<f64>]| (0..q).map(|e| cluster.iter().map(|row| row[e]).sum()).collect();
    let draws: Vec<Vec<f64>> = rows.chunks(CLUSTER).map(sum).collect();
    hotelling(&draws)
}
