//! Means of x^m exp(iw·x) over blocks: one pass over the data, after which noise, diffusion and parameters cost nothing
//! more.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::batch::{BATCH, Row, dot, sines};
use super::blocks::Block;
use super::functions::Functions;
use super::monomials::Monomials;
use crate::sample::Sample;

/// Sums over blocks.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// Per block, function and monomial: real parts, then imaginary parts of the mean.
    pub(super) values: Vec<Vec<f64>>,
    pub(super) monomials: Monomials,
}

impl Moments {
    /// # Cost
    /// N × functions sines and cosines, N × functions × monomials multiplications; the same bits for any number of
    /// threads.
    pub(super) fn of(sample: &Sample, functions: &Functions, blocks: &[Block], monomials: Monomials) -> Self {
        let values = blocks.par_iter().map(|block| means(sample, functions, block, &monomials)).collect();
        Self { values, monomials }
    }

    /// Real and imaginary part of a mean.
    pub(super) fn mean(&self, block: usize, function: usize, monomial: usize) -> (f64, f64) {
        let count = self.monomials.list.len();
        let row = &self.values[block][2 * count * function..2 * count * (function + 1)];
        (row[monomial], row[count + monomial])
    }
}

/// w·x.
pub(super) fn phase(wave: &[(usize, f64)], x: &[f64]) -> f64 {
    wave.iter().map(|&(axis, w)| w * x[axis]).sum()
}

/// Weight of a point in the mean over its block: the trapezoidal rule on ordered data.
pub(super) fn weight(sample: &Sample, block: &Block, i: usize) -> f64 {
    if sample.dt.is_none() {
        return 1.0 / (block.end - block.begin + 1) as f64;
    }
    let half = if i == block.begin || i == block.end { 0.5 } else { 1.0 };
    half / (block.end - block.begin) as f64
}

/// Points from which batches are worth what is lost in the last one.
const MANY: usize = 24;

/// Sums over the points of a block in batches; coordinates that no function and no monomial has are left 0.
fn batches(sample: &Sample, functions: &Functions, block: &Block, monomials: &Monomials, sums: &mut [f64]) {
    let (arch, d) = (Arch::new(), sample.dim);
    let mut powers = vec![[0.0; BATCH]; monomials.list.len()];
    let mut x = vec![[0.0; BATCH]; d];
    for begin in (block.begin..=block.end).step_by(BATCH) {
        let end = (begin + BATCH).min(block.end + 1);
        let mut weights = [0.0; BATCH];
        x.iter_mut().for_each(|row| *row = [0.0; BATCH]);
        for (k, i) in (begin..end).enumerate() {
            weights[k] = weight(sample, block, i);
            x.iter_mut().zip(sample.point(i)).for_each(|(row, v)| row[k] = *v);
        }
        let (powers, sums) = (&mut powers[..], &mut *sums);
        arch.dispatch(Adding { monomials, waves: &functions.waves, x: &x, weights: &weights, powers, sums });
    }
}

/// Adds Σ weight · m(x) · (cos w·x, sin w·x) of a batch to the sums: per function first the real parts of all monomials, then
/// the imaginary ones.
struct Adding<'a> {
    monomials: &'a Monomials,
    /// (coordinate, w) per function.
    waves: &'a [Vec<(usize, f64)>],
    /// One row per coordinate.
    x: &'a [Row],
    /// 0 where there is no point.
    weights: &'a Row,
    /// Room for a row per monomial.
    powers: &'a mut [Row],
    sums: &'a mut [f64],
}

impl WithSimd for Adding<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let count = self.powers.len();
        self.monomials.of_batch(self.x, self.powers);
        for (wave, sums) in self.waves.iter().zip(self.sums.chunks_exact_mut(2 * count)) {
            let mut phase = [0.0; BATCH];
            for &(axis, w) in wave {
                for (p, x) in phase.iter_mut().zip(&self.x[axis]) {
                    *p += w * x;
                }
            }
            let (mut sine, mut cosine) = sines(&phase);
            for (s, w) in sine.iter_mut().zip(self.weights) {
                *s *= w;
            }
            for (c, w) in cosine.iter_mut().zip(self.weights) {
                *c *= w;
            }
            let (real, imaginary) = sums.split_at_mut(count);
            for ((re, im), power) in real.iter_mut().zip(imaginary).zip(&*self.powers) {
                *re += dot(&cosine, power);
                *im += dot(&sine, power);
            }
        }
    }
}

fn means(sample: &Sample, functions: &Functions, block: &Block, monomials: &Monomials) -> Vec<f64> {
    let count = monomials.list.len();
    let mut sums = vec![0.0; 2 * count * functions.waves.len()];
    if block.end - block.begin + 1 >= MANY {
        batches(sample, functions, block, monomials, &mut sums);
        return sums;
    }
    let mut powers = vec![0.0; count];
    for i in block.begin..=block.end {
        let x = sample.point(i);
        monomials.values(x, &mut powers);
        let weight = weight(sample, block, i);
        for (wave, row) in functions.waves.iter().zip(sums.chunks_exact_mut(2 * count)) {
            let (sine, cosine) = phase(wave, x).sin_cos();
            let (sine, cosine) = (weight * sine, weight * cosine);
            let (real, imaginary) = row.split_at_mut(count);
            for ((re, im), power) in real.iter_mut().zip(imaginary).zip(&powers) {
                *re += cosine * power;
                *im += sine * power;
            }
        }
    }
    sums
}
