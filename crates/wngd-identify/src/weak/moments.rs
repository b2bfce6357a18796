//! Means of x^m exp(iw·x) over blocks: one pass over the data, after which noise, diffusion and parameters cost nothing
//! more.

use pulp::{Arch, Simd, WithSimd};

use super::batch::{BATCH, LANES, Row, add_products, sines};
use super::blocks::Block;
use super::data::Data;
use super::functions::Functions;
use super::monomials::Monomials;
use super::pass::{Gather, Gathered, pass};
use crate::dynamics::Dynamics;
use crate::error::IdentifyError;

/// Sums over blocks.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    /// Per block, function and monomial: real parts, then imaginary parts of the mean.
    gathered: Gathered,
    pub(super) monomials: Monomials,
}

impl Moments {
    /// # Cost
    /// N × functions sines and cosines, N × functions × monomials multiplications; the same bits for any number of
    /// threads, and whether or not the points are held.
    ///
    /// # Errors
    /// Points that cannot be read again; [`IdentifyError::Stopped`].
    pub(super) fn of(
        data: Data<'_>,
        functions: &Functions,
        blocks: &[Block],
        monomials: Monomials,
        dynamics: &Dynamics,
    ) -> Result<Self, IdentifyError> {
        let means = Means { ordered: data.dt().is_some(), dim: data.dim(), functions, monomials: &monomials };
        let gathered = pass(data, blocks, &means, dynamics)?;
        Ok(Self { gathered, monomials })
    }

    /// Real and imaginary part of a mean.
    pub(super) fn mean(&self, block: usize, function: usize, monomial: usize) -> (f64, f64) {
        let count = self.monomials.list.len();
        let row = &self.gathered.sums[block][2 * count * function..2 * count * (function + 1)];
        (row[monomial], row[count + monomial])
    }

    /// First and last point of each block.
    pub(super) fn ends(&self) -> &[[Vec<f64>; 2]] {
        &self.gathered.ends
    }
}

/// w·x.
pub(super) fn phase(wave: &[(usize, f64)], x: &[f64]) -> f64 {
    wave.iter().map(|&(axis, w)| w * x[axis]).sum()
}

/// Weight of a point in the mean over its block: the trapezoidal rule on ordered data.
pub(super) fn weight(ordered: bool, block: &Block, i: usize) -> f64 {
    if !ordered {
        return 1.0 / (block.end - block.begin + 1) as f64;
    }
    let half = if i == block.begin || i == block.end { 0.5 } else { 1.0 };
    half / (block.end - block.begin) as f64
}

/// The functions of a group.
pub(super) fn group(functions: &Functions, group: usize, groups: usize) -> std::ops::Range<usize> {
    let count = functions.waves.len();
    group * count / groups..(group + 1) * count / groups
}

/// Points from which batches are worth what is lost in the last one.
const MANY: usize = 24;

/// Means of all functions times all monomials.
struct Means<'a> {
    ordered: bool,
    dim: usize,
    functions: &'a Functions,
    monomials: &'a Monomials,
}

/// Sums so far, in lanes, that are added up at the end alone: per function first the real parts of all monomials, then the
/// imaginary ones.
struct Lanes {
    functions: std::ops::Range<usize>,
    sums: Vec<[f64; LANES]>,
}

impl Gather for Means<'_> {
    type Sums = Lanes;

    fn begin(&self, number: usize, groups: usize) -> Lanes {
        let functions = group(self.functions, number, groups);
        let sums = vec![[0.0; LANES]; 2 * self.monomials.list.len() * functions.len()];
        Lanes { functions, sums }
    }

    fn add(&self, Lanes { functions, sums }: &mut Lanes, block: &Block, from: usize, rows: &[f64]) {
        let (count, waves) = (self.monomials.list.len(), &self.functions.waves[functions.clone()]);
        let weight = |k: usize| weight(self.ordered, block, from + k);
        if block.end - block.begin + 1 >= MANY {
            return self.batches(waves, rows, weight, sums);
        }
        let mut powers = vec![0.0; count];
        for (k, x) in rows.chunks_exact(self.dim).enumerate() {
            self.monomials.values(x, &mut powers);
            let weight = weight(k);
            for (wave, row) in waves.iter().zip(sums.chunks_exact_mut(2 * count)) {
                let (sine, cosine) = phase(wave, x).sin_cos();
                let (sine, cosine) = (weight * sine, weight * cosine);
                let (real, imaginary) = row.split_at_mut(count);
                for ((re, im), power) in real.iter_mut().zip(imaginary).zip(&powers) {
                    re[0] += cosine * power;
                    im[0] += sine * power;
                }
            }
        }
    }

    fn end(&self, lanes: Lanes) -> Vec<f64> {
        lanes.sums.iter().map(|lanes| lanes.iter().sum()).collect()
    }
}

impl Means<'_> {
    /// Adds points in batches; coordinates that no function and no monomial has are left 0.
    fn batches(
        &self,
        waves: &[Vec<(usize, f64)>],
        rows: &[f64],
        weight: impl Fn(usize) -> f64,
        sums: &mut [[f64; LANES]],
    ) {
        let (arch, d) = (Arch::new(), self.dim);
        let mut powers = vec![[0.0; BATCH]; self.monomials.list.len()];
        let mut x = vec![[0.0; BATCH]; d];
        for (batch, rows) in rows.chunks(BATCH * d).enumerate() {
            let mut weights = [0.0; BATCH];
            if rows.len() < BATCH * d {
                x.iter_mut().for_each(|row| *row = [0.0; BATCH]);
            }
            for (k, point) in rows.chunks_exact(d).enumerate() {
                weights[k] = weight(batch * BATCH + k);
                x.iter_mut().zip(point).for_each(|(row, v)| row[k] = *v);
            }
            let (monomials, powers, sums) = (self.monomials, &mut powers[..], &mut *sums);
            arch.dispatch(Adding { monomials, waves, x: &x, weights: &weights, powers, sums });
        }
    }
}

/// Adds weight · m(x) · (cos w·x, sin w·x) of a batch to the sums.
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
    sums: &'a mut [[f64; LANES]],
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
                add_products(&cosine, &sine, power, re, im);
            }
        }
    }
}
