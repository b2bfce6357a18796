//! What residuals of steps would be if model and noise were right.

use super::noise::{Origin, origin};
use crate::cloud::cloud;
use crate::dynamics::Dynamics;
use crate::sample::Sample;
use crate::simulate::Noise;

/// Draws of the noise.
const DRAWS: u64 = 8;

/// Means over draws of [`Origin`]'s motion for simulated points with noise of `deviations`; `None` where the system cannot be
/// followed.
///
/// Over steps that amplify noise beyond any linear law some of it looks like motion: as much as this.
pub(crate) fn expected(dynamics: &Dynamics, sample: &Sample, theta: &[f64], deviations: &[f64]) -> Option<Vec<f64>> {
    let (d, dt) = (sample.dim, sample.dt?);
    let column = |c: usize| sample.points.iter().skip(c).step_by(d);
    let centre: Vec<f64> = (0..d).map(|c| column(c).sum::<f64>() / sample.count() as f64).collect();
    let clean = cloud(dynamics, &dynamics.theta_full(theta), &centre, dt).ok()?;
    let mut motion = vec![0.0; d];
    for draw in 0..DRAWS {
        let mut points = clean.clone();
        let mut noise = Noise::new(deviations.to_vec(), 0, draw);
        points.chunks_exact_mut(d).for_each(|point| noise.add(point));
        let count = points.len() / d;
        let simulated = Sample::new(points, d, vec![count], Some(dt)).ok()?;
        let Origin { motion: each, .. } = origin(dynamics, &simulated, theta)?;
        motion.iter_mut().zip(each).for_each(|(sum, m)| *sum += m / DRAWS as f64);
    }
    Some(motion)
}
