//! What a fit asks of data: value, moments (what EM needs) and curvature (what Newton's method and errors need) of the
//! log-likelihood, in coordinates that move with each component.
//!
//! For a component w N(μ, LLᵀ) the local coordinates are (a, m, C): w(1 + a), μ + L m, L(I + C)Lᵀ. With y = L⁻¹(x − μ)
//! the derivatives of ln w N are the features u = (1, y_a, ½(y_a² − 1), y_a y_b), which need no inverse and are of order
//! one whatever the covariance; the map from parameters to (a, m, C) is linear, so that Hessians transform without
//! further terms.

use crate::component::Component;

/// Which products of whitened residuals there are: pairs (a, b), b ≤ a.
pub(crate) fn pairs(dim: usize, diagonal: bool) -> Vec<(usize, usize)> {
    (0..dim).flat_map(|a| (if diagonal { a } else { 0 }..=a).map(move |b| (a, b))).collect()
}

/// Sums of the expectation step.
#[derive(Debug, Clone)]
pub(crate) struct Moments {
    /// Σ weight · ln ρ.
    pub log_likelihood: f64,
    /// Σ r per component.
    pub count: Vec<f64>,
    /// Σ r y, d per component.
    pub first: Vec<f64>,
    /// Σ r y_a y_b, one per pair and component.
    pub second: Vec<f64>,
}

impl Moments {
    pub(crate) fn zero(components: usize, dim: usize, pairs: usize) -> Self {
        Self {
            log_likelihood: 0.0,
            count: vec![0.0; components],
            first: vec![0.0; components * dim],
            second: vec![0.0; components * pairs],
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.log_likelihood += other.log_likelihood;
        add(&mut self.count, &other.count);
        add(&mut self.first, &other.first);
        add(&mut self.second, &other.second);
    }

    /// The gradient of the log-likelihood in local coordinates, component by component.
    pub(crate) fn gradient(&self, dim: usize, pairs: &[(usize, usize)]) -> Vec<f64> {
        let mut gradient = Vec::new();
        for k in 0..self.count.len() {
            gradient.push(self.count[k]);
            gradient.extend_from_slice(&self.first[k * dim..(k + 1) * dim]);
            for (i, &(a, b)) in pairs.iter().enumerate() {
                let second = self.second[k * pairs.len() + i];
                gradient.push(if a == b { 0.5 * (second - self.count[k]) } else { second });
            }
        }
        gradient
    }
}

/// First and second derivatives of the log-likelihood in local coordinates.
#[derive(Debug, Clone)]
pub(crate) struct Curvature {
    /// Σ weight · ln ρ.
    pub log_likelihood: f64,
    /// q numbers per component.
    pub gradient: Vec<f64>,
    /// −Hessian, (Kq)².
    pub observed: Vec<f64>,
    /// Σ weight · score scoreᵀ, (Kq)².
    pub scores: Vec<f64>,
    /// Variance of the gradient, (Kq)²: that of the scores unless weights are not counts.
    pub variance: Vec<f64>,
}

/// The log-likelihood of data under a mixture.
pub(crate) trait Likelihood: Sync {
    /// Coordinates.
    fn dim(&self) -> usize;
    /// Number of observations.
    fn total(&self) -> f64;
    /// Sums of the expectation step.
    fn moments(&self, components: &[Component], diagonal: bool) -> Moments;
    /// Derivatives up to the second.
    fn curvature(&self, components: &[Component], diagonal: bool) -> Curvature;
    /// Whether it is one of densities, which have units, and not of masses.
    fn is_density(&self) -> bool {
        true
    }
    /// The log-likelihood alone.
    fn value(&self, components: &[Component]) -> f64;
    /// Whether to give up: what is found from then on is of no use.
    fn stopped(&self) -> bool {
        false
    }
}

/// Σ r (u uᵀ + ∂²ln N), the part of the Hessian of one component that is left when its scores are subtracted; `gram` is
/// Σ r u uᵀ, whose lower triangle is used.
pub(crate) fn own_block(gram: &[f64], dim: usize, pairs: &[(usize, usize)]) -> Vec<f64> {
    let q = 1 + dim + pairs.len();
    let mut block = vec![0.0; q * q];
    for i in 0..q {
        for j in 0..=i {
            block[i * q + j] = gram[i * q + j];
        }
    }
    // Σ r, Σ r y and Σ r y_a y_b stand in the first column.
    let count = gram[0];
    let first = |a: usize| gram[(1 + a) * q];
    let mut second = vec![0.0; dim * dim];
    for (i, &(a, b)) in pairs.iter().enumerate() {
        let value = gram[(1 + dim + i) * q];
        let value = if a == b { 2.0 * value + count } else { value };
        (second[a * dim + b], second[b * dim + a]) = (value, value);
    }
    // w(1 + a) is linear in a.
    block[0] -= count;
    for a in 0..dim {
        block[(1 + a) * q + 1 + a] -= count;
    }
    let delta = |a: usize, b: usize| if a == b { 1.0 } else { 0.0 };
    // E = e_a e_bᵀ + e_b e_aᵀ, once where a = b.
    let entry = |(a, b): (usize, usize), i: usize, j: usize| {
        let there = delta(a, i) * delta(b, j);
        if a == b { there } else { there + delta(b, i) * delta(a, j) }
    };
    for (i, &pair) in pairs.iter().enumerate() {
        let row = 1 + dim + i;
        for c in 0..dim {
            // −(E y)_c
            block[row * q + 1 + c] -= (0..dim).map(|b| entry(pair, c, b) * first(b)).sum::<f64>();
        }
        for (j, &other) in pairs[..=i].iter().enumerate() {
            // ½ tr EF − yᵀEFy, made symmetric
            let mut value = 0.0;
            for c in [other.0, other.1].iter().take(if other.0 == other.1 { 1 } else { 2 }) {
                for a in [pair.0, pair.1].iter().take(if pair.0 == pair.1 { 1 } else { 2 }) {
                    for e in 0..dim {
                        // E_ac F_ce
                        let product = entry(pair, *a, *c) * entry(other, *c, e);
                        if product != 0.0 {
                            value += product * (0.5 * delta(*a, e) * count - second[*a * dim + e]);
                        }
                    }
                }
            }
            block[row * q + 1 + dim + j] += value;
        }
    }
    for i in 0..q {
        for j in 0..i {
            block[j * q + i] = block[i * q + j];
        }
    }
    block
}

/// Copies the lower triangle to the upper one.
pub(crate) fn symmetric(matrix: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            matrix[j * n + i] = matrix[i * n + j];
        }
    }
}

/// Adds number by number.
pub(crate) fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
}
