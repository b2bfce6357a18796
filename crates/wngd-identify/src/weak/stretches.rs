//! First, middle and last third of the data held against each other.

use wngd_linalg::LinalgError;
use wngd_linalg::dense::{gram, symmetric_eigen};
use wngd_linalg::faer::Mat;

use super::design::Design;
use super::whiten::{Whitener, residual};
use crate::distribution::beyond_hotelling;

/// Thirds shorter than this many blocks say nothing.
const SHORTEST: usize = 24;

/// Chance that thirds of one stationary record differ by as much as these; `None` where they are too short.
///
/// `design` is at the estimate, `basis` spans the determined directions in parameters scaled by `scale`: each third's own
/// step from the estimate is compared with its covariance by the scatter between the blocks of all thirds.
pub(super) fn difference(design: &Design, basis: &Mat<f64>, scale: &[f64]) -> Result<Option<f64>, LinalgError> {
    let (count, k) = (design.blocks.len() / 3, basis.ncols());
    if count < SHORTEST || k == 0 {
        return Ok(None);
    }
    let whitener = Whitener::of(design, &residual(design.parameters))?;
    let mut steps = Vec::new();
    let mut inverse = Mat::<f64>::zeros(k, k);
    for third in 0..3 {
        let mean = design.part(third * count..(third + 1) * count).mean();
        let (p, width) = (design.parameters, design.parameters + 1);
        let columns: Vec<Vec<f64>> = (0..k)
            .map(|j| whitener.apply(|e| (0..p).map(|i| mean[e * width + i] * scale[i] * basis[(i, j)]).sum()))
            .collect();
        let target = whitener.apply(|e| mean[e * width + p]);
        let whitened = Mat::from_fn(whitener.rank(), k, |r, j| columns[j][r]);
        let information = gram(whitened.as_ref());
        let (values, vectors) = symmetric_eigen(information.as_ref())?;
        if !(values[0] > 0.0) {
            return Ok(None);
        }
        let right: Vec<f64> = columns.iter().map(|c| c.iter().zip(&target).map(|(a, b)| a * b).sum()).collect();
        let step: Vec<f64> = (0..k)
            .map(|i| {
                (0..k)
                    .map(|l| {
                        let along: f64 = (0..k).map(|j| vectors[(j, l)] * right[j]).sum();
                        -vectors[(i, l)] * along / values[l]
                    })
                    .sum()
            })
            .collect();
        steps.push(step);
        for i in 0..k {
            for j in 0..k {
                inverse[(i, j)] += information[(i, j)] / 3.0;
            }
        }
    }
    // A third has three times the covariance of the whole.
    let mean: Vec<f64> = (0..k).map(|j| steps.iter().map(|s| s[j]).sum::<f64>() / 3.0).collect();
    let statistic: f64 = steps
        .iter()
        .map(|step| {
            let d: Vec<f64> = step.iter().zip(&mean).map(|(s, m)| s - m).collect();
            (0..k).map(|i| (0..k).map(|j| d[i] * inverse[(i, j)] * d[j]).sum::<f64>()).sum::<f64>() / 3.0
        })
        .sum();
    // An estimated covariance of many equations makes the combination noisier than it says.
    let lost = (whitener.rank() - k) as f64;
    let factor = ((whitener.draws - lost - 1.0) / whitener.draws).max(0.05).powi(2);
    Ok(Some(beyond_hotelling(factor * statistic, 2.0 * k as f64, (whitener.draws - lost).max(2.0 * k as f64 + 2.0))))
}
