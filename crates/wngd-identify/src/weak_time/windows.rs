//! Test functions and the equations that they make.

use rayon::prelude::*;

use super::band::Band;
use super::field::Field;
use crate::sample::Sample;

/// φ(u) = (1 − u²)^POWER on [−1, 1].
const POWER: i32 = 6;
/// Windows begin a half-width over this apart.
const OVERLAP: usize = 3;

/// Windows of one half-width.
pub(super) struct Windows {
    /// Steps from the centre to an end.
    pub(super) half: usize,
    /// First point of each window.
    pub(super) first: Vec<usize>,
    /// φ and φ' at the points of a window.
    value: Vec<f64>,
    slope: Vec<f64>,
    dt: f64,
}

/// Residuals with derivatives, windows x coordinates.
pub(super) struct Equations {
    pub(super) residual: Vec<f64>,
    /// x p, row-major.
    pub(super) by_theta: Vec<f64>,
}

impl Windows {
    pub(super) fn new(spans: &[(usize, usize)], half: usize, dt: f64) -> Self {
        let width = 2 * half + 1;
        let step = (half / OVERLAP).max(1);
        let first = spans
            .iter()
            .flat_map(|(begin, end)| (*begin..(end + 1).saturating_sub(width).max(*begin)).step_by(step))
            .collect();
        let at = |k: usize| k as f64 / half as f64 - 1.0;
        let value = (0..width).map(|k| (1.0 - at(k) * at(k)).powi(POWER)).collect();
        let slope = |u: f64| -2.0 * f64::from(POWER) * u * (1.0 - u * u).powi(POWER - 1) / (half as f64 * dt);
        Self { half, first, value, slope: (0..width).map(|k| slope(at(k))).collect(), dt }
    }

    /// Windows that a window shares points with, on either side.
    pub(super) fn neighbours(&self) -> usize {
        2 * self.half / (self.half / OVERLAP).max(1)
    }

    /// Σ (φ v + φ' x) Δt of each window and coordinate, in units of the scatter of the coordinate.
    pub(super) fn equations(&self, sample: &Sample, field: &Field, p: usize) -> Equations {
        let d = sample.dim;
        let one = |first: &usize| {
            let (mut residual, mut by_theta) = (vec![0.0; d], vec![0.0; d * p]);
            for (k, (f, s)) in self.value.iter().zip(&self.slope).enumerate() {
                let i = first + k;
                for c in 0..d {
                    residual[c] += self.dt * (f * field.v[i * d + c] + s * sample.points[i * d + c]);
                    let own = &field.by_theta[(i * d + c) * p..(i * d + c + 1) * p];
                    by_theta[c * p..(c + 1) * p].iter_mut().zip(own).for_each(|(sum, a)| *sum += self.dt * f * a);
                }
            }
            for c in 0..d {
                residual[c] /= sample.deviations[c];
                by_theta[c * p..(c + 1) * p].iter_mut().for_each(|a| *a /= sample.deviations[c]);
            }
            (residual, by_theta)
        };
        let rows: Vec<(Vec<f64>, Vec<f64>)> = self.first.par_iter().map(one).collect();
        let mut out = Equations { residual: Vec::new(), by_theta: Vec::new() };
        for (residual, by_theta) in rows {
            out.residual.extend(residual);
            out.by_theta.extend(by_theta);
        }
        out
    }

    /// The residuals from every second point: how far they are off tells the error of the sums.
    pub(super) fn coarsely(&self, sample: &Sample, field: &Field) -> Vec<f64> {
        let d = sample.dim;
        let one = |at: usize| {
            let (first, c) = (self.first[at / d], at % d);
            let points = self.value.iter().zip(&self.slope).enumerate().step_by(2);
            let term = |(k, (f, s)): (usize, (&f64, &f64))| {
                let i = (first + k) * d + c;
                f * field.v[i] + s * sample.points[i]
            };
            2.0 * self.dt * points.map(term).sum::<f64>() / sample.deviations[c]
        };
        (0..self.first.len() * d).into_par_iter().map(one).collect()
    }

    /// Covariance of the residuals by noise of the observations: what a point's noise moves is φ ∂v/∂x + φ'.
    pub(super) fn covariance(&self, sample: &Sample, by_x: &[f64], noise: &[f64]) -> Band {
        let (d, width) = (sample.dim, self.value.len());
        let noisy: Vec<usize> = (0..d).filter(|c| noise[*c] > 0.0).collect();
        // Of one window: points x coordinates x noisy columns.
        let moved = |k: usize| -> Vec<f64> {
            let mut all = Vec::with_capacity(width * d * noisy.len());
            for m in 0..width {
                let i = self.first[k] + m;
                for c in 0..d {
                    for &j in &noisy {
                        let own = if c == j { self.slope[m] } else { 0.0 };
                        let by = self.value[m] * by_x[(i * d + c) * d + j] + own;
                        all.push(self.dt * by * noise[j] / sample.deviations[c]);
                    }
                }
            }
            all
        };
        let (near, n) = (self.neighbours(), noisy.len());
        // Without noise the equations are independent.
        let below = if n > 0 { (near + 1) * d - 1 } else { 0 };
        let count = self.first.len();
        let each: Vec<Vec<f64>> = (0..count).into_par_iter().map(moved).collect();
        let row = |k: usize| {
            let own = &each[k];
            let mut entries: Vec<(usize, usize, f64)> = Vec::new();
            for other in k.saturating_sub(near)..=k {
                let shift = self.first[k] - self.first[other];
                if shift >= width {
                    continue;
                }
                let before = &each[other];
                for c in 0..d {
                    for b in 0..if other == k { c + 1 } else { d } {
                        let mut sum = 0.0;
                        for m in 0..width - shift {
                            let (x, y) = ((m * d + c) * n, ((m + shift) * d + b) * n);
                            sum += own[x..x + n].iter().zip(&before[y..y + n]).map(|(a, b)| a * b).sum::<f64>();
                        }
                        entries.push((k * d + c, other * d + b, sum));
                    }
                }
            }
            entries
        };
        let mut band = Band::new(count * d, below);
        if n > 0 {
            let rows: Vec<Vec<(usize, usize, f64)>> = (0..count).into_par_iter().map(row).collect();
            rows.into_iter().flatten().for_each(|(i, j, v)| *band.entry(i, j) += v);
        }
        band
    }

    /// Covariance of a residual (c) with the mean of the points under φ (j) by noise, per window d x d.
    pub(super) fn shared(&self, sample: &Sample, by_x: &[f64], noise: &[f64]) -> Vec<Vec<f64>> {
        let (d, total) = (sample.dim, self.value.iter().sum::<f64>());
        let one = |first: &usize| {
            let entry = |c: usize, j: usize| {
                // Σ φφ' vanishes.
                let terms = self.value.iter().enumerate().map(|(m, f)| f * f * by_x[((first + m) * d + c) * d + j]);
                self.dt * terms.sum::<f64>() * noise[j] * noise[j] / (total * sample.deviations[c])
            };
            (0..d * d).map(|at| entry(at / d, at % d)).collect()
        };
        self.first.par_iter().map(one).collect()
    }

    /// Means of the points under φ, per window.
    pub(super) fn centres(&self, sample: &Sample) -> Vec<Vec<f64>> {
        let (d, total) = (sample.dim, self.value.iter().sum::<f64>());
        let one = |first: &usize| {
            let of = |c: usize| {
                let terms = self.value.iter().enumerate().map(|(k, f)| f * sample.points[(first + k) * d + c]);
                terms.sum::<f64>() / total
            };
            (0..d).map(of).collect()
        };
        self.first.iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dynamics::Dynamics;
    use wngd_models::flow::system;

    #[test]
    fn equations_vanish_on_a_solution_and_their_covariance_is_that_of_noise() {
        let oscillator = system("van-der-pol").unwrap();
        let points = crate::simulate(oscillator.field.as_ref(), &[1.0], &oscillator.start, 0.05, 400, 20.0).unwrap();
        let dynamics = Dynamics::new(Arc::clone(&oscillator.field), vec![1.0], None).unwrap();
        let clean = Sample::new(points.clone(), 2, vec![400], Some(0.05)).unwrap();
        let windows = Windows::new(&clean.spans(), 24, 0.05);
        let field = Field::at(&dynamics, &clean, &[0.0, 0.0], &[1.0]);
        let residual = windows.equations(&clean, &field, 1).residual;
        assert!(residual.iter().all(|r| r.abs() < 1e-6), "{residual:?}");
        // Scatter over draws of small noise against its formula, for one entry on and one off the diagonal.
        let noise = [0.01, 0.02];
        let mut band = windows.covariance(&clean, &field.by_x, &noise);
        let (mut square, mut cross) = (0.0, 0.0);
        let draws = 400;
        for seed in 0..draws {
            let mut source = crate::Noise::new(noise.to_vec(), 5, seed);
            let seen: Vec<f64> = points.chunks_exact(2).flat_map(|x| source.added(x).to_vec()).collect();
            let seen = Sample { points: seen, ..clean.clone() };
            let field = Field::at(&dynamics, &seen, &[0.0, 0.0], &[1.0]);
            let r = windows.equations(&seen, &field, 1).residual;
            square += r[9] * r[9] / draws as f64;
            cross += r[9] * r[7] / draws as f64;
        }
        let (exact, joint) = (*band.entry(9, 9), *band.entry(9, 7));
        assert!((square / exact - 1.0).abs() < 0.3, "{square} {exact}");
        assert!((cross - joint).abs() < 0.2 * exact, "{cross} {joint} {exact}");
    }
}
