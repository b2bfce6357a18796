//! Residuals of steps with their derivatives.

use rayon::prelude::*;

use crate::flow_map::{FlowMap, Image};
use crate::sample::Sample;

/// One step: x_{i+1} − Φ(x_i) in standard deviations of the data, with what it depends on.
pub(super) struct Residual {
    /// Index of the point that it starts from.
    pub(super) from: usize,
    /// Per coordinate.
    pub(super) value: Vec<f64>,
    /// ∂Φ/∂x in standard deviations, row-major.
    pub(super) by_x: Vec<f64>,
    /// ∂Φ/∂θ in standard deviations, row-major.
    pub(super) by_theta: Vec<f64>,
    /// 1/(1 + growth²): what is uncertain at the start of a step grows along it.
    pub(super) weight: f64,
}

/// Residuals from some points; those whose image is not finite are left out.
pub(super) fn residuals(map: &FlowMap<'_>, sample: &Sample, starts: &[usize], full: &[f64]) -> Vec<Residual> {
    let d = sample.dim;
    let one = |&from: &usize| {
        let Image { x, mut by_x, mut by_theta } = map.image(sample.point(from), full);
        let scale = &sample.deviations;
        let value: Vec<f64> =
            x.iter().zip(sample.point(from + 1)).zip(scale).map(|((image, seen), s)| (seen - image) / s).collect();
        for i in 0..d {
            (0..d).for_each(|k| by_x[i * d + k] *= scale[k] / scale[i]);
            let p = by_theta.len() / d;
            by_theta[i * p..(i + 1) * p].iter_mut().for_each(|v| *v /= scale[i]);
        }
        let growth = by_x.iter().map(|v| v * v).sum::<f64>() / d as f64;
        let finite = value.iter().chain(&by_theta).all(|v| v.is_finite()) && growth.is_finite();
        finite.then(|| Residual { from, value, by_x, by_theta, weight: 1.0 / (1.0 + growth) })
    };
    starts.par_iter().map(one).collect::<Vec<_>>().into_iter().flatten().collect()
}
