//! Whether the mean of some draws is 0.

use wngd_linalg::dense::symmetric_eigen;
use wngd_linalg::faer::Mat;

use crate::distribution::beyond_hotelling;
use crate::estimate::Misfit;

/// Whether the mean of some draws is 0, by Hotelling's T²; `None` from fewer draws than numbers in each.
pub(crate) fn hotelling(draws: &[Vec<f64>]) -> Option<Misfit> {
    let (n, q) = (draws.len() as f64, draws.first()?.len());
    let mean: Vec<f64> = (0..q).map(|k| draws.iter().map(|row| row[k]).sum::<f64>() / n).collect();
    let spread: Vec<f64> =
        (0..q).map(|k| (draws.iter().map(|row| (row[k] - mean[k]).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()).collect();
    let used: Vec<usize> = (0..q).filter(|k| spread[*k] > 0.0).collect();
    let scores = Mat::from_fn(draws.len(), used.len(), |b, k| (draws[b][used[k]] - mean[used[k]]) / spread[used[k]]);
    let correlation = wngd_linalg::dense::gram(scores.as_ref());
    let (values, vectors) = symmetric_eigen(correlation.as_ref()).ok()?;
    let largest = values.last().copied()?;
    let kept: Vec<usize> = (0..values.len()).filter(|l| values[*l] > 1e-9 * largest).collect();
    let along = |l: usize| -> f64 {
        used.iter().enumerate().map(|(k, e)| vectors[(k, l)] * mean[*e] / spread[*e]).sum::<f64>().powi(2) / values[l]
    };
    let statistic = n * (n - 1.0) * kept.iter().map(|l| along(*l)).sum::<f64>();
    let freedom = kept.len() as f64;
    (n > freedom + 1.0).then(|| Misfit {
        statistic,
        degrees_of_freedom: freedom,
        p_value: beyond_hotelling(statistic, freedom, n),
    })
}
