//! BiCGSTAB of a sparse matrix and of its transpose, several right-hand sides in lanes.

use std::sync::OnceLock;

use faer::MatMut;
use rayon::prelude::*;

use super::coarse::Coarse;
use super::compressed::Compressed;
use super::dots::{SLAB, dots, slab_dots, total};
use super::flow_order::flow_order;
use super::incomplete_lu::IncompleteLu;
use super::options::{Counters, KrylovOptions, KrylovReport, KrylovStats};
use super::rows::Rows;
use crate::dense::column_pieces;
use crate::error::LinalgError;
use crate::operator::Factorization;
use crate::sparse::SparseMatrix;

/// Right-hand sides that share one pass over the matrix.
const LANES: usize = 4;
/// Times the iteration starts again from the true residual.
const RESTARTS: usize = 6;

/// BiCGSTAB with right preconditioning, for A and for Aᵀ.
///
/// Every solve ends with the true residual, and starts again from it where the
/// recursive residual has drifted. As a [`Factorization`] it cannot fail at
/// application: look at [`stats`](Self::stats) afterwards, where misses of the
/// tolerance are counted, or use the fallible [`solve`](Self::solve).
///
/// # Cost
/// Two products and two preconditioner solves an iteration, up to 4 right-hand
/// sides in one pass over the matrix, slabs of 32 768 rows in parallel. On Scharfetter–Gummel
/// generators of 100³ cells 122 iterations, 68 with aggregates of 5³ cells. Memory: A and about as
/// much again, the same for Aᵀ once it is used, and 9 vectors per right-hand side.
///
/// # References
/// van der Vorst 1992, doi:10.1137/0913035.
#[derive(Debug)]
pub struct BiCgStab {
    /// order[i]: original index at place i.
    pub(super) order: Vec<usize>,
    pub(super) forward: Rows,
    /// The transpose, made at its first use.
    pub(super) backward: OnceLock<Rows>,
    pub(super) coarse: Option<Coarse>,
    pub(super) options: KrylovOptions,
    pub(super) counters: Counters,
}

impl BiCgStab {
    /// Orders the matrix along its flow and builds the preconditioner.
    ///
    /// # Errors
    /// A matrix that is not square, holds NaN, lacks a diagonal entry, or meets a
    /// vanishing pivot ([`LinalgError::Singular`]).
    pub fn new(matrix: &SparseMatrix, options: KrylovOptions) -> Result<Self, LinalgError> {
        Self::build(matrix, options, None)
    }

    /// As [`new`](Self::new) with a second level: errors that are constant on each aggregate are
    /// removed by a direct solve for the sums over the aggregates.
    ///
    /// # Shapes
    /// `aggregates`: one label per row, from 0 to a number of aggregates that is cheap to factor.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`LinalgError::Shape`] for the wrong number of labels; as
    /// [`DominantLu::new`](crate::DominantLu::new) for the aggregated matrix.
    pub fn with_aggregates(
        matrix: &SparseMatrix,
        options: KrylovOptions,
        aggregates: &[usize],
    ) -> Result<Self, LinalgError> {
        let (expected, found) = (matrix.square()?, aggregates.len());
        if expected != found {
            return Err(LinalgError::Shape { what: "aggregates", expected, found });
        }
        Self::build(matrix, options, Some((aggregates, &vec![1.0; found])))
    }

    /// As [`with_aggregates`](Self::with_aggregates) for errors proportional to `weights` on each aggregate.
    pub(crate) fn with_weighted_aggregates(
        matrix: &SparseMatrix,
        options: KrylovOptions,
        aggregates: &[usize],
        weights: &[f64],
    ) -> Result<Self, LinalgError> {
        Self::build(matrix, options, Some((aggregates, weights)))
    }

    pub(super) fn build(
        matrix: &SparseMatrix,
        options: KrylovOptions,
        aggregates: Option<(&[usize], &[f64])>,
    ) -> Result<Self, LinalgError> {
        let n = matrix.square()?;
        matrix.check_finite()?;
        if u32::try_from(n.max(matrix.nnz())).is_err() {
            return Err(LinalgError::Symbolic { n, reason: "more entries than 32-bit indices reach".into() });
        }
        let order = flow_order(matrix);
        let a = Compressed::from_rows(&matrix.permuted(&order)?);
        let ilu = IncompleteLu::new(&a)?;
        let coarse = match aggregates {
            Some((labels, weights)) => Some(Coarse::new(matrix, labels, weights, &order)?),
            None => None,
        };
        let forward = Rows::new(a, ilu, coarse.as_ref());
        Ok(Self { order, forward, backward: OnceLock::new(), coarse, options, counters: Counters::default() })
    }

    /// Tolerance and limits.
    pub fn options(&self) -> KrylovOptions {
        self.options
    }

    /// What all solves took so far.
    pub fn stats(&self) -> KrylovStats {
        self.counters.stats(self.options.tolerance)
    }

    /// `b <- A⁻¹ b`, or `A⁻ᵀ b`, for a block of right-hand sides (n x r).
    ///
    /// # Errors
    /// [`LinalgError::IterationLimit`] if a column missed the tolerance; `b` then
    /// holds the best that was found.
    pub fn solve(&self, b: MatMut<'_, f64>, transpose: bool) -> Result<KrylovReport, LinalgError> {
        let report = self.run(b, transpose);
        if report.missed == 0 {
            return Ok(report);
        }
        Err(LinalgError::IterationLimit {
            what: "BiCGSTAB",
            iterations: report.iterations,
            residual: report.residual,
            tolerance: self.options.tolerance,
        })
    }

    pub(super) fn run(&self, b: MatMut<'_, f64>, transpose: bool) -> KrylovReport {
        let columns = b.ncols();
        let rows = if transpose {
            self.backward.get_or_init(|| self.forward.transposed(self.coarse.as_ref()))
        } else {
            &self.forward
        };
        let system = System { rows, coarse: self.coarse.as_ref(), transpose, options: self.options };
        let report = column_pieces(b, LANES)
            .into_par_iter()
            .map(|piece| match piece.ncols() {
                0 => KrylovReport::default(),
                1 => self.run_lanes::<1>(piece, system),
                2 => self.run_lanes::<2>(piece, system),
                _ => self.run_lanes::<LANES>(piece, system),
            })
            .reduce(KrylovReport::default, |a, b| KrylovReport {
                iterations: a.iterations.max(b.iterations),
                residual: a.residual.max(b.residual),
                missed: a.missed + b.missed,
            });
        self.counters.add(columns, &report);
        report
    }

    pub(super) fn run_lanes<const W: usize>(&self, piece: MatMut<'_, f64>, system: System<'_>) -> KrylovReport {
        let mut piece = piece;
        let mut b = vec![[0.0; W]; self.order.len()];
        for j in 0..piece.ncols() {
            for (row, &old) in b.iter_mut().zip(&self.order) {
                row[j] = piece[(old, j)];
            }
        }
        let (x, report) = system.iterate(&b);
        for j in 0..piece.ncols() {
            for (row, &old) in x.iter().zip(&self.order) {
                piece[(old, j)] = row[j];
            }
        }
        report
    }
}

/// A, or Aᵀ, with its preconditioner and what to reach.
#[derive(Clone, Copy)]
pub(super) struct System<'a> {
    pub(super) rows: &'a Rows,
    pub(super) coarse: Option<&'a Coarse>,
    pub(super) transpose: bool,
    pub(super) options: KrylovOptions,
}

impl System<'_> {
    /// Solves from 0, starting again from the true residual while that helps.
    pub(super) fn iterate<const W: usize>(&self, b: &[[f64; W]]) -> (Vec<[f64; W]>, KrylovReport) {
        let n = b.len();
        let mut x = vec![[0.0; W]; n];
        let mut work = Work::new(n);
        work.r.copy_from_slice(b);
        let size = dots(b, b).map(f64::sqrt);
        // NaN never counts as progress: a lane with a bad right-hand side is not iterated at all.
        let usable = size.map(|s| s.is_finite());
        if usable.contains(&false) {
            for row in &mut work.r {
                for w in 0..W {
                    row[w] = if usable[w] { row[w] } else { 0.0 };
                }
            }
        }
        let target = size.map(|s| self.options.tolerance * s);
        let (mut residual, mut spent) = (size, [0usize; W]);
        let mut active = [0; W].map(|_: usize| true);
        for w in 0..W {
            active[w] = usable[w] && residual[w] > target[w];
        }
        for _ in 0..RESTARTS {
            if !active.contains(&true) {
                break;
            }
            self.descend(&mut work, &mut x, target, active, &mut spent);
            self.rows.a.multiply(&x, &mut work.v);
            for i in 0..n {
                for w in 0..W {
                    work.r[i][w] = if usable[w] { b[i][w] - work.v[i][w] } else { 0.0 };
                }
            }
            let now = dots(&work.r, &work.r).map(f64::sqrt);
            for w in 0..W {
                active[w] = active[w]
                    && now[w] > target[w]
                    && now[w] < 0.5 * residual[w]
                    && spent[w] < self.options.max_iterations;
                residual[w] = now[w];
            }
        }
        let mut report = KrylovReport { iterations: spent.into_iter().max().unwrap_or(0), ..Default::default() };
        let short = (0..W).any(|w| residual[w] > target[w] || residual[w].is_nan());
        let rounding = if short { self.rows.a.rounding(&x, b) } else { [0.0; W] };
        for w in 0..W {
            if !usable[w] {
                report.residual = f64::INFINITY;
                report.missed += 1;
                x.iter_mut().for_each(|row| row[w] = f64::NAN);
            } else if size[w] > 0.0 {
                report.residual = report.residual.max(residual[w] / size[w]);
                let reached = residual[w] <= target[w].max(rounding[w]);
                report.missed += usize::from(!reached);
            }
        }
        (x, report)
    }

    /// One run of BiCGSTAB: adds to `x` what removes the residual `work.r`.
    pub(super) fn descend<const W: usize>(
        &self,
        work: &mut Work<W>,
        x: &mut [[f64; W]],
        target: [f64; W],
        active: [bool; W],
        spent: &mut [usize; W],
    ) {
        let Work { r, shadow, p, v, t, ph, sh } = work;
        shadow.copy_from_slice(r);
        p.fill([0.0; W]);
        v.fill([0.0; W]);
        let mut active = active;
        let (mut rho, mut alpha, mut omega) = ([1.0; W], [1.0; W], [1.0; W]);
        let (mut next, mut square) = (dots(shadow, r), dots(r, r));
        let start = square.map(f64::sqrt);
        while active.contains(&true) {
            let mut beta = [0.0; W];
            for w in 0..W {
                let size = square[w].sqrt();
                active[w] = active[w] && size > 0.5 * target[w] && spent[w] < self.options.max_iterations
                    // The shadow residual has turned orthogonal, or the residual has run away: start again.
                    && next[w].abs() > f64::EPSILON * f64::EPSILON * start[w] * size
                    && size < 1e8 * start[w];
                beta[w] = if active[w] { next[w] / rho[w] * (alpha[w] / omega[w]) } else { 0.0 };
                if !beta[w].is_finite() {
                    (active[w], beta[w]) = (false, 0.0);
                }
                rho[w] = next[w];
                spent[w] += usize::from(active[w]);
            }
            if !active.contains(&true) {
                break;
            }
            let pieces = p.par_chunks_mut(SLAB).zip(r.par_chunks(SLAB)).zip(v.par_chunks(SLAB));
            pieces.for_each(|((p, r), v)| {
                for i in 0..p.len() {
                    for w in 0..W {
                        p[i][w] = r[i][w] + beta[w] * (p[i][w] - omega[w] * v[i][w]);
                    }
                }
            });
            let [along, _] = self.apply(p, ph, v, shadow);
            for w in 0..W {
                alpha[w] = rho[w] / along[w];
                if !active[w] || !alpha[w].is_finite() {
                    (active[w], alpha[w]) = (false, 0.0);
                }
            }
            r.par_chunks_mut(SLAB).zip(v.par_chunks(SLAB)).for_each(|(r, v)| {
                for i in 0..r.len() {
                    for w in 0..W {
                        r[i][w] -= alpha[w] * v[i][w];
                    }
                }
            });
            let [ts, tt] = self.apply(r, sh, t, r);
            for w in 0..W {
                omega[w] = ts[w] / tt[w];
                if !active[w] || !omega[w].is_finite() {
                    (active[w], omega[w]) = (false, 0.0);
                }
            }
            let moved = x.par_chunks_mut(SLAB).zip(r.par_chunks_mut(SLAB));
            let along = ph.par_chunks(SLAB).zip(sh.par_chunks(SLAB)).zip(t.par_chunks(SLAB));
            let sums = moved.zip(along).zip(shadow.par_chunks(SLAB)).map(|(((x, r), ((ph, sh), t)), shadow)| {
                for i in 0..x.len() {
                    for w in 0..W {
                        x[i][w] += alpha[w] * ph[i][w] + omega[w] * sh[i][w];
                        r[i][w] -= omega[w] * t[i][w];
                    }
                }
                [slab_dots(shadow, r), slab_dots(r, r)]
            });
            [next, square] = total(sums.collect());
        }
    }

    /// `z = M⁻¹ b` and `v = A z`; gives vᵀs and vᵀv.
    ///
    /// M⁻¹ is the incomplete LU followed by the correction on the aggregates, whose product with A
    /// needs no second pass over A: v = Ay + (AP)c.
    pub(super) fn apply<const W: usize>(
        &self,
        b: &[[f64; W]],
        z: &mut [[f64; W]],
        v: &mut [[f64; W]],
        s: &[[f64; W]],
    ) -> [[f64; W]; 2] {
        self.rows.ilu.solve(b, z);
        if let (Some(coarse), Some(ap)) = (self.coarse, &self.rows.ap) {
            let sums: Vec<Vec<[f64; W]>> = v
                .par_chunks_mut(SLAB)
                .zip(b.par_chunks(SLAB))
                .zip(coarse.labels.par_chunks(SLAB))
                .zip(coarse.weights.par_chunks(SLAB))
                .enumerate()
                .map(|(slab, (((v, b), labels), weights))| {
                    self.rows.a.multiply_slab(slab * SLAB, z, v);
                    let mut sums = vec![[0.0; W]; coarse.lu.dim()];
                    for (i, (v, b)) in v.iter().zip(b).enumerate() {
                        let sum = &mut sums[labels[i] as usize];
                        for w in 0..W {
                            sum[w] += weights[i] * (b[w] - v[w]);
                        }
                    }
                    sums
                })
                .collect();
            let c = coarse.solve(&sums, self.transpose);
            let pieces = v.par_chunks_mut(SLAB).zip(z.par_chunks_mut(SLAB)).zip(s.par_chunks(SLAB));
            let pieces = pieces.zip(coarse.labels.par_chunks(SLAB).zip(coarse.weights.par_chunks(SLAB)));
            let sums = pieces.enumerate().map(|(slab, (((v, z), s), (labels, weights)))| {
                for i in 0..v.len() {
                    let (y, shift) = (&c[labels[i] as usize], ap.row_times(slab * SLAB + i, &c));
                    for w in 0..W {
                        z[i][w] += weights[i] * y[w];
                        v[i][w] += shift[w];
                    }
                }
                [slab_dots(v, s), slab_dots(v, v)]
            });
            return total(sums.collect());
        }
        let sums = v.par_chunks_mut(SLAB).zip(s.par_chunks(SLAB)).enumerate().map(|(slab, (v, s))| {
            self.rows.a.multiply_slab(slab * SLAB, z, v);
            [slab_dots(v, s), slab_dots(v, v)]
        });
        total(sums.collect())
    }
}

impl Factorization for BiCgStab {
    fn dim(&self) -> usize {
        self.order.len()
    }
    fn apply_inverse(&self, b: MatMut<'_, f64>) {
        self.run(b, false);
    }
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) {
        self.run(b, true);
    }
}

/// Vectors of one BiCGSTAB run.
pub(super) struct Work<const W: usize> {
    pub(super) r: Vec<[f64; W]>,
    pub(super) shadow: Vec<[f64; W]>,
    pub(super) p: Vec<[f64; W]>,
    pub(super) v: Vec<[f64; W]>,
    pub(super) t: Vec<[f64; W]>,
    pub(super) ph: Vec<[f64; W]>,
    pub(super) sh: Vec<[f64; W]>,
}

impl<const W: usize> Work<W> {
    pub(super) fn new(n: usize) -> Self {
        let zero = || vec![[0.0; W]; n];
        Self { r: zero(), shadow: zero(), p: zero(), v: zero(), t: zero(), ph: zero(), sh: zero() }
    }
}
