//! The flow from point to point of a path, linearised.

use rayon::prelude::*;

use super::observed::Observed;
use crate::dynamics::Dynamics;
use crate::flow_map::{FlowMap, Image};

/// Error of the flow in units of the scales.
const TOLERANCE: f64 = 1e-8;
/// Most of it for the flow of order 4 that may stand in for it.
pub(super) const CHEAP: f64 = 1e-6;
/// The same where noise drives the motion, further than that.
const DRIVEN: f64 = 1e-4;

/// From a point to the next one, in units of the scales.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// Φ(x_k) − x_{k+1}.
    pub(super) gap: Vec<f64>,
    /// ∂Φ/∂x, row-major.
    pub(super) by_x: Vec<f64>,
    /// ∂Φ/∂θ by the free parameters in units of theirs, row-major.
    pub(super) by_theta: Vec<f64>,
}

/// The links of a path at some parameters; that of a record's last point is empty.
///
/// `None` where the flow cannot be followed.
pub(super) fn links(
    map: &FlowMap<'_>,
    observed: &Observed,
    path: &[f64],
    full: &[f64],
    units: &[f64],
) -> Option<Vec<Link>> {
    let d = observed.dim;
    let one = |k: usize| {
        let time = observed.after[k];
        if time == 0.0 {
            return Some(Link::default());
        }
        let image = map.image_over(&path[k * d..(k + 1) * d], full, time);
        scaled(image, &path[(k + 1) * d..(k + 2) * d], &observed.scales, units)
    };
    (0..observed.count()).into_par_iter().map(one).collect::<Vec<_>>().into_iter().collect()
}

/// A link in units of the scales; `None` if it is not finite.
pub(super) fn scaled(image: Image, next: &[f64], scales: &[f64], units: &[f64]) -> Option<Link> {
    let (d, p) = (scales.len(), units.len());
    let Image { x, mut by_x, mut by_theta } = image;
    let gap: Vec<f64> = x.iter().zip(next).zip(scales).map(|((a, b), s)| (a - b) / s).collect();
    for i in 0..d {
        (0..d).for_each(|k| by_x[i * d + k] *= scales[k] / scales[i]);
        (0..p).for_each(|j| by_theta[i * p + j] *= units[j] / scales[i]);
    }
    let finite = gap.iter().chain(&by_x).chain(&by_theta).all(|v| v.is_finite());
    finite.then_some(Link { gap, by_x, by_theta })
}

/// A flow that is fine enough along a path, with an error of at most `error` in units of the scales.
pub(super) fn flow<'a>(
    dynamics: &'a Dynamics,
    observed: &Observed,
    path: &[f64],
    theta: &[f64],
    error: f64,
) -> Option<FlowMap<'a>> {
    let map = FlowMap::on(dynamics, path, &observed.scales, observed.dt, theta, TOLERANCE)?;
    let error = if dynamics.diffusion.is_some() { DRIVEN } else { error };
    Some(map.thrifty(path, &observed.scales, theta, error))
}
