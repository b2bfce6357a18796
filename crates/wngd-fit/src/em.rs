//! The expectation–maximisation step: a natural-gradient step of length one, in the Fisher metric of the complete data.

use crate::component::{Component, Parameters};
use crate::dense;
use crate::likelihood::{Moments, pairs};
use crate::options::Family;

/// Parameters after a step, and which components' covariances lie at the floor.
pub(crate) struct Maximised {
    pub parameters: Parameters,
    pub at_floor: Vec<bool>,
}

/// The maximiser of the expected complete-data likelihood, with covariances Σ − diag(floor) positive semidefinite:
/// eigenvalues below the floor are lifted to it, which is the maximum under that bound.
pub(crate) fn maximise(moments: &Moments, components: &[Component], family: Family, floor: &[f64]) -> Maximised {
    let (count, dim) = (components.len(), floor.len());
    let pairs = pairs(dim, family.is_diagonal());
    let total: f64 = moments.count.iter().sum();
    let weights: Vec<f64> = moments.count.iter().map(|n| n / total).collect();
    let (mut means, mut scatters) = (Vec::new(), Vec::new());
    for (k, component) in components.iter().enumerate() {
        let n = moments.count[k].max(f64::MIN_POSITIVE);
        let m: Vec<f64> = moments.first[k * dim..(k + 1) * dim].iter().map(|s| s / n).collect();
        let mut scatter = vec![0.0; dim * dim];
        for (i, &(a, b)) in pairs.iter().enumerate() {
            let value = moments.second[k * pairs.len() + i] / n - m[a] * m[b];
            (scatter[a * dim + b], scatter[b * dim + a]) = (value, value);
        }
        let shift = |a: usize| (0..=a).map(|b| component.lower[a * dim + b] * m[b]).sum::<f64>();
        means.push((0..dim).map(|a| component.mean[a] + shift(a)).collect::<Vec<f64>>());
        scatters.push(dense::sandwich(&component.lower, &scatter, dim));
    }
    let mut at_floor = vec![false; count];
    let covariances = match family {
        Family::Full => scatters.iter().zip(&mut at_floor).map(|(s, low)| lifted(s, floor, low)).collect(),
        Family::Tied => {
            let mut pooled = vec![0.0; dim * dim];
            for (scatter, weight) in scatters.iter().zip(&weights) {
                pooled.iter_mut().zip(scatter).for_each(|(p, s)| *p += weight * s);
            }
            let mut low = false;
            let one = lifted(&pooled, floor, &mut low);
            at_floor.fill(low);
            vec![one; count]
        }
        Family::Diagonal | Family::Isotropic => {
            let isotropic = family == Family::Isotropic;
            let one = |(scatter, low): (&Vec<f64>, &mut bool)| {
                let mut out = vec![0.0; dim * dim];
                let mean = (0..dim).map(|a| scatter[a * dim + a]).sum::<f64>() / dim as f64;
                for a in 0..dim {
                    let value = if isotropic { mean } else { scatter[a * dim + a] };
                    *low |= value <= floor[a];
                    out[a * dim + a] = value.max(floor[a]);
                }
                out
            };
            scatters.iter().zip(&mut at_floor).map(one).collect()
        }
    };
    Maximised { parameters: Parameters { dim, weights, means, covariances }, at_floor }
}

/// S with the eigenvalues of D^{-½} S D^{-½} lifted to 1, D = diag(floor).
pub(crate) fn lifted(scatter: &[f64], floor: &[f64], low: &mut bool) -> Vec<f64> {
    let dim = floor.len();
    if above(scatter, floor) {
        return scatter.to_vec();
    }
    *low = true;
    let root: Vec<f64> = floor.iter().map(|f| f.sqrt()).collect();
    let scaled: Vec<f64> = (0..dim * dim).map(|i| scatter[i] / (root[i / dim] * root[i % dim])).collect();
    let (values, vectors) = dense::eigen(&scaled, dim);
    let mut out = vec![0.0; dim * dim];
    for (value, v) in values.iter().zip(vectors.chunks(dim)) {
        // A hair above, so that the result is factored without trouble.
        let value = value.max(1.0 + 1e-9);
        for a in 0..dim {
            (0..dim).for_each(|b| out[a * dim + b] += value * v[a] * v[b] * root[a] * root[b]);
        }
    }
    out
}

/// Whether S − diag(floor) is positive definite.
pub(crate) fn above(scatter: &[f64], floor: &[f64]) -> bool {
    let dim = floor.len();
    let mut rest = scatter.to_vec();
    (0..dim).for_each(|a| rest[a * dim + a] -= floor[a]);
    (0..dim).all(|a| rest[a * dim + a] > 0.0) && dense::cholesky(&rest, dim).is_some()
}
