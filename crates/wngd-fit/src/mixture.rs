use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64Mcg;

use crate::component::{Component, Parameters, log_sum};
use crate::error::FitError;

/// A Gaussian mixture Σ wᵢ N(μᵢ, Σᵢ) in any dimension.
///
/// ```
/// use wngd_fit::Mixture;
///
/// let mixture = Mixture::new(vec![0.7, 0.3], vec![vec![0.0], vec![4.0]], vec![vec![vec![1.0]], vec![vec![0.25]]])?;
/// assert!((mixture.log_density(&[0.0]) - (0.7 / (2.0 * std::f64::consts::PI).sqrt()).ln()).abs() < 1e-6);
/// assert!(mixture.responsibilities(&[4.0])[1] > 0.99);
/// assert_eq!(mixture.sample(5, 1).len(), 5);
/// # Ok::<(), wngd_fit::FitError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mixture {
    weights: Vec<f64>,
    means: Vec<Vec<f64>>,
    covariances: Vec<Vec<Vec<f64>>>,
    components: Vec<Component>,
}

impl Mixture {
    /// A mixture from K weights, K means of d numbers and K symmetric d x d matrices.
    ///
    /// # Errors
    /// Shapes that do not fit; weights that are not positive or do not sum to 1; matrices that are not positive definite.
    pub fn new(weights: Vec<f64>, means: Vec<Vec<f64>>, covariances: Vec<Vec<Vec<f64>>>) -> Result<Self, FitError> {
        let (count, dim) = (weights.len(), means.first().map_or(0, Vec::len));
        let length = |field, expected, found, reason| Err(FitError::Length { field, expected, found, reason });
        if count == 0 || dim == 0 {
            return length("means", 1, 0, "at least one component of at least one coordinate");
        }
        if means.len() != count || covariances.len() != count {
            return length("means", count, means.len().min(covariances.len()), "a mean and a covariance per weight");
        }
        if let Some(mean) = means.iter().find(|m| m.len() != dim) {
            return length("means", dim, mean.len(), "all means have one dimension");
        }
        if let Some(bad) = covariances.iter().find(|c| c.len() != dim || c.iter().any(|row| row.len() != dim)) {
            return length("covariances", dim, bad.len(), "d rows of d numbers");
        }
        let sum: f64 = weights.iter().sum();
        if !((sum - 1.0).abs() < 1e-9) {
            let rule = "weights sum to 1";
            return Err(FitError::Value { field: "weights", index: 0, value: sum, rule });
        }
        let flat: Vec<Vec<f64>> = covariances.iter().map(|c| c.concat()).collect();
        for (index, c) in flat.iter().enumerate() {
            let asymmetric = (0..dim * dim).find(|i| c[*i] != c[(i % dim) * dim + i / dim]);
            if let Some(i) = asymmetric {
                let rule = "covariance matrices are symmetric";
                return Err(FitError::Value { field: "covariances", index, value: c[i], rule });
            }
        }
        let parameters = Parameters { dim, weights, means, covariances: flat };
        Self::of(&parameters).ok_or_else(|| {
            let good = |k: usize| {
                let one = |v: &[Vec<f64>]| vec![v[k].clone()];
                let (means, covariances) = (one(&parameters.means), one(&parameters.covariances));
                Parameters { dim, weights: vec![parameters.weights[k]], means, covariances }.prepare().is_some()
            };
            let index = (0..count).find(|&k| !good(k)).unwrap_or(0);
            let rule = "weights are positive, means finite and covariances positive definite (first variance given)";
            FitError::Value { field: "components", index, value: parameters.covariances[index][0], rule }
        })
    }

    /// None where the parameters are out of their domain.
    pub(crate) fn of(p: &Parameters) -> Option<Self> {
        let components = p.prepare()?;
        let rows = |c: &Vec<f64>| c.chunks(p.dim).map(<[f64]>::to_vec).collect();
        let covariances = p.covariances.iter().map(rows).collect();
        Some(Self { weights: p.weights.clone(), means: p.means.clone(), covariances, components })
    }

    /// Coordinates.
    pub fn dim(&self) -> usize {
        self.means[0].len()
    }

    /// K weights.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// K means.
    pub fn means(&self) -> &[Vec<f64>] {
        &self.means
    }

    /// K covariance matrices.
    pub fn covariances(&self) -> &[Vec<Vec<f64>>] {
        &self.covariances
    }

    /// ln ρ(x), without underflow, at a point of d numbers; NaN where there are fewer.
    pub fn log_density(&self, x: &[f64]) -> f64 {
        self.terms(x).map_or(f64::NAN, |mut terms| log_sum(&mut terms))
    }

    /// The probability of each component given x; NaN where x does not have d numbers.
    pub fn responsibilities(&self, x: &[f64]) -> Vec<f64> {
        let Some(mut terms) = self.terms(x) else { return vec![f64::NAN; self.weights.len()] };
        log_sum(&mut terms);
        terms
    }

    /// ln wN at x.
    fn terms(&self, x: &[f64]) -> Option<Vec<f64>> {
        if x.len() != self.dim() {
            return None;
        }
        let mut y = vec![0.0; x.len()];
        Some(self.components.iter().map(|c| c.log_density(x, &mut y)).collect())
    }

    /// n samples, row-major, from a seed.
    pub fn sample(&self, n: usize, seed: u64) -> Vec<f64> {
        self.sample_with_components(n, seed).0
    }

    /// The same samples, and the component that each came from.
    pub fn sample_with_components(&self, n: usize, seed: u64) -> (Vec<f64>, Vec<usize>) {
        draws(&self.components, n, seed)
    }
}

/// n samples, row-major, and the component of each.
pub(crate) fn draws(components: &[Component], n: usize, seed: u64) -> (Vec<f64>, Vec<usize>) {
    let dim = components[0].mean.len();
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let (mut values, mut from) = (Vec::with_capacity(n * dim), Vec::with_capacity(n));
    let mut z = vec![0.0; dim];
    for _ in 0..n {
        let mut left = rng.random::<f64>();
        let k = components.iter().position(|c| {
            left -= c.weight;
            left < 0.0
        });
        let k = k.unwrap_or(components.len() - 1);
        z.iter_mut().for_each(|z| *z = rng.sample(StandardNormal));
        let (lower, mean) = (&components[k].lower, &components[k].mean);
        for a in 0..dim {
            values.push(mean[a] + (0..=a).map(|b| lower[a * dim + b] * z[b]).sum::<f64>());
        }
        from.push(k);
    }
    (values, from)
}
