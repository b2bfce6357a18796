//! The likelihood of points: ln ρ at the samples, in blocks that run in parallel and are summed in a fixed order.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::component::Component;
use crate::kernel::{BLOCK, Row, Scratch, add_gram, dot, shares, sum};
use crate::likelihood::{Curvature, Likelihood, Moments, add, own_block, pairs, symmetric};

/// Blocks per task.
const TASK: usize = 32;

/// Samples by blocks, one row per coordinate.
#[derive(Debug, Clone)]
pub(crate) struct Points {
    dim: usize,
    rows: Vec<Row>,
    weights: Weights,
    total: f64,
    /// Whether weights count repetitions.
    counts: bool,
    stop: fn() -> bool,
}

#[derive(Debug, Clone)]
enum Weights {
    /// 1 for all but the padding of the last block.
    Ones(Box<Row>),
    Rows(Vec<Row>),
}

/// A block's sums and room to work in.
struct Task<T> {
    sums: T,
    scratch: Scratch,
}

/// A body about to run on one block, compiled for the vectors that the machine has: a closure would be called through a
/// shim that is not.
struct OnBlock<'a, T, F> {
    body: &'a F,
    sums: &'a mut T,
    scratch: &'a mut Scratch,
    x: &'a [Row],
    weights: &'a Row,
}

impl<T, F: Fn(&mut T, &mut Scratch, &[Row], &Row)> WithSimd for OnBlock<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        (self.body)(self.sums, self.scratch, self.x, self.weights);
    }
}

impl Points {
    /// Samples, row-major, in the coordinates of the fit.
    pub(crate) fn new(dim: usize, values: &[f64], weights: Option<&[f64]>, counts: bool) -> Self {
        let n = values.len() / dim;
        let blocks = n.div_ceil(BLOCK);
        let mut rows = vec![[0.0; BLOCK]; blocks * dim];
        rows.par_chunks_mut(dim).zip(values.par_chunks(BLOCK * dim)).for_each(|(rows, values)| {
            for (i, x) in values.chunks_exact(dim).enumerate() {
                x.iter().zip(rows.iter_mut()).for_each(|(v, row)| row[i] = *v);
            }
            // The padding has weight 0; a place among the samples keeps it from overflowing.
            let last = values.len() / dim - 1;
            rows.iter_mut().for_each(|row| {
                let value = row[last];
                row[last + 1..].fill(value);
            });
        });
        let (total, weights) = match weights {
            None => {
                let mut tail = Box::new([1.0; BLOCK]);
                if !n.is_multiple_of(BLOCK) {
                    tail[n % BLOCK..].fill(0.0);
                }
                (n as f64, Weights::Ones(tail))
            }
            Some(weights) => {
                let mut rows = vec![[0.0; BLOCK]; blocks];
                for (row, weights) in rows.iter_mut().zip(weights.chunks(BLOCK)) {
                    row[..weights.len()].copy_from_slice(weights);
                }
                (weights.iter().sum(), Weights::Rows(rows))
            }
        };
        Self { dim, rows, weights, total, counts, stop: || false }
    }

    /// The same, given up when `stop` says so.
    pub(crate) fn stopping(self, stop: fn() -> bool) -> Self {
        Self { stop, ..self }
    }

    /// Sums over tasks, in order.
    fn over<T: Send>(
        &self,
        components: usize,
        zero: impl Fn() -> T + Sync,
        body: impl Fn(&mut T, &mut Scratch, &[Row], &Row) + Sync,
        merge: impl Fn(&mut T, T),
    ) -> T {
        const ONES: Row = [1.0; BLOCK];
        let blocks = self.rows.len() / self.dim;
        let arch = Arch::new();
        let parts: Vec<T> = self
            .rows
            .par_chunks(TASK * self.dim)
            .enumerate()
            .map(|(index, rows)| {
                let mut task = Task { sums: zero(), scratch: Scratch::new(components, self.dim) };
                for (offset, x) in rows.chunks_exact(self.dim).enumerate() {
                    let block = index * TASK + offset;
                    let weights = match &self.weights {
                        Weights::Ones(tail) if block + 1 == blocks => tail,
                        Weights::Ones(_) => &ONES,
                        Weights::Rows(rows) => &rows[block],
                    };
                    let Task { sums, scratch } = &mut task;
                    arch.dispatch(OnBlock { body: &body, sums, scratch, x, weights });
                }
                task.sums
            })
            .collect();
        let mut total = zero();
        parts.into_iter().for_each(|part| merge(&mut total, part));
        total
    }
}

impl Likelihood for Points {
    fn dim(&self) -> usize {
        self.dim
    }

    fn total(&self) -> f64 {
        self.total
    }

    fn stopped(&self) -> bool {
        (self.stop)()
    }

    fn value(&self, components: &[Component]) -> f64 {
        self.over(
            components.len(),
            || 0.0,
            #[inline(always)]
            |sum, scratch, x, weights| *sum += shares(components, x, weights, scratch),
            |total, part| *total += part,
        )
    }

    fn moments(&self, components: &[Component], diagonal: bool) -> Moments {
        let (count, dim) = (components.len(), self.dim);
        let pairs = pairs(dim, diagonal);
        self.over(
            count,
            || Moments::zero(count, dim, pairs.len()),
            #[inline(always)]
            |sums, scratch, x, weights| {
                sums.log_likelihood += shares(components, x, weights, scratch);
                let mut weighted = [0.0; BLOCK];
                for k in 0..count {
                    let (r, y) = (&scratch.r[k], &scratch.y[k * dim..(k + 1) * dim]);
                    sums.count[k] += sum(r);
                    let mut at = k * pairs.len();
                    for a in 0..dim {
                        for i in 0..BLOCK {
                            weighted[i] = r[i] * y[a][i];
                        }
                        sums.first[k * dim + a] += sum(&weighted);
                        for b in if diagonal { a } else { 0 }..=a {
                            sums.second[at] += dot(&weighted, &y[b]);
                            at += 1;
                        }
                    }
                }
            },
            |total, part| total.add(&part),
        )
    }

    fn curvature(&self, components: &[Component], diagonal: bool) -> Curvature {
        let (count, dim) = (components.len(), self.dim);
        let pairs = pairs(dim, diagonal);
        let q = 1 + dim + pairs.len();
        let n = count * q;
        /// Sums of a task.
        struct Sums {
            log_likelihood: f64,
            own: Vec<f64>,
            scores: Vec<f64>,
            variance: Vec<f64>,
            features: Vec<Row>,
            weighted: Vec<Row>,
        }
        let squares = !self.counts && matches!(self.weights, Weights::Rows(_));
        let zero = || Sums {
            log_likelihood: 0.0,
            own: vec![0.0; count * q * q],
            scores: vec![0.0; n * n],
            variance: vec![0.0; if squares { n * n } else { 0 }],
            features: vec![[0.0; BLOCK]; n],
            weighted: vec![[0.0; BLOCK]; n],
        };
        let sums = self.over(
            count,
            zero,
            #[inline(always)]
            |sums, scratch, x, weights| {
                let Sums { log_likelihood, own, scores, variance, features, weighted } = sums;
                *log_likelihood += shares(components, x, weights, scratch);
                for k in 0..count {
                    let (r, y) = (&scratch.r[k], &scratch.y[k * dim..(k + 1) * dim]);
                    let u = &mut features[k * q..(k + 1) * q];
                    u[0] = [1.0; BLOCK];
                    u[1..=dim].copy_from_slice(y);
                    for (u, &(a, b)) in u[1 + dim..].iter_mut().zip(&pairs) {
                        let (factor, shift) = if a == b { (0.5, 0.5) } else { (1.0, 0.0) };
                        for i in 0..BLOCK {
                            u[i] = factor * y[a][i] * y[b][i] - shift;
                        }
                    }
                    for (s, u) in weighted[k * q..(k + 1) * q].iter_mut().zip(u.iter()) {
                        for i in 0..BLOCK {
                            s[i] = r[i] * u[i];
                        }
                    }
                    add_gram(&weighted[k * q..(k + 1) * q], u, q, &mut own[k * q * q..(k + 1) * q * q]);
                }
                // Rows hold weight · share · u; scores are share · u.
                for k in 0..count {
                    for (u, s) in features[k * q..(k + 1) * q].iter_mut().zip(&weighted[k * q..(k + 1) * q]) {
                        for i in 0..BLOCK {
                            u[i] = if weights[i] > 0.0 { s[i] / weights[i] } else { 0.0 };
                        }
                    }
                }
                add_gram(weighted, features, n, scores);
                if squares {
                    add_gram(weighted, weighted, n, variance);
                }
            },
            |total, part| {
                total.log_likelihood += part.log_likelihood;
                add(&mut total.own, &part.own);
                add(&mut total.scores, &part.scores);
                add(&mut total.variance, &part.variance);
            },
        );
        let mut scores = sums.scores;
        symmetric(&mut scores, n);
        let mut observed = scores.clone();
        let mut gradient = Vec::with_capacity(n);
        for k in 0..count {
            let gram = &sums.own[k * q * q..(k + 1) * q * q];
            gradient.extend((0..q).map(|i| gram[i * q]));
            let block = own_block(gram, dim, &pairs);
            for i in 0..q {
                for j in 0..q {
                    observed[(k * q + i) * n + k * q + j] -= block[i * q + j];
                }
            }
        }
        let mut variance = if squares { sums.variance } else { scores.clone() };
        symmetric(&mut variance, n);
        Curvature { log_likelihood: sums.log_likelihood, gradient, observed, scores, variance }
    }
}
