//! Standard errors: the sandwich A⁻¹BA⁻¹ of the observed information A and the variance B of the scores, which holds
//! whether or not the mixture made the data (Huber 1967; White 1982, doi:10.2307/1912526).

use crate::component::{Component, Parameters};
use crate::dense;
use crate::layout::{Layout, Slot, congruence};
use crate::likelihood::Curvature;
use crate::remark::Remark;

/// Eigenvalues of the information, scaled to unit diagonal, below this are rounding.
const NOISE: f64 = 1e-10;
/// Share of a direction that a parameter has for it to be named.
const SHARE: f64 = 0.05;
/// Ratio of errors with and without the model that is told.
const APART: f64 = 1.2;
/// Observations per parameter above which that ratio is more than its own noise.
const ENOUGH: f64 = 100.0;

/// What is known of the errors of all parameters.
#[derive(Debug, Clone)]
pub(crate) struct Uncertainty {
    /// p², none where not known.
    pub covariance: Vec<Option<f64>>,
    pub rank: usize,
    /// Of the square root of the information.
    pub condition: Option<f64>,
    pub remarks: Vec<Remark>,
}

/// Errors at a stationary point, in the coordinates of the fit.
pub(crate) fn uncertainty(
    curvature: &Curvature,
    components: &[Component],
    parameters: &Parameters,
    all: &Layout,
    held: &[bool],
    observations: f64,
) -> Uncertainty {
    let free = all.holding(held);
    let (p, full) = (free.slots.len(), all.slots.len());
    let n = curvature.gradient.len();
    // In whitened parameters, where all scales are one; the way back is linear.
    let whitened = free.whitened(components);
    let a = congruence(&whitened, &curvature.observed, n, p);
    let b = congruence(&whitened, &curvature.variance, n, p);
    let outward = free.outward(components);
    let names = free.names();
    let mut out = Uncertainty { covariance: vec![None; full * full], rank: 0, condition: None, remarks: Vec::new() };
    let unit: Vec<f64> = (0..p).map(|i| 1.0 / a[i * p + i].max(f64::MIN_POSITIVE).sqrt()).collect();
    let scaled: Vec<f64> = (0..p * p).map(|i| a[i] * unit[i / p] * unit[i % p]).collect();
    let (values, vectors) = dense::eigen(&scaled, p);
    out.rank = values.iter().filter(|v| **v > NOISE).count();
    if out.rank == p {
        out.condition = Some((values[p - 1] / values[0]).sqrt());
    }
    if values[0] < -NOISE || (0..p).any(|i| !(a[i * p + i] > 0.0)) {
        out.remarks.push(Remark::NoMaximum);
        return out;
    }
    // A⁺ on what is determined.
    let mut inverse = vec![0.0; p * p];
    let mut lost = vec![false; p];
    let sizes = free.sizes(parameters);
    for (value, v) in values.iter().zip(vectors.chunks(p)) {
        if *value <= NOISE {
            let along = |i: usize| (0..p).map(|j| outward[i * p + j] * v[j] * unit[j]).sum::<f64>() / sizes[i];
            let all: Vec<f64> = (0..p).map(along).collect();
            let length: f64 = all.iter().map(|x| x * x).sum();
            (0..p).for_each(|i| lost[i] |= all[i] * all[i] > SHARE * length);
            continue;
        }
        for i in 0..p {
            (0..p).for_each(|j| inverse[i * p + j] += v[i] * v[j] * unit[i] * unit[j] / value);
        }
    }
    let covariance = dense::sandwich(&outward, &dense::sandwich(&inverse, &b, p), p);
    let inverse = dense::sandwich(&outward, &inverse, p);
    (0..p).for_each(|i| lost[i] |= !(covariance[i * p + i] < sizes[i] * sizes[i]));
    let undetermined: Vec<String> = (0..p).filter(|&i| lost[i]).map(|i| names[i].clone()).collect();
    if !undetermined.is_empty() {
        out.remarks.push(Remark::Undetermined { names: undetermined });
    }
    let place = |slot: &Slot| all.slots.iter().position(|s| s == slot);
    let places: Vec<Option<usize>> = free.slots.iter().map(place).collect();
    for i in (0..p).filter(|&i| !lost[i]) {
        for j in (0..p).filter(|&j| !lost[j]) {
            if let (Some(x), Some(y)) = (places[i], places[j]) {
                out.covariance[x * full + y] = Some(covariance[i * p + j]);
            }
        }
    }
    let ratio = |i: usize| (covariance[i * p + i] / inverse[i * p + i]).sqrt();
    let apart = (0..p).filter(|&i| !lost[i]).map(|i| (i, ratio(i)));
    let furthest = apart.max_by(|a, b| a.1.ln().abs().total_cmp(&b.1.ln().abs()));
    if let Some((i, ratio)) = furthest
        && !(1.0 / APART..=APART).contains(&ratio)
        && observations > ENOUGH * p as f64
    {
        out.remarks.push(Remark::ErrorsWithoutModel { name: names[i].clone(), ratio });
    }
    out
}
