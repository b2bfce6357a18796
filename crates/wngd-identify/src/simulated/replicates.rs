//! Simulations that are sampled as the data were.

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use rayon::prelude::*;

use super::features::{Features, rows};
use super::motion::{At, Motion};
use crate::dynamics::Dynamics;

/// Coordinates beyond this many deviations of the data mean that a simulation is lost.
const FAR: f64 = 1e4;

/// How replicates are made.
pub(super) struct Replicates<'a> {
    pub(super) dynamics: &'a Dynamics,
    /// The flow over a part of the time between points.
    pub(super) motion: Motion<'a>,
    /// Length of a part, and how many there are between points.
    pub(super) step: f64,
    pub(super) parts: usize,
    /// Points left out first.
    pub(super) burn: usize,
    /// The observed coordinates.
    pub(super) which: Vec<usize>,
    /// Where simulations may begin, row-major.
    pub(super) starts: Vec<f64>,
    /// Unit of each coordinate.
    pub(super) scales: Vec<f64>,
    pub(super) seed: u64,
}

impl Replicates<'_> {
    /// Observed columns of `count` points at all parameters, with the random numbers of a stream; `None` where they leave
    /// every bound.
    fn path(&self, full: Vec<f64>, count: usize, stream: u64) -> Option<Vec<f64>> {
        let d = self.scales.len();
        let mut rng = Pcg64::seed_from_u64(self.seed.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let row = rng.random_range(0..self.starts.len() / d);
        let mut x = self.starts[row * d..(row + 1) * d].to_vec();
        let mut out = Vec::with_capacity(count * self.which.len());
        let (mut spread, mut at) = (vec![0.0; d], self.motion.at(full));
        for k in 0..self.burn + count {
            if self.dynamics.stopped() {
                return None;
            }
            for _ in 0..self.parts {
                // Half of the noise on either side of the flow: order 2 where D is constant.
                self.driven(&mut x, &at, &mut spread, &mut rng);
                self.motion.advance(&mut x, &mut at);
                self.driven(&mut x, &at, &mut spread, &mut rng);
            }
            if !x.iter().zip(&self.scales).all(|(v, s)| v.abs() < FAR * s) {
                return None;
            }
            if k >= self.burn {
                out.extend(self.which.iter().map(|c| x[*c]));
            }
        }
        Some(out)
    }

    fn driven(&self, x: &mut [f64], at: &At, spread: &mut [f64], rng: &mut Pcg64) {
        let Some(diffusion) = &self.dynamics.diffusion else { return };
        diffusion.velocity(x, &at.full, spread);
        for (x, d) in x.iter_mut().zip(spread.iter()).filter(|(_, d)| **d > 0.0) {
            *x += (d * self.step).sqrt() * rng.sample::<f64, _>(StandardNormal);
        }
    }

    /// Means of the functions over the records of each of `many` whole replicates, and the same with noise of these variances on the
    /// points where it is given.
    #[allow(clippy::type_complexity, reason = "two lists of the same kind")]
    pub(super) fn whole(
        &self,
        features: &Features,
        theta: &[f64],
        many: usize,
        spans: &[(usize, usize)],
        noise: Option<&[f64]>,
    ) -> Option<(Vec<Vec<f64>>, Option<Vec<Vec<f64>>>)> {
        let from = rows(spans, features.reach());
        let (count, full) = (spans.last()?.1, self.dynamics.theta_full(theta));
        let mean = |path: &[f64]| features.means(path, &from, from.len()).pop();
        let one = |stream: u64| {
            let mut path = self.path(full.clone(), count, stream)?;
            let plain = mean(&path)?;
            let Some(noise) = noise else { return Some((plain, None)) };
            let mut rng = Pcg64::seed_from_u64(!self.seed.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            for row in path.chunks_exact_mut(noise.len()) {
                row.iter_mut()
                    .zip(noise)
                    .for_each(|(v, s)| *v += s.max(0.0).sqrt() * rng.sample::<f64, _>(StandardNormal));
            }
            Some((plain, Some(mean(&path)?)))
        };
        let found: Option<Vec<_>> = (0..many as u64).into_par_iter().map(one).collect::<Vec<_>>().into_iter().collect();
        let (plain, seen): (Vec<Vec<f64>>, Vec<Option<Vec<f64>>>) = found?.into_iter().unzip();
        Some((plain, seen.into_iter().collect()))
    }

    /// Means of the functions over stretches of `length` points, of so many replicates one after the other, at each of some
    /// parameters; the same random numbers for all of them.
    pub(super) fn means(
        &self,
        features: &Features,
        jobs: &[(Vec<f64>, usize)],
        count: usize,
        length: usize,
    ) -> Vec<Option<Vec<Vec<f64>>>> {
        let from = rows(&[(0, count)], features.reach());
        let units: Vec<(usize, u64)> = jobs
            .iter()
            .enumerate()
            .flat_map(|(j, (_, many))| (0..*many as u64).map(move |stream| (j, stream)))
            .collect();
        let one = |&(j, stream): &(usize, u64)| {
            let path = self.path(self.dynamics.theta_full(&jobs[j].0), count, stream)?;
            Some(features.means(&path, &from, length))
        };
        let found: Vec<Option<Vec<Vec<f64>>>> = units.par_iter().map(one).collect();
        let joined = |j: usize| {
            let own = units.iter().zip(&found).filter(|((job, _), _)| *job == j);
            own.map(|(_, means)| means.clone()).collect::<Option<Vec<_>>>().map(|all| all.concat())
        };
        (0..jobs.len()).map(joined).collect()
    }
}
