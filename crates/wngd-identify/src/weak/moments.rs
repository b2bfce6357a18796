//! Means of x^m exp(iw·x) over blocks: one pass over the data, after which noise, diffusion and parameters cost nothing
//! more.

use std::collections::BTreeMap;

use pulp::Arch;
use rayon::prelude::*;
use wngd_models::flow::{Monomial, PolynomialForm};

use super::batch::{Adding, BATCH, Row};
use super::blocks::Block;
use super::functions::Functions;
use crate::sample::Sample;

/// Monomials, each the product of an earlier one with a variable.
#[derive(Debug, Clone)]
pub(super) struct Monomials {
    pub(super) list: Vec<Monomial>,
    places: BTreeMap<Monomial, usize>,
    /// (earlier monomial, variable) of each but the first, which is 1.
    steps: Vec<(usize, usize)>,
}

impl Monomials {
    /// Those of some forms and all that divide them, which noise mixes in.
    pub(super) fn of<'a>(forms: impl Iterator<Item = &'a PolynomialForm>) -> Self {
        let mut all = Self { list: vec![Vec::new()], places: BTreeMap::from([(Vec::new(), 0)]), steps: vec![(0, 0)] };
        for monomial in forms.flat_map(|form| &form.monomials) {
            all.add(monomial);
        }
        all
    }

    fn add(&mut self, monomial: &Monomial) -> usize {
        if let Some(&place) = self.places.get(monomial) {
            return place;
        }
        let mut parent = (0, 0);
        for k in 0..monomial.len() {
            let mut lower = monomial.clone();
            let variable = lower[k].0;
            lower[k].1 -= 1;
            lower.retain(|(_, exponent)| *exponent > 0);
            parent = (self.add(&lower), variable);
        }
        self.list.push(monomial.clone());
        self.steps.push(parent);
        self.places.insert(monomial.clone(), self.list.len() - 1);
        self.list.len() - 1
    }

    pub(super) fn place(&self, monomial: &Monomial) -> usize {
        self.places[monomial]
    }

    /// The same for a batch of points, one row per coordinate in, one row per monomial out.
    #[inline(always)]
    pub(super) fn of_batch(&self, x: &[Row], out: &mut [Row]) {
        out[0] = [1.0; BATCH];
        for k in 1..self.list.len() {
            let (earlier, variable) = self.steps[k];
            let (done, now) = out.split_at_mut(k);
            for ((v, a), b) in now[0].iter_mut().zip(&done[earlier]).zip(&x[variable]) {
                *v = a * b;
            }
        }
    }

    fn values(&self, x: &[f64], out: &mut [f64]) {
        out[0] = 1.0;
        for k in 1..self.list.len() {
            let (earlier, variable) = self.steps[k];
            out[k] = out[earlier] * x[variable];
        }
    }
}

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
