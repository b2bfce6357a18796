//! A first path: an extended Kalman filter from point to point, and back.

use super::backward::backward;
use super::forward::{Forward, Variances};
use super::links::{Link, scaled};
use super::matrix::{product, product_transposed, symmetrise};
use super::observed::Observed;
use crate::flow_map::FlowMap;

/// Variance of the first point about the centre, in squares of the scales: what the system visits.
const VISITED: f64 = 1.0;
/// How often the motion falls to a tenth of it.
const FALLS: i32 = 2;
/// Scales beyond which a filter has lost the path.
const LOST: f64 = 1e3;

/// A smoothed path at some parameters, with the variances at which the filter follows best: those that are given, motion of
/// `largest` in each coordinate, a tenth or a hundredth of it. `None` where the filter loses the path.
///
/// A filter that trusts the flow too much takes wrong turns, one that trusts it too little follows the noise; how likely the
/// observations are to it tells.
pub(super) fn path(
    map: &FlowMap<'_>,
    observed: &Observed,
    full: &[f64],
    variances: &Variances,
    largest: f64,
) -> Option<(Vec<f64>, Variances)> {
    let mut best: Option<(f64, Vec<f64>, Variances)> = None;
    for fall in 0..=FALLS {
        let motion = vec![largest * 0.1f64.powi(fall); observed.dim];
        let tried = Variances { motion, ..variances.clone() };
        let Some((path, unlikely)) = filtered(map, observed, full, &tried) else { continue };
        if best.as_ref().is_some_and(|(least, ..)| unlikely > *least) {
            break;
        }
        best = Some((unlikely, path, tried));
    }
    best.map(|(_, path, variances)| (path, variances))
}

/// A smoothed path with −2 ln of the likelihood of the observations.
fn filtered(map: &FlowMap<'_>, observed: &Observed, full: &[f64], variances: &Variances) -> Option<(Vec<f64>, f64)> {
    let (n, d, m) = (observed.count(), observed.dim, observed.which.len());
    let scales = &observed.scales;
    let mut out = Forward::empty(n, d, m, 0);
    let mut links: Vec<Link> = Vec::with_capacity(n);
    let mut predicted = vec![0.0; n * d];
    let mut x = observed.centre.clone();
    let (mut covariance, mut carried) = (vec![0.0; d * d], vec![0.0; d * d]);
    for k in 0..n {
        if observed.begins(k) {
            x.clone_from(&observed.centre);
            covariance.fill(0.0);
            (0..d).for_each(|c| covariance[c * d + c] = VISITED.min(variances.first));
        }
        predicted[k * d..(k + 1) * d].copy_from_slice(&x);
        out.covariance[k * d * d..(k + 1) * d * d].copy_from_slice(&covariance);
        let mut moved = vec![0.0; d];
        for (i, (&c, value)) in observed.which.iter().zip(observed.row(k)).enumerate().filter(|(_, (_, v))| !v.is_nan())
        {
            let residual = (value - x[c]) / scales[c];
            out.take(k * m + i, c, residual, variances.observation[i], &mut moved, &mut covariance, d);
        }
        x.iter_mut().zip(&moved).zip(scales).for_each(|((x, u), s)| *x += s * u);
        if observed.after[k] == 0.0 {
            links.push(Link::default());
            continue;
        }
        let mut image = map.image_over(&x, full, observed.after[k]);
        image.by_theta.clear();
        let next = image.x.clone();
        let far = next.iter().zip(&observed.centre).zip(scales).any(|((x, c), s)| !((x - c).abs() < LOST * s));
        let link = scaled(image, &next, scales, &[]).filter(|_| !far)?;
        product(&link.by_x, &covariance, d, d, &mut carried);
        product_transposed(&carried, &link.by_x, d, &mut covariance);
        symmetrise(&mut covariance, d);
        let share = observed.after[k] / observed.dt;
        (0..d).for_each(|c| covariance[c * d + c] += variances.motion[c] * share);
        links.push(link);
        x = next;
    }
    let back = backward(observed, &links, &out, &[]);
    predicted.iter_mut().enumerate().zip(&back.shift).for_each(|((i, x), u)| *x += scales[i % d] * u);
    let unlikely = out.squares + out.logs;
    (unlikely.is_finite() && predicted.iter().all(|v| v.is_finite())).then_some((predicted, unlikely))
}
