//! Starts: k-means++ seeds, and splits of a component of a mixture that has one less.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::component::Parameters;
use crate::dense;
use crate::em::lifted;
use crate::options::Family;

/// Rounds of k-means after seeding.
const ROUNDS: usize = 8;

/// Samples that starts are made from, in the coordinates of the fit.
pub(crate) struct Seeds<'a> {
    pub dim: usize,
    pub values: &'a [f64],
    pub weights: Option<&'a [f64]>,
}

impl Seeds<'_> {
    /// The most frequent sample with its share, if that is more than `least` samples.
    pub(crate) fn atom(&self, least: f64) -> Option<(Vec<f64>, f64)> {
        let mut counts: BTreeMap<Vec<u64>, f64> = BTreeMap::new();
        for i in 0..self.len() {
            *counts.entry(self.at(i).iter().map(|v| v.to_bits()).collect()).or_default() += self.weight(i);
        }
        let total: f64 = counts.values().sum();
        let (key, count) = counts.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        (*count >= least).then(|| (key.iter().map(|b| f64::from_bits(*b)).collect(), count / total))
    }

    fn len(&self) -> usize {
        self.values.len() / self.dim
    }
    fn at(&self, i: usize) -> &[f64] {
        &self.values[i * self.dim..(i + 1) * self.dim]
    }
    fn weight(&self, i: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[i])
    }

    /// A start from k-means++ (Arthur and Vassilvitskii 2007): seeds drawn with the squared distance to those before,
    /// rounds of k-means, then the clusters' own means and covariances.
    pub(crate) fn start(&self, components: usize, family: Family, floor: &[f64], stream: u64) -> Parameters {
        let mut rng = Pcg64Mcg::seed_from_u64(stream);
        let (n, dim) = (self.len(), self.dim);
        let pick = |shares: &[f64], rng: &mut Pcg64Mcg| {
            let total: f64 = shares.iter().sum();
            let mut left = rng.random::<f64>() * total;
            let found = shares.iter().position(|s| {
                left -= s;
                left < 0.0
            });
            found.unwrap_or(n - 1)
        };
        let weights: Vec<f64> = (0..n).map(|i| self.weight(i)).collect();
        let mut centres = vec![self.at(pick(&weights, &mut rng)).to_vec()];
        let mut nearest = vec![f64::INFINITY; n];
        let mut cluster = vec![0; n];
        while centres.len() < components {
            let newest = &centres[centres.len() - 1];
            for i in 0..n {
                nearest[i] = nearest[i].min(distance(self.at(i), newest));
            }
            let shares: Vec<f64> = nearest.iter().zip(&weights).map(|(d, w)| d * w).collect();
            centres.push(self.at(pick(&shares, &mut rng)).to_vec());
        }
        // Every other start keeps its seeds as they are, with one common covariance: other basins are reached so.
        let rounds = if stream.is_multiple_of(2) { ROUNDS } else { 1 };
        let mut counts = vec![0.0; components];
        for round in 0..rounds {
            for i in 0..n {
                cluster[i] = closest(&centres, self.at(i));
            }
            counts.fill(0.0);
            let mut sums = vec![vec![0.0; dim]; components];
            for i in 0..n {
                counts[cluster[i]] += weights[i];
                sums[cluster[i]].iter_mut().zip(self.at(i)).for_each(|(s, x)| *s += weights[i] * x);
            }
            if rounds > 1 || round > 0 {
                for (k, sum) in sums.into_iter().enumerate().filter(|(k, _)| counts[*k] > 0.0) {
                    centres[k] = sum.iter().map(|s| s / counts[k]).collect();
                }
            }
        }
        self.of_clusters(centres, &cluster, &weights, family, floor, rounds > 1)
    }

    fn of_clusters(
        &self,
        centres: Vec<Vec<f64>>,
        cluster: &[usize],
        weights: &[f64],
        family: Family,
        floor: &[f64],
        own: bool,
    ) -> Parameters {
        let (dim, components) = (self.dim, centres.len());
        let mut counts = vec![0.0; components];
        let mut scatters = vec![vec![0.0; dim * dim]; components];
        for i in 0..self.len() {
            let (k, x) = (cluster[i], self.at(i));
            counts[k] += weights[i];
            for a in 0..dim {
                for b in 0..dim {
                    scatters[k][a * dim + b] += weights[i] * (x[a] - centres[k][a]) * (x[b] - centres[k][b]);
                }
            }
        }
        let total: f64 = counts.iter().sum();
        let mut pooled = vec![0.0; dim * dim];
        for scatter in &scatters {
            pooled.iter_mut().zip(scatter).for_each(|(p, s)| *p += s / total);
        }
        // A cluster of few points has no covariance of its own; some of the common one keeps it apart from singular.
        let prior = (dim + 1) as f64;
        let covariance = |k: usize| -> Vec<f64> {
            let matrix: Vec<f64> = if own && family != Family::Tied {
                let mix = |(s, p): (&f64, &f64)| (s + prior * p) / (counts[k] + prior);
                scatters[k].iter().zip(&pooled).map(mix).collect()
            } else {
                pooled.clone()
            };
            shaped(matrix, dim, family, floor)
        };
        let weights = counts.iter().map(|n| (n + 1.0) / (total + components as f64)).collect();
        Parameters { dim, weights, covariances: (0..components).map(covariance).collect(), means: centres }
    }
}

/// A matrix of the family.
pub(crate) fn shaped(mut matrix: Vec<f64>, dim: usize, family: Family, floor: &[f64]) -> Vec<f64> {
    let mean = (0..dim).map(|a| matrix[a * dim + a]).sum::<f64>() / dim as f64;
    if family.is_diagonal() {
        for a in 0..dim {
            for b in 0..dim {
                if a != b {
                    matrix[a * dim + b] = 0.0;
                } else if family == Family::Isotropic {
                    matrix[a * dim + a] = mean;
                }
            }
        }
    }
    let roomy: Vec<f64> = floor.iter().map(|f| 1.01 * f).collect();
    lifted(&matrix, &roomy, &mut false)
}

/// A mixture with component k split in two along its longest axis.
pub(crate) fn split(p: &Parameters, k: usize, family: Family, floor: &[f64]) -> Parameters {
    let dim = p.dim;
    let (values, vectors) = dense::eigen(&p.covariances[k], dim);
    let (length, axis) = (values[dim - 1].max(0.0).sqrt(), &vectors[(dim - 1) * dim..]);
    let mut out = p.clone();
    let shift = 0.8 * length;
    // What the shift explains is no longer scatter.
    let mut covariance = p.covariances[k].clone();
    for a in 0..dim {
        (0..dim).for_each(|b| covariance[a * dim + b] -= shift * shift * axis[a] * axis[b]);
    }
    let covariance = shaped(covariance, dim, family, floor);
    let moved = |sign: f64| (0..dim).map(|a| p.means[k][a] + sign * shift * axis[a]).collect::<Vec<f64>>();
    (out.means[k], out.weights[k]) = (moved(1.0), 0.5 * p.weights[k]);
    out.means.push(moved(-1.0));
    out.weights.push(0.5 * p.weights[k]);
    if family != Family::Tied {
        out.covariances[k] = covariance.clone();
        out.covariances.push(covariance);
    } else {
        out.covariances.push(p.covariances[k].clone());
    }
    out
}

/// A mixture with a component more, on one place.
pub(crate) fn with_atom(p: &Parameters, place: &[f64], share: f64, floor: &[f64]) -> Parameters {
    let dim = p.dim;
    let mut out = p.clone();
    out.weights.iter_mut().for_each(|w| *w *= 1.0 - share);
    out.weights.push(share);
    out.means.push(place.to_vec());
    out.covariances
        .push((0..dim * dim).map(|i| if i / dim == i % dim { 1.01 * floor[i / dim] } else { 0.0 }).collect());
    out
}

fn distance(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum()
}

fn closest(centres: &[Vec<f64>], x: &[f64]) -> usize {
    let mut best = (0, f64::INFINITY);
    for (k, centre) in centres.iter().enumerate() {
        let d = distance(x, centre);
        if d < best.1 {
            best = (k, d);
        }
    }
    best.0
}
