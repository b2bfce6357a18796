//! What parameters leave of the data: residuals of steps and of moments, to be looked at.

use rayon::prelude::*;

use crate::dynamics::Dynamics;
use crate::flow_map::FlowMap;
use crate::sample::Sample;
use crate::weak::waves;

/// Error of the flow, in standard deviations of the data.
const EXACT: f64 = 1e-9;
/// Most points that moments are taken of.
const MOST: usize = 200_000;
/// Random Fourier functions; each has a cosine and a sine.
const FUNCTIONS: usize = 20;
/// Blocks that the scatter is taken between, and the fewest of them.
const BLOCKS: usize = 100;
const FEWEST: usize = 16;

/// Residuals x_{i+1} − Φ(x_i; θ) of steps.
#[derive(Debug, Clone, PartialEq)]
pub struct StepResiduals {
    /// Index of the point that each step starts from.
    pub from: Vec<usize>,
    /// Residuals in standard deviations of the data, row-major, a row per step.
    pub values: Vec<f64>,
}

/// Residuals of at most `most` steps, spread over the data, at free parameters θ; none where variables are hidden, points have no
/// order or uneven steps, or the flow over a step cannot be followed.
///
/// # Cost
/// A step of the flow each.
pub fn step_residuals(dynamics: &Dynamics, sample: &Sample, theta: &[f64], most: usize) -> Option<StepResiduals> {
    let dt = sample.dt.filter(|_| sample.uneven.is_none() && sample.dim == dynamics.dim())?;
    let starts: Vec<usize> = sample.spans().iter().flat_map(|(a, b)| *a..b.saturating_sub(1)).collect();
    let stride = starts.len().div_ceil(most.max(1)).max(1);
    let starts: Vec<usize> = starts.into_iter().step_by(stride).collect();
    let map = FlowMap::new(dynamics, sample, dt, theta, EXACT)?;
    let full = dynamics.theta_full(theta);
    let one = |&from: &usize| {
        let image = map.value(sample.point(from), &full);
        let seen = sample.point(from + 1).iter().zip(&image).zip(&sample.deviations);
        let value: Vec<f64> = seen.map(|((seen, image), scale)| (seen - image) / scale).collect();
        value.iter().all(|v| v.is_finite()).then_some((from, value))
    };
    let kept: Vec<_> = starts.par_iter().map(one).collect::<Vec<_>>().into_iter().flatten().collect();
    let (from, values): (Vec<usize>, Vec<Vec<f64>>) = kept.into_iter().unzip();
    (!from.is_empty()).then(|| StepResiduals { from, values: values.concat() })
}

/// Means of v·∇f + D:∇²f over the data, divided by their standard errors, for cos and sin of random waves f at free parameters θ.
/// Each is normal with width one at most if the model is right and the data have no noise. On points in order f(end) − f(start) is
/// subtracted of each block where that makes the scatter smaller. None where variables are hidden or points are too few.
///
/// # Cost
/// 20 sines and cosines and one velocity per point, of the first 200 000 points.
pub fn moment_residuals(dynamics: &Dynamics, sample: &Sample, theta: &[f64]) -> Option<Vec<f64>> {
    if sample.dim != dynamics.dim() {
        return None;
    }
    let sample = sample.head(MOST);
    let length = (sample.count() / BLOCKS).max(2);
    let waves = waves(&sample.deviations, FUNCTIONS);
    let full = dynamics.theta_full(theta);
    let spans = sample.spans();
    let blocks: Vec<(usize, usize)> = spans
        .iter()
        .flat_map(|(a, b)| (*a..*b).step_by(length).map(|from| (from, from + length)).filter(|(_, to)| to <= b))
        .collect();
    if blocks.len() < FEWEST {
        return None;
    }
    let terms = |i: usize| at_point(dynamics, sample.point(i), &full, theta, &waves);
    let means = |ends: Option<f64>| -> Vec<Vec<f64>> {
        let one = |&(from, to): &(usize, usize)| {
            let mut mean = vec![0.0; 2 * FUNCTIONS];
            let steps = (to - 1 - from) as f64;
            for i in from..to {
                let (values, generated) = terms(i);
                let outer = i == from || i + 1 == to;
                let sign = if i == from { 1.0 } else { -1.0 };
                for ((m, f), g) in mean.iter_mut().zip(&values).zip(&generated) {
                    match ends {
                        None => *m += g / (to - from) as f64,
                        Some(_) if !outer => *m += g / steps,
                        // The trapezoidal rule, and what f gained over the block.
                        Some(dt) => *m += (0.5 * g + sign * f / dt) / steps,
                    }
                }
            }
            mean
        };
        blocks.par_iter().map(one).collect()
    };
    let plain = normalised(&means(None));
    let Some(dt) = sample.dt.filter(|_| sample.uneven.is_none()) else { return plain.map(|(z, _)| z) };
    let (plain, ends) = (plain?, normalised(&means(Some(dt)))?);
    Some(if ends.1 < plain.1 { ends.0 } else { plain.0 })
}

/// f and v·∇f + D:∇²f at a point, for the cosine and the sine of each wave.
fn at_point(
    dynamics: &Dynamics,
    x: &[f64],
    full: &[f64],
    theta: &[f64],
    waves: &[Vec<(usize, f64)>],
) -> (Vec<f64>, Vec<f64>) {
    let mut v = vec![0.0; x.len()];
    dynamics.field().velocity(x, full, &mut v);
    let diffusion = dynamics.diffusion_at(x, theta);
    let both = waves.iter().map(|wave| {
        let (sin, cos) = wave.iter().map(|(axis, w)| w * x[*axis]).sum::<f64>().sin_cos();
        let along: f64 = wave.iter().map(|(axis, w)| w * v[*axis]).sum();
        let damping: f64 = diffusion.as_ref().map_or(0.0, |d| wave.iter().map(|(axis, w)| d[*axis] * w * w).sum());
        [(cos, -sin * along - damping * cos), (sin, cos * along - damping * sin)]
    });
    both.flatten().unzip()
}

/// Means over the blocks by their standard errors, and the mean logarithm of the variances; none where one is no number.
fn normalised(blocks: &[Vec<f64>]) -> Option<(Vec<f64>, f64)> {
    let count = blocks.len() as f64;
    let mut logs = 0.0;
    let one = |k: usize| {
        let mean = blocks.iter().map(|block| block[k]).sum::<f64>() / count;
        let variance = blocks.iter().map(|block| (block[k] - mean).powi(2)).sum::<f64>() / (count - 1.0);
        logs += variance.max(f64::MIN_POSITIVE).ln();
        mean / (variance / count).sqrt()
    };
    let all: Vec<f64> = (0..2 * FUNCTIONS).map(one).collect();
    all.iter().all(|z| z.is_finite()).then_some((all, logs))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::simulate;
    use wngd_models::flow::system;

    fn lorenz() -> (Dynamics, Sample, Vec<f64>) {
        let it = system("lorenz63").unwrap();
        let points = simulate(it.field.as_ref(), &it.theta, &it.start, 0.05, 20_000, 50.0).unwrap();
        let dynamics = Dynamics::written(&it.written().unwrap(), it.theta.clone(), None).unwrap();
        (dynamics, Sample::new(points, 3, vec![20_000], Some(0.05)).unwrap(), it.theta)
    }

    #[test]
    fn nothing_is_left_at_the_truth_and_much_elsewhere() {
        let (dynamics, sample, truth) = lorenz();
        let rms = |values: &[f64]| (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
        let at = |theta: &[f64]| {
            let steps = step_residuals(&dynamics, &sample, theta, 500).unwrap();
            assert!(steps.from.len() <= 500 && steps.values.len() == 3 * steps.from.len());
            (rms(&steps.values), rms(&moment_residuals(&dynamics, &sample, theta).unwrap()))
        };
        let (steps, moments) = at(&truth);
        assert!(steps < 1e-7 && moments < 1.5, "{steps} {moments}");
        let (steps, moments) = at(&[10.0, 28.3, 8.0 / 3.0]);
        assert!(steps > 1e-3 && moments > 4.0, "{steps} {moments}");
    }

    #[test]
    fn points_without_an_order_have_moments_only() {
        let (dynamics, sample, truth) = lorenz();
        let points: Vec<f64> = sample.points().chunks(3).step_by(7).flatten().copied().collect();
        let loose = Sample::new(points.clone(), 3, vec![points.len() / 3], None).unwrap();
        assert!(step_residuals(&dynamics, &loose, &truth, 500).is_none());
        assert_eq!(moment_residuals(&dynamics, &loose, &truth).unwrap().len(), 2 * FUNCTIONS);
    }
}
