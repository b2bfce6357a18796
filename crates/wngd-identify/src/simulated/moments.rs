//! Means of the functions with their covariance.

use wngd_linalg::LinalgError;
use wngd_linalg::dense::{gram, symmetric_eigen};
use wngd_linalg::faer::Mat;

/// Change of the logarithm of a variance with the length of the windows that counts as standing still.
const STANDS: f64 = 0.2;
/// Directions of the correlation matrix below this share of the largest are rounding and left out.
const ROUNDING: f64 = 1e-10;
/// Error of a mean that the integrator may leave.
const INTEGRATION: f64 = 1e-5;
/// What scatters with more than this share is clear of the integrator's errors.
pub(super) const CLEAR: f64 = 0.9;

/// Means, and how sure they are.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) mean: Vec<f64>,
    /// Covariance of the mean, row-major.
    pub(super) covariance: Vec<f64>,
    /// Draws that it comes from.
    pub(super) draws: f64,
}

impl Moments {
    /// Of the means over stretches, with the covariance from windows of `span` of them.
    pub(super) fn of(stretches: &[Vec<f64>], span: usize) -> Self {
        let (mean, draws) = (mean(stretches), windows(stretches, span));
        let (count, q) = (draws.len() as f64, mean.len());
        let product = gram(Mat::from_fn(draws.len(), q, |b, e| draws[b][e]).as_ref());
        let factor = 1.0 / (stretches.len() as f64 * (count - 1.0).max(1.0));
        let covariance = (0..q * q).map(|at| factor * product[(at / q, at % q)]).collect();
        Self { mean, covariance, draws: count }
    }

    /// The same with each entry times a factor.
    pub(super) fn damped(&self, by: &[f64]) -> Self {
        let q = by.len();
        Self {
            mean: self.mean.iter().zip(by).map(|(m, d)| m * d).collect(),
            covariance: self.covariance.iter().enumerate().map(|(at, c)| c * by[at / q] * by[at % q]).collect(),
            draws: self.draws,
        }
    }
}

fn mean(stretches: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; stretches.first().map_or(0, Vec::len)];
    for stretch in stretches {
        sum.iter_mut().zip(stretch).for_each(|(s, v)| *s += v);
    }
    sum.iter_mut().for_each(|s| *s /= stretches.len() as f64);
    sum
}

/// Deviations of stretches from their mean, weighed over windows of `span` stretches that overlap by half, of unit square.
///
/// Weights that fall to 0 at both ends keep out what a motion to and fro leaves at the ends of a window: the mean of all has
/// next to none of it.
fn windows(stretches: &[Vec<f64>], span: usize) -> Vec<Vec<f64>> {
    let centre = mean(stretches);
    if span < 2 {
        return stretches.iter().map(|row| row.iter().zip(&centre).map(|(v, m)| v - m).collect()).collect();
    }
    let weights: Vec<f64> =
        (0..span).map(|k| (std::f64::consts::PI * (k as f64 + 0.5) / span as f64).sin().powi(2)).collect();
    let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
    let one = |from: usize| {
        let mut sum = vec![0.0; centre.len()];
        for (weight, row) in weights.iter().zip(&stretches[from..]) {
            sum.iter_mut().zip(row).zip(&centre).for_each(|((s, v), m)| *s += weight * (v - m) / norm);
        }
        sum
    };
    (0..(stretches.len() + 1).saturating_sub(span)).step_by(span / 2).map(one).collect()
}

/// The shortest windows beyond which the variance of the mean no longer changes, in stretches, or else the longest; at least
/// `fewest` are left.
pub(super) fn span(stretches: &[Vec<f64>], fewest: usize) -> usize {
    let spans: Vec<usize> = [1, 4, 8, 16, 32, 64, 128, 256]
        .into_iter()
        .filter(|span| *span == 1 || 2 * stretches.len() / span > fewest)
        .collect();
    let variances: Vec<(f64, Vec<f64>)> = spans
        .iter()
        .map(|span| {
            let rows = windows(stretches, *span);
            let count = rows.len() as f64;
            let of = |e: usize| rows.iter().map(|row| row[e] * row[e]).sum::<f64>() / (count - 1.0).max(1.0);
            (count, (0..stretches.first().map_or(0, Vec::len)).map(of).collect())
        })
        .collect();
    let stands = |from: usize, to: usize| {
        let pairs = variances[from].1.iter().zip(&variances[to].1).filter(|(a, _)| **a > 0.0);
        let logs: Vec<f64> = pairs.map(|(a, b)| (b / a).max(1e-12).ln()).collect();
        let changed = (logs.iter().map(|l| l * l).sum::<f64>() / logs.len().max(1) as f64).sqrt();
        // A variance from n draws scatters by √(2/n).
        changed < STANDS + (3.0 / variances[to].0).sqrt()
    };
    let last = spans.len() - 1;
    let found = (0..last).find(|&from| (from + 1..=last).all(|to| stands(from, to)));
    spans[found.unwrap_or(last)]
}

/// X with X (Ω + F) Xᵀ = 1 on what counts, F the squared error of the integrator: the rows of X, and what of each 1 is Ω's.
///
/// Functions of one smooth coordinate are nearly combinations of each other, so that some combinations scatter no more than the
/// integrator may err. Their weight is that of the error, but what they scatter is less. Where fewer than `least` combinations are
/// clear of it, as for a motion that repeats itself, nothing but the error tells a scale, and all of each 1 counts.
pub(super) fn whitener(covariance: &[f64], q: usize, least: usize) -> Result<(Vec<Vec<f64>>, Vec<f64>), LinalgError> {
    let floor = INTEGRATION * INTEGRATION;
    let deviation: Vec<f64> = (0..q).map(|e| (covariance[e * q + e] + floor).sqrt()).collect();
    let entry = |i: usize, j: usize| {
        let own = if i == j { floor } else { 0.0 };
        (covariance[i * q + j] + own) / (deviation[i] * deviation[j])
    };
    let (values, vectors) = symmetric_eigen(Mat::from_fn(q, q, entry).as_ref())?;
    let largest = values.last().copied().unwrap_or(0.0);
    let erring = |l: usize| (0..q).map(|e| vectors[(e, l)].powi(2) * floor / deviation[e].powi(2)).sum::<f64>();
    let own = |l: usize| (1.0 - erring(l) / values[l]).max(0.0);
    let kept: Vec<usize> = (0..q).filter(|l| values[*l] > ROUNDING * largest).collect();
    let enough = kept.iter().filter(|l| own(**l) > CLEAR).count() >= least;
    let shares = kept.iter().map(|l| if enough { own(*l) } else { 1.0 }).collect();
    let row = |l: usize| (0..q).map(|e| vectors[(e, l)] / (values[l].sqrt() * deviation[e])).collect();
    Ok((kept.into_iter().map(row).collect(), shares))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn windows_grow_until_they_are_independent() {
        // Each draw is repeated eight times.
        let noise = |i: usize| Pcg64::seed_from_u64(i as u64).random_range(-0.5..0.5);
        let slow: Vec<Vec<f64>> = (0..4096).map(|i| vec![noise(i / 8), noise(i / 8 + 5000)]).collect();
        let long = span(&slow, 40);
        assert!(long >= 8, "{long}");
        let fast: Vec<Vec<f64>> = (0..2048).map(|i| vec![noise(i), noise(i + 5000)]).collect();
        assert!(span(&fast, 40) <= 8);
        let exact = Moments::of(&fast, 1);
        let found = Moments::of(&slow, 64);
        // 512 draws for 2048.
        let ratio = found.covariance[0] / (4.0 * exact.covariance[0]);
        assert!((0.7..1.4).contains(&ratio), "{ratio}");
        let (rows, _) = whitener(&exact.covariance, 2, 2).unwrap();
        let norm: f64 = (0..2)
            .flat_map(|i| (0..2).map(move |j| (i, j)))
            .map(|(i, j)| rows[0][i] * exact.covariance[2 * i + j] * rows[0][j])
            .sum();
        assert!((norm - 1.0).abs() < 1e-5, "{norm}");
    }

    #[test]
    fn what_the_integrator_hides_is_told_if_enough_is_clear_of_it() {
        // Variances of 1e-4 along (1, 1), of 1e-12 along (1, −1) and of 1e-6 in the third.
        let (a, b) = (5e-5 + 5e-13, 5e-5 - 5e-13);
        let covariance = [a, b, 0.0, b, a, 0.0, 0.0, 0.0, 1e-6];
        let (rows, shares) = whitener(&covariance, 3, 2).unwrap();
        let hidden = rows.iter().position(|row| row[0] * row[1] < 0.0).unwrap();
        // With the error of the integrator on it, a hundredth of which is its own.
        assert!((rows[hidden][0].abs() * 2f64.sqrt() * INTEGRATION - 1.0).abs() < 0.02, "{rows:?}");
        assert!((shares[hidden] - 0.0099).abs() < 1e-3, "{shares:?}");
        assert!(shares.iter().enumerate().all(|(l, share)| l == hidden || *share > 0.999), "{shares:?}");
        assert_eq!(whitener(&covariance, 3, 3).unwrap().1, [1.0; 3]);
    }

    #[test]
    fn a_motion_to_and_fro_has_no_variance() {
        // A wave of period 7.3 with a little noise: windows without weights see their ends alone.
        let noise = |i: usize| ((i as f64 * 12.9898).sin() * 43_758.545_3).fract() - 0.5;
        let wave: Vec<Vec<f64>> = (0..2048).map(|i| vec![(0.86 * i as f64).sin() + 0.02 * noise(i)]).collect();
        let long = span(&wave, 40);
        let found = Moments::of(&wave, long).covariance[0];
        let exact = 0.02 * 0.02 / 12.0 / 2048.0;
        assert!((0.5..2.0).contains(&(found / exact)), "{long}: {found} {exact}");
    }
}
