//! What the smoother is given: columns matched to coordinates, units, a first guess.

use super::observed::Observed;
use crate::cloud::cloud;
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;
use crate::sample::Sample;

/// Most numbers that a filter leaves behind.
const ROOM: usize = 20_000_000;
/// Most points.
const POINTS: usize = 100_000;

/// Observations of `which` coordinates; those that are hidden have the place and scatter of a simulation at `theta`.
pub(super) fn observed(
    dynamics: &Dynamics,
    sample: &Sample,
    which: &[usize],
    theta: &[f64],
) -> Result<Observed, IdentifyError> {
    let d = dynamics.dim();
    if which.len() != sample.dim || which.iter().any(|c| *c >= d) {
        return Err(IdentifyError::Coordinates { dim: which.len(), columns: sample.dim });
    }
    let Some(dt) = sample.usual_step() else { return Err(IdentifyError::NotOrdered) };
    let m = sample.dim;
    let each = d * (2 * d + 1) + (d + m) * (2 + theta.len()) + m * d;
    let count = sample.count().min(POINTS).min((ROOM / each).max(200));
    let mut after = sample.uneven.clone().unwrap_or_else(|| vec![dt; sample.count()]);
    for (_, end) in sample.spans() {
        if end > 0 {
            after[end - 1] = 0.0;
        }
    }
    let mut centre = vec![0.0; d];
    let mut scales = vec![0.0; d];
    for (i, &c) in which.iter().enumerate() {
        let column = sample.points.iter().skip(i).step_by(m);
        centre[c] = column.sum::<f64>() / sample.count() as f64;
        scales[c] = sample.deviations[i];
    }
    if which.len() < d {
        let cloud = cloud(dynamics, &dynamics.theta_full(theta), &centre, dt)?;
        let points = (cloud.len() / d) as f64;
        for c in (0..d).filter(|c| !which.contains(c)) {
            let column = || cloud.iter().skip(c).step_by(d);
            centre[c] = column().sum::<f64>() / points;
            let variance = column().map(|x| (x - centre[c]).powi(2)).sum::<f64>() / points;
            let size = column().map(|x| x * x).sum::<f64>() / points;
            // A system that came to rest would say that nothing moves.
            scales[c] = (variance + 0.05 * size).sqrt();
            if !(scales[c] > 0.0 && scales[c].is_finite()) {
                scales[c] = 1.0;
            }
        }
    }
    let whole = Observed { dim: d, which: which.to_vec(), values: sample.points.clone(), after, dt, scales, centre };
    Ok(whole.first(count))
}
