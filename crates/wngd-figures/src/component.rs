//! Gaussian components of a fit.

use std::f64::consts::{PI, TAU};

use crate::canvas::Point;

/// Points of an ellipse.
const AROUND: u32 = 72;

/// A Gaussian component of a fit: its share, mean and covariance over the axes of the figure.
#[derive(Clone, Debug, Default)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// Its share of the whole.
    pub weight: f64,
    /// Its mean, a value per axis.
    pub mean: Vec<f64>,
    /// Its covariance, row by row.
    pub covariance: Vec<f64>,
}

impl Component {
    /// Whether mean and covariance are those of `dim` axes.
    pub(crate) fn fits(&self, dim: usize) -> bool {
        self.mean.len() == dim && self.covariance.len() == dim * dim
    }

    fn entry(&self, a: usize, b: usize) -> f64 {
        self.covariance[a * self.mean.len() + b]
    }

    /// Its density along one axis, times its share.
    pub fn density(&self, axis: usize, x: f64) -> f64 {
        let variance = self.entry(axis, axis);
        let t = x - self.mean[axis];
        self.weight * (-0.5 * t * t / variance).exp() / (2.0 * PI * variance).sqrt()
    }

    /// The ellipse of so many standard deviations over two axes; its last point is its first. `None` for a covariance
    /// that has none.
    pub(crate) fn ellipse(&self, [a, b]: [usize; 2], deviations: f64) -> Option<Vec<Point>> {
        ellipse([self.mean[a], self.mean[b]], [self.entry(a, a), self.entry(a, b), self.entry(b, b)], deviations)
    }
}

/// The points at so many standard deviations from a mean, for the variances and the covariance between them.
pub(crate) fn ellipse(mean: [f64; 2], [aa, ab, bb]: [f64; 3], deviations: f64) -> Option<Vec<Point>> {
    // By the Cholesky factor; rounding may leave a pivot just below zero.
    let first = aa.max(0.0).sqrt();
    let slope = if first > 0.0 { ab / first } else { 0.0 };
    let second = (bb - slope * slope).max(0.0).sqrt();
    let points: Vec<Point> = (0..=AROUND)
        .map(|k| (TAU * f64::from(k) / f64::from(AROUND)).sin_cos())
        .map(|(s, c)| (mean[0] + deviations * first * c, mean[1] + deviations * (slope * c + second * s)))
        .collect();
    points.iter().all(|p| p.0.is_finite() && p.1.is_finite()).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ellipse_lies_at_its_distance() {
        let c = Component {
            weight: 1.0,
            mean: vec![1.0, -2.0],
            covariance: vec![4.0, 1.2, 1.2, 1.0],
            ..Default::default()
        };
        let determinant = 4.0 - 1.44;
        for (x, y) in c.ellipse([0, 1], 2.0).unwrap() {
            let (u, v) = (x - 1.0, y + 2.0);
            let square = (u * u - 2.4 * u * v + 4.0 * v * v) / determinant;
            assert!((square - 4.0).abs() < 1e-9, "{square}");
        }
        let sum: f64 = (-4000..4000).map(|k| c.density(0, f64::from(k) * 0.01) * 0.01).sum();
        assert!((sum - 1.0).abs() < 1e-9);
    }
}
