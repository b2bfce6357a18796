//! Goodness of fit: χ² of counts in cells, right for parameters that were estimated from the ungrouped data.
//!
//! With V = (observed − expected)/√expected, V has the covariance I − qqᵀ − BJ⁻¹Bᵀ (q = √p, B = ∂p/∂θ /√p, J the Fisher
//! information of an observation), and VᵀCov⁻V is χ² (Rao and Robson 1974; Moore and Spruill 1975,
//! doi:10.1214/aos/1176343133); Pearson's statistic alone is not (Chernoff and Lehmann 1954). Where the parameters were
//! estimated from the same cells it is Pearson's with its usual degrees of freedom.

use crate::chi_squared::upper_tail;
use crate::dense;

/// Expected observations of a cell, at least.
pub(crate) const LEAST: f64 = 5.0;
/// Most cells.
pub(crate) const MOST: usize = 64;
/// Directions of V with less variance than this are left out: the statistic stays χ² without them.
const VARIANCE: f64 = 0.05;

/// χ² with its degrees of freedom and p-value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Goodness {
    /// The statistic.
    pub statistic: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: usize,
    /// Probability of a larger statistic if the mixture made the data.
    pub p_value: f64,
    /// Cells that were counted.
    pub cells: usize,
}

/// Counts of cells with what the model says of them.
pub(crate) struct Cells {
    /// Observations.
    pub observed: Vec<f64>,
    /// Shares of the model; they sum to 1.
    pub shares: Vec<f64>,
    /// ∂share/∂θ, p per cell.
    pub derivatives: Vec<f64>,
    /// Fisher information of an observation, p².
    pub information: Vec<f64>,
    /// Variance of the shares themselves, relative to that of counts, where they were simulated.
    pub noise: f64,
}

/// The test; none where nothing is left to test.
pub(crate) fn test(cells: &Cells) -> Option<Goodness> {
    let m = cells.shares.len();
    let p = cells.derivatives.len() / m.max(1);
    let n: f64 = cells.observed.iter().sum();
    if m < 2 || cells.shares.iter().any(|s| !(*s > 0.0)) {
        return None;
    }
    let root: Vec<f64> = cells.shares.iter().map(|s| s.sqrt()).collect();
    let v: Vec<f64> = (0..m).map(|i| (cells.observed[i] / n - cells.shares[i]) * n.sqrt() / root[i]).collect();
    let mut covariance = vec![0.0; m * m];
    for i in 0..m {
        for j in 0..m {
            let identity = if i == j { 1.0 } else { 0.0 };
            covariance[i * m + j] = (1.0 + cells.noise) * (identity - root[i] * root[j]);
        }
    }
    // J⁻¹ on its range, parameters scaled to unit information.
    let unit: Vec<f64> = (0..p).map(|a| 1.0 / cells.information[a * p + a].max(f64::MIN_POSITIVE).sqrt()).collect();
    let scaled: Vec<f64> = (0..p * p).map(|i| cells.information[i] * unit[i / p] * unit[i % p]).collect();
    let (values, vectors) = dense::eigen(&scaled, p);
    for (value, vector) in values.iter().zip(vectors.chunks(p.max(1))).filter(|(value, _)| **value > 1e-9) {
        let along =
            |i: usize| (0..p).map(|a| cells.derivatives[i * p + a] * vector[a] * unit[a]).sum::<f64>() / root[i];
        let b: Vec<f64> = (0..m).map(along).collect();
        for i in 0..m {
            (0..m).for_each(|j| covariance[i * m + j] -= b[i] * b[j] / value);
        }
    }
    let (values, vectors) = dense::eigen(&covariance, m);
    let (mut statistic, mut degrees) = (0.0, 0);
    for (value, vector) in values.iter().zip(vectors.chunks(m)).filter(|(value, _)| **value > VARIANCE) {
        let along: f64 = vector.iter().zip(&v).map(|(a, b)| a * b).sum();
        statistic += along * along / value;
        degrees += 1;
    }
    (degrees > 0).then(|| Goodness {
        statistic,
        degrees_of_freedom: degrees,
        p_value: upper_tail(statistic, degrees),
        cells: m,
    })
}
