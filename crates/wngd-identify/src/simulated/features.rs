//! Random Fourier functions of points, and of points some steps apart.

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use rayon::prelude::*;

/// Lengths of the functions, in standard deviations of the data; between them logarithmically uniform.
const LENGTHS: (f64, f64) = (0.7, 3.0);
/// Fewest functions.
const FEWEST: usize = 12;
/// Most columns that one function depends on.
const COLUMNS: usize = 3;

/// A frequency on a column some steps later.
#[derive(Debug, Clone, Copy)]
struct Part {
    steps: usize,
    column: usize,
    frequency: f64,
}

/// cos and sin of phases that are linear in points of the observed columns.
#[derive(Debug, Clone)]
pub(super) struct Features {
    waves: Vec<Vec<Part>>,
    columns: usize,
}

impl Features {
    /// Of points alone, and of points as many steps apart as `lags` says; enough for so many parameters.
    pub(super) fn new(deviations: &[f64], lags: &[usize], parameters: usize, seed: u64) -> Self {
        let columns = deviations.len();
        let mut rng = Pcg64::seed_from_u64(seed ^ 0x51ab_77d1);
        let count = FEWEST.max(2 * parameters + 6).max(columns);
        let waves = (0..count).map(|k| {
            // Points, pairs, triples in turn.
            let many = k % (lags.len() + 1);
            let steps: Vec<usize> = std::iter::once(0).chain(lags[..many].iter().copied()).collect();
            let which: Vec<usize> = if columns <= COLUMNS {
                (0..columns).collect()
            } else {
                let others = (1..COLUMNS).map(|_| rng.random_range(0..columns));
                let mut which: Vec<usize> = std::iter::once(k % columns).chain(others).collect();
                which.sort_unstable();
                which.dedup();
                which
            };
            let (least, most) = (LENGTHS.0.ln(), LENGTHS.1.ln());
            let length = (least + (most - least) * rng.random::<f64>()).exp() * (steps.len() as f64).sqrt();
            let pairs = steps.iter().flat_map(|s| which.iter().map(move |c| (*s, *c)));
            let part = |(steps, column): (usize, usize)| {
                let frequency = rng.sample::<f64, _>(StandardNormal) / (length * deviations[column]);
                Part { steps, column, frequency }
            };
            pairs.map(part).collect()
        });
        Self { waves: waves.collect(), columns }
    }

    /// Number of moments.
    pub(super) fn len(&self) -> usize {
        2 * self.waves.len()
    }

    /// Steps from the first to the last point of a function.
    pub(super) fn reach(&self) -> usize {
        self.waves.iter().flatten().map(|part| part.steps).max().unwrap_or(0)
    }

    /// Means over stretches of `length` first points; a rest that is shorter is left out.
    ///
    /// `from`: rows from which all points of a function lie in one record.
    pub(super) fn means(&self, points: &[f64], from: &[usize], length: usize) -> Vec<Vec<f64>> {
        let one = |rows: &[usize]| {
            let mut sums = vec![0.0; self.len()];
            for &row in rows {
                for (wave, sum) in self.waves.iter().zip(sums.chunks_exact_mut(2)) {
                    let phase: f64 =
                        wave.iter().map(|p| p.frequency * points[(row + p.steps) * self.columns + p.column]).sum();
                    let (sine, cosine) = phase.sin_cos();
                    sum[0] += cosine;
                    sum[1] += sine;
                }
            }
            sums.iter_mut().for_each(|s| *s /= rows.len() as f64);
            sums
        };
        from.par_chunks_exact(length).map(one).collect()
    }

    /// Σ w² of each moment on one column: half of it times the variance of noise is how much it is damped.
    pub(super) fn squares(&self, column: usize) -> Vec<f64> {
        let of = |wave: &Vec<Part>| wave.iter().filter(|p| p.column == column).map(|p| p.frequency * p.frequency).sum();
        self.waves.iter().map(of).flat_map(|s: f64| [s, s]).collect()
    }

    /// exp(−½ Σ w²s²) of each moment, with the variances s² of the noise of each column.
    pub(super) fn damping(&self, variances: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.len()];
        for (column, variance) in variances.iter().enumerate().filter(|(_, v)| **v != 0.0) {
            sum.iter_mut().zip(self.squares(column)).for_each(|(s, w)| *s += w * variance);
        }
        sum.into_iter().map(|s| (-0.5 * s).exp()).collect()
    }
}

/// Rows from which `reach` more of the same record follow.
pub(super) fn rows(spans: &[(usize, usize)], reach: usize) -> Vec<usize> {
    spans.iter().flat_map(|(begin, end)| *begin..end.saturating_sub(reach).max(*begin)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_damps_means_as_said() {
        let mut rng = Pcg64::seed_from_u64(3);
        let clean: Vec<f64> = (0..400_000).map(|i| (0.37 * i as f64).sin() * 2.0).collect();
        let seen: Vec<f64> = clean
            .iter()
            .enumerate()
            .map(|(i, x)| x + if i % 2 == 0 { 0.5 } else { 1.0 } * rng.sample::<f64, _>(StandardNormal))
            .collect();
        let features = Features::new(&[1.4, 1.4], &[1, 3], 4, 1);
        assert_eq!(features.reach(), 3);
        let from = rows(&[(0, 100_000), (100_000, 200_000)], 3);
        assert_eq!((from.len(), from[99_997]), (2 * 99_997, 100_000));
        let of = |points: &[f64]| features.means(points, &from, from.len()).remove(0);
        let damped = of(&clean).into_iter().zip(features.damping(&[0.25, 1.0])).map(|(m, d)| m * d);
        for (seen, expected) in of(&seen).into_iter().zip(damped) {
            assert!((seen - expected).abs() < 0.01, "{seen} {expected}");
        }
    }
}
