//! The field at the points, freed of what noise adds to its mean.

use rayon::prelude::*;

use crate::dynamics::Dynamics;
use crate::sample::Sample;

/// Field, its derivatives by the free parameters and by the state, per point.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) v: Vec<f64>,
    /// points x d x p
    pub(super) by_theta: Vec<f64>,
    /// points x d x d
    pub(super) by_x: Vec<f64>,
}

/// One point.
struct Row {
    v: Vec<f64>,
    by_theta: Vec<f64>,
    by_x: Vec<f64>,
}

impl Field {
    /// At all parameters `full`. E[g(x + ε)] − g(x) is ½Σ s²∂²g up to terms of order s⁴; second differences over s are
    /// exact for cubics.
    pub(super) fn at(dynamics: &Dynamics, sample: &Sample, noise: &[f64], full: &[f64]) -> Self {
        let (d, all, free) = (sample.dim, full.len(), dynamics.free());
        let p = free.len();
        let drift = dynamics.drift.as_ref();
        let noisy: Vec<usize> = (0..d).filter(|c| noise[*c] > 0.0).collect();
        let one = |i: usize| {
            let x = sample.point(i);
            let (mut v, mut slopes) = (vec![0.0; d], vec![0.0; d * all]);
            let mut row = Row { v: vec![0.0; d], by_theta: vec![0.0; d * p], by_x: vec![0.0; d * d] };
            let mut add = |x: &[f64], factor: f64| {
                drift.velocity(x, full, &mut v);
                drift.jacobian_theta(x, full, &mut slopes);
                row.v.iter_mut().zip(&v).for_each(|(sum, v)| *sum += factor * v);
                for (c, sums) in row.by_theta.chunks_exact_mut(p.max(1)).enumerate() {
                    sums.iter_mut().zip(free).for_each(|(sum, j)| *sum += factor * slopes[c * all + j]);
                }
            };
            add(x, 1.0 + noisy.len() as f64);
            let mut moved = x.to_vec();
            for &c in &noisy {
                for side in [1.0, -1.0] {
                    moved[c] = x[c] + side * noise[c];
                    add(&moved, -0.5);
                }
                moved[c] = x[c];
            }
            drift.jacobian_x(x, full, &mut row.by_x);
            row
        };
        let rows: Vec<Row> = (0..sample.count()).into_par_iter().map(one).collect();
        let mut out = Self { v: Vec::new(), by_theta: Vec::new(), by_x: Vec::new() };
        for row in rows {
            out.v.extend(row.v);
            out.by_theta.extend(row.by_theta);
            out.by_x.extend(row.by_x);
        }
        out
    }

    /// At parameters further by `step`, where the field is affine in them.
    pub(super) fn moved(&self, dynamics: &Dynamics, sample: &Sample, step: &[f64], full: &[f64]) -> Self {
        let slopes = self.by_theta.chunks_exact(step.len().max(1));
        let along = |row: &[f64]| row.iter().zip(step).map(|(a, s)| a * s).sum::<f64>();
        let v = self.v.iter().zip(slopes).map(|(v, row)| v + along(row)).collect();
        Self { v, by_theta: self.by_theta.clone(), by_x: by_x(dynamics, sample, full) }
    }
}

/// ∂v/∂x at each point, points x d x d.
pub(super) fn by_x(dynamics: &Dynamics, sample: &Sample, full: &[f64]) -> Vec<f64> {
    let d = sample.dim;
    let one = |(x, out): (&[f64], &mut [f64])| dynamics.drift.jacobian_x(x, full, out);
    let mut all = vec![0.0; sample.count() * d * d];
    sample.points.par_chunks_exact(d).zip(all.par_chunks_exact_mut(d * d)).for_each(one);
    all
}
