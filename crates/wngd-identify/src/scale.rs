//! The time scale of a system and what follows from it.

use wngd_models::flow::{Discretisation, VelocityField};

/// Points that a time scale is estimated from.
const SCALE_POINTS: usize = 20_000;
/// Map time in units of the time scale: a quarter of a turn.
const TURN: f64 = 1.4;
/// Runge–Kutta steps per map.
const STEPS: f64 = 20.0;

/// Time in which the field at θ moves points by about their own scatter: 1/ω with ω the geometric mean over
/// the axes of (root mean square velocity)/(standard deviation).
pub fn time_scale(field: &dyn VelocityField, theta: &[f64], points: &[f64]) -> f64 {
    let dim = field.dim();
    let stride = (points.len() / dim / SCALE_POINTS).max(1);
    let deviations = deviations(points, dim);
    let (mut squares, mut count, mut velocity) = (vec![0.0; dim], 0.0, vec![0.0; dim]);
    for point in points.chunks_exact(dim).step_by(stride) {
        field.velocity(point, theta, &mut velocity);
        squares.iter_mut().zip(&velocity).for_each(|(s, v)| *s += v * v);
        count += 1.0;
    }
    let rates: Vec<f64> = squares.iter().zip(&deviations).map(|(s, d)| (s / count).sqrt() / d).collect();
    let usable: Vec<f64> = rates.into_iter().filter(|r| r.is_finite() && *r > 0.0).map(f64::ln).collect();
    if usable.is_empty() { 1.0 } else { (-usable.iter().sum::<f64>() / usable.len() as f64).exp() }
}

/// Whether a time between points can be worked with: products with rates and squares of it are numbers, too.
pub(crate) fn is_step(dt: f64) -> bool {
    (1e-100..=1e100).contains(&dt)
}

/// The semi-Lagrangian scheme for a system of the given time scale.
///
/// Over T = 1.4/ω, a quarter of a turn, a point crosses several cells, so that the smearing of its deposition
/// comes rarely, and still keeps its place on the attractor. For Lorenz' system that is T = 0.2.
pub fn scheme_at(scale: f64) -> Discretisation {
    // Two digits: nearby starts then have the same scheme.
    let unit = 10f64.powf((TURN * scale).log10().floor() - 1.0);
    let time = (TURN * scale / unit).round() * unit;
    Discretisation::SemiLagrangian { time, step: time / STEPS, points: 2, restart: 1e-6 }
}

/// Standard deviation of each coordinate.
pub(crate) fn deviations(points: &[f64], dim: usize) -> Vec<f64> {
    let n = (points.len() / dim) as f64;
    (0..dim)
        .map(|axis| {
            let column = || points.iter().skip(axis).step_by(dim);
            let mean = column().sum::<f64>() / n;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
        })
        .collect()
}
