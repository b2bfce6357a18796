//! The likelihood of binned entries: Σ n ln P, P the integral of the mixture over a bin.
//!
//! Integrals, and those of the features that derivatives need, are sums over Gauss–Legendre nodes, on panels no wider
//! than a component's conditional deviation within nine deviations of its mean: exact to ten digits where the
//! component has mass. An error function gives the same in one dimension and none of the derivatives' moments.

use rayon::prelude::*;

use crate::component::{Component, log_sum};
use crate::likelihood::{Curvature, Likelihood, Moments, own_block, pairs, symmetric};

/// Bins per task.
const TASK: usize = 16;
/// Deviations within which panels are fine.
const REACH: f64 = 9.0;
/// Most panels per axis of a bin.
const PANELS: f64 = 40.0;
/// Nodes and weights of Gauss–Legendre quadrature on [-1, 1], the positive half.
const FEW: [(f64, f64); 2] =
    [(0.339_981_043_584_856_3, 0.652_145_154_862_546_1), (0.861_136_311_594_052_6, 0.347_854_845_137_453_9)];
const MANY: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
];

/// Bins in the coordinates of the fit.
pub(crate) struct Binned {
    pub dim: usize,
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    pub counts: Vec<f64>,
    /// Whether the likelihood is that of entries inside the bins, the others not seen.
    pub cut: bool,
    /// Whether to give up.
    pub stop: fn() -> bool,
}

/// What the mixture says of one bin.
pub(crate) struct Bin {
    /// Integral of the mixture.
    pub log_mass: f64,
    /// Share of each component.
    pub shares: Vec<f64>,
    /// Mean features per component, q each.
    pub features: Vec<f64>,
    /// Mean products of features per component, q² each, the lower triangle; none if not asked for.
    pub products: Vec<f64>,
}

/// Room for integrals over bins.
struct Work {
    nodes: Vec<Vec<(f64, f64)>>,
    x: Vec<f64>,
    y: Vec<f64>,
    u: Vec<f64>,
}

impl Binned {
    fn bin(
        &self,
        index: usize,
        components: &[Component],
        pairs: &[(usize, usize)],
        second: bool,
        work: &mut Work,
    ) -> Bin {
        let dim = self.dim;
        let q = 1 + dim + pairs.len();
        let count = components.len();
        let mut bin = Bin {
            log_mass: 0.0,
            shares: vec![0.0; count],
            features: vec![0.0; count * q],
            products: vec![0.0; if second { count * q * q } else { 0 }],
        };
        for (k, component) in components.iter().enumerate() {
            for a in 0..dim {
                let at = index * dim + a;
                place(component, a, self.lower[at], self.upper[at], &mut work.nodes[a]);
            }
            // Relative to the largest value, which may be tiny.
            let total: usize = work.nodes[..dim].iter().map(Vec::len).product();
            let mut largest = f64::NEG_INFINITY;
            let mut mass = 0.0;
            let features = &mut bin.features[k * q..(k + 1) * q];
            let products = if second { &mut bin.products[k * q * q..(k + 1) * q * q] } else { &mut [][..] };
            for node in 0..total {
                let (mut rest, mut weight) = (node, 1.0);
                for a in (0..dim).rev() {
                    let (x, w) = work.nodes[a][rest % work.nodes[a].len()];
                    rest /= work.nodes[a].len();
                    work.x[a] = x;
                    weight *= w;
                }
                let log = component.log_density(&work.x, &mut work.y);
                if log > largest {
                    let factor = (largest - log).exp();
                    mass *= factor;
                    features.iter_mut().for_each(|f| *f *= factor);
                    products.iter_mut().for_each(|f| *f *= factor);
                    largest = log;
                }
                let value = weight * (log - largest).exp();
                work.u[0] = 1.0;
                work.u[1..=dim].copy_from_slice(&work.y);
                for (u, &(a, b)) in work.u[1 + dim..].iter_mut().zip(pairs) {
                    *u = if a == b { 0.5 * (work.y[a] * work.y[a] - 1.0) } else { work.y[a] * work.y[b] };
                }
                mass += value;
                for i in 0..q {
                    features[i] += value * work.u[i];
                    if second {
                        (0..=i).for_each(|j| products[i * q + j] += value * work.u[i] * work.u[j]);
                    }
                }
            }
            features.iter_mut().for_each(|f| *f /= mass);
            products.iter_mut().for_each(|f| *f /= mass);
            bin.shares[k] = largest + mass.ln();
        }
        bin.log_mass = log_sum(&mut bin.shares);
        bin
    }

    /// Every bin, in order.
    pub(crate) fn bins(&self, components: &[Component], diagonal: bool, second: bool) -> Vec<Bin> {
        let pairs = pairs(self.dim, diagonal);
        let q = 1 + self.dim + pairs.len();
        let order: Vec<usize> = (0..self.counts.len()).collect();
        let parts: Vec<Vec<Bin>> = order
            .par_chunks(TASK)
            .map(|part| {
                let d = self.dim;
                let mut work = Work { nodes: vec![Vec::new(); d], x: vec![0.0; d], y: vec![0.0; d], u: vec![0.0; q] };
                part.iter().map(|&i| self.bin(i, components, &pairs, second, &mut work)).collect()
            })
            .collect();
        parts.into_iter().flatten().collect()
    }

    /// Mass of all bins.
    pub(crate) fn covered(&self, bins: &[Bin]) -> f64 {
        bins.iter().map(|b| b.log_mass.exp()).sum()
    }

    fn log_likelihood(&self, bins: &[Bin]) -> f64 {
        let sum: f64 = self.counts.iter().zip(bins).filter(|(n, _)| **n > 0.0).map(|(n, b)| n * b.log_mass).sum();
        if self.cut { sum - self.total() * self.covered(bins).ln() } else { sum }
    }
}

/// Nodes along one axis of a bin for one component.
fn place(component: &Component, a: usize, lower: f64, upper: f64, nodes: &mut Vec<(f64, f64)>) {
    let dim = component.mean.len();
    nodes.clear();
    let marginal = (0..=a).map(|b| component.lower[a * dim + b].powi(2)).sum::<f64>().sqrt();
    // 1/√precision
    let conditional = 1.0 / (a..dim).map(|b| component.inverse[b * dim + a].powi(2)).sum::<f64>().sqrt();
    let (low, high) = (component.mean[a] - REACH * marginal, component.mean[a] + REACH * marginal);
    let (from, to) = if lower < high && upper > low { (lower.max(low), upper.min(high)) } else { (lower, upper) };
    let width = (to - from) / conditional;
    let panels = width.ceil().clamp(1.0, PANELS);
    let half = 0.5 * (to - from) / panels;
    let rule: &[(f64, f64)] = if width / panels <= 0.4 { &FEW } else { &MANY };
    for panel in 0..panels as usize {
        let centre = from + (2 * panel + 1) as f64 * half;
        for &(node, weight) in rule {
            nodes.push((centre - half * node, half * weight));
            nodes.push((centre + half * node, half * weight));
        }
    }
}

impl Likelihood for Binned {
    fn dim(&self) -> usize {
        self.dim
    }

    fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    fn stopped(&self) -> bool {
        (self.stop)()
    }

    fn is_density(&self) -> bool {
        false
    }

    fn value(&self, components: &[Component]) -> f64 {
        self.log_likelihood(&self.bins(components, true, false))
    }

    /// With entries that were not seen outside of the bins counted in as expected, where the bins cut the distribution:
    /// expectation–maximisation for truncated data (Dempster, Laird and Rubin 1977).
    fn moments(&self, components: &[Component], diagonal: bool) -> Moments {
        let pairs = pairs(self.dim, diagonal);
        let (dim, q) = (self.dim, 1 + self.dim + pairs.len());
        let bins = self.bins(components, diagonal, false);
        let mut moments = Moments::zero(components.len(), dim, pairs.len());
        moments.log_likelihood = self.log_likelihood(&bins);
        let all = if self.cut { self.total() / self.covered(&bins) } else { 0.0 };
        let mut put = |k: usize, factor: f64, u: &[f64]| {
            moments.count[k] += factor;
            (0..dim).for_each(|a| moments.first[k * dim + a] += factor * u[1 + a]);
            for (i, &(a, b)) in pairs.iter().enumerate() {
                let u = u[1 + dim + i];
                moments.second[k * pairs.len() + i] += factor * if a == b { 2.0 * u + 1.0 } else { u };
            }
        };
        for (n, bin) in self.counts.iter().zip(&bins) {
            let factor = n - all * bin.log_mass.exp();
            for k in 0..components.len() {
                put(k, factor * bin.shares[k], &bin.features[k * q..(k + 1) * q]);
            }
        }
        let whole = vec![0.0; q];
        for (k, component) in components.iter().enumerate() {
            put(k, all * component.weight, &whole);
        }
        moments
    }

    fn curvature(&self, components: &[Component], diagonal: bool) -> Curvature {
        let pairs = pairs(self.dim, diagonal);
        let q = 1 + self.dim + pairs.len();
        let (count, n) = (components.len(), components.len() * q);
        let bins = self.bins(components, diagonal, true);
        let total = if self.cut { self.total() } else { 0.0 };
        let covered = self.covered(&bins);
        let score = |bin: &Bin| -> Vec<f64> { (0..n).map(|i| bin.shares[i / q] * bin.features[i]).collect() };
        let scores: Vec<Vec<f64>> = bins.iter().map(score).collect();
        // The gradient of ln of the covered mass.
        let mut outside = vec![0.0; n];
        if self.cut {
            for (bin, score) in bins.iter().zip(&scores) {
                let share = bin.log_mass.exp() / covered;
                outside.iter_mut().zip(score).for_each(|(o, s)| *o += share * s);
            }
        }
        let mut gradient = vec![0.0; n];
        let mut own = vec![0.0; count * q * q];
        let (mut gram, mut plain) = (vec![0.0; n * n], vec![0.0; n * n]);
        for ((entries, bin), score) in self.counts.iter().zip(&bins).zip(&scores) {
            let factor = entries - total * bin.log_mass.exp() / covered;
            for i in 0..n {
                gradient[i] += factor * score[i];
                if *entries > 0.0 {
                    for j in 0..=i {
                        gram[i * n + j] += entries * (score[i] - outside[i]) * (score[j] - outside[j]);
                        plain[i * n + j] += entries * score[i] * score[j];
                    }
                }
            }
            for k in 0..count {
                let products = &bin.products[k * q * q..(k + 1) * q * q];
                let factor = factor * bin.shares[k];
                let block = &mut own[k * q * q..(k + 1) * q * q];
                block.iter_mut().zip(products).for_each(|(o, u)| *o += factor * u);
            }
        }
        symmetric(&mut gram, n);
        symmetric(&mut plain, n);
        let mut observed = plain;
        for i in 0..n {
            (0..n).for_each(|j| observed[i * n + j] -= total * outside[i] * outside[j]);
        }
        for k in 0..count {
            let block = own_block(&own[k * q * q..(k + 1) * q * q], self.dim, &pairs);
            for i in 0..q {
                for j in 0..q {
                    observed[(k * q + i) * n + k * q + j] -= block[i * q + j];
                }
            }
        }
        let log_likelihood = self.log_likelihood(&bins);
        Curvature { log_likelihood, gradient, observed, scores: gram.clone(), variance: gram }
    }
}
