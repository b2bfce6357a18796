//! Preconditioned BiCGSTAB for sparse matrices and their transposes, several right-hand sides in lanes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use faer::{Mat, MatMut};
use pulp::Arch;
use rayon::prelude::*;

use crate::dense::column_pieces;
use crate::dominant_lu::DominantLu;
use crate::error::LinalgError;
use crate::operator::{Factorization, LinearOp};
use crate::sparse::SparseMatrix;

/// Right-hand sides that share one pass over the matrix.
const LANES: usize = 4;
/// Partial sums of a dot product; fixed, so that lanes give the same bits alone and together.
const PARTIAL: usize = 4;
/// Rows that one thread works on at a time: blocks of the preconditioner and of every sum. Fixed, so that
/// results have the same bits for any number of threads.
const SLAB: usize = 1 << 15;
/// Times the iteration starts again from the true residual.
const RESTARTS: usize = 6;
/// Rounding errors of a residual, in units of ε (|A||x| + |b|).
const ROUNDING: f64 = 8.0;

/// Preconditioner of a [`BiCgStab`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Preconditioner {
    /// Incomplete LU without fill in [`flow_order`], by slabs of rows, for advection-dominated generators.
    #[default]
    Ilu0,
    /// None, for matrices close to the identity.
    Identity,
}

/// Tolerance and limits of a [`BiCgStab`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KrylovOptions {
    /// Relative residual ‖b − Ax‖/‖b‖ to reach. Where rounding in the residual itself is
    /// larger, reaching that rounding counts as convergence.
    pub tolerance: f64,
    /// Iterations allowed per right-hand side.
    pub max_iterations: usize,
    /// Preconditioner.
    pub preconditioner: Preconditioner,
}

impl Default for KrylovOptions {
    fn default() -> Self {
        Self { tolerance: 1e-12, max_iterations: 1000, preconditioner: Preconditioner::default() }
    }
}

/// What one block of solves took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KrylovReport {
    /// Most iterations of any column.
    pub iterations: usize,
    /// Largest true relative residual of any column.
    pub residual: f64,
    /// Columns that missed the tolerance.
    pub missed: usize,
}

/// What all solves with one [`BiCgStab`] took so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct KrylovStats {
    /// Right-hand sides solved.
    pub solves: usize,
    /// Most iterations of any right-hand side.
    pub iterations: usize,
    /// Largest true relative residual of any right-hand side.
    pub residual: f64,
    /// Right-hand sides that missed the tolerance.
    pub missed: usize,
}

#[derive(Debug, Default)]
struct Counters {
    solves: AtomicUsize,
    iterations: AtomicUsize,
    missed: AtomicUsize,
    /// Bits of a non-negative number: these order as the numbers do.
    residual: AtomicU64,
}

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
    order: Vec<usize>,
    forward: Rows,
    /// The transpose, made at its first use.
    backward: OnceLock<Rows>,
    coarse: Option<Coarse>,
    options: KrylovOptions,
    counters: Counters,
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
    /// [`DominantLu::new`] for the aggregated matrix.
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

    fn build(
        matrix: &SparseMatrix,
        options: KrylovOptions,
        aggregates: Option<(&[usize], &[f64])>,
    ) -> Result<Self, LinalgError> {
        let n = matrix.square()?;
        matrix.check_finite()?;
        if u32::try_from(n.max(matrix.nnz())).is_err() {
            return Err(LinalgError::Symbolic { n, reason: "more entries than 32-bit indices reach".into() });
        }
        let order = match options.preconditioner {
            Preconditioner::Ilu0 => flow_order(matrix),
            Preconditioner::Identity => (0..n).collect(),
        };
        let a = Compressed::from_rows(&matrix.permuted(&order)?);
        let ilu = match options.preconditioner {
            Preconditioner::Ilu0 => Some(IncompleteLu::new(&a)?),
            Preconditioner::Identity => None,
        };
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
        KrylovStats {
            solves: self.counters.solves.load(Ordering::Relaxed),
            iterations: self.counters.iterations.load(Ordering::Relaxed),
            residual: f64::from_bits(self.counters.residual.load(Ordering::Relaxed)),
            missed: self.counters.missed.load(Ordering::Relaxed),
        }
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

    fn run(&self, b: MatMut<'_, f64>, transpose: bool) -> KrylovReport {
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
        self.counters.solves.fetch_add(columns, Ordering::Relaxed);
        self.counters.iterations.fetch_max(report.iterations, Ordering::Relaxed);
        self.counters.missed.fetch_add(report.missed, Ordering::Relaxed);
        self.counters.residual.fetch_max(report.residual.to_bits(), Ordering::Relaxed);
        report
    }

    fn run_lanes<const W: usize>(&self, piece: MatMut<'_, f64>, system: System<'_>) -> KrylovReport {
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
struct System<'a> {
    rows: &'a Rows,
    coarse: Option<&'a Coarse>,
    transpose: bool,
    options: KrylovOptions,
}

impl System<'_> {
    /// Solves from 0, starting again from the true residual while that helps.
    fn iterate<const W: usize>(&self, b: &[[f64; W]]) -> (Vec<[f64; W]>, KrylovReport) {
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
    fn descend<const W: usize>(
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
    fn apply<const W: usize>(
        &self,
        b: &[[f64; W]],
        z: &mut [[f64; W]],
        v: &mut [[f64; W]],
        s: &[[f64; W]],
    ) -> [[f64; W]; 2] {
        match &self.rows.ilu {
            Some(ilu) => ilu.solve(b, z),
            None => z.copy_from_slice(b),
        }
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
struct Work<const W: usize> {
    r: Vec<[f64; W]>,
    shadow: Vec<[f64; W]>,
    p: Vec<[f64; W]>,
    v: Vec<[f64; W]>,
    t: Vec<[f64; W]>,
    ph: Vec<[f64; W]>,
    sh: Vec<[f64; W]>,
}

impl<const W: usize> Work<W> {
    fn new(n: usize) -> Self {
        let zero = || vec![[0.0; W]; n];
        Self { r: zero(), shadow: zero(), p: zero(), v: zero(), t: zero(), ph: zero(), sh: zero() }
    }
}

/// Dot products of one slab.
fn slab_dots<const W: usize>(a: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
    let mut sums = [[0.0; W]; PARTIAL];
    let (a4, a1) = a.as_chunks::<PARTIAL>();
    let (b4, b1) = b.as_chunks::<PARTIAL>();
    for (a, b) in a4.iter().zip(b4) {
        for s in 0..PARTIAL {
            for w in 0..W {
                sums[s][w] += a[s][w] * b[s][w];
            }
        }
    }
    for (a, b) in a1.iter().zip(b1) {
        for w in 0..W {
            sums[0][w] += a[w] * b[w];
        }
    }
    std::array::from_fn(|w| (sums[0][w] + sums[1][w]) + (sums[2][w] + sums[3][w]))
}

/// Sums over the slabs, in their order.
fn total<const W: usize, const S: usize>(slabs: Vec<[[f64; W]; S]>) -> [[f64; W]; S] {
    let mut total = [[0.0; W]; S];
    for slab in slabs {
        for s in 0..S {
            for w in 0..W {
                total[s][w] += slab[s][w];
            }
        }
    }
    total
}

fn dots<const W: usize>(a: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
    let [sum] = total(a.par_chunks(SLAB).zip(b.par_chunks(SLAB)).map(|(a, b)| [slab_dots(a, b)]).collect());
    sum
}

/// Rows of a sparse matrix with 32-bit indices.
#[derive(Debug)]
struct Compressed<T> {
    ptr: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy + Default + Into<f64>> Compressed<T> {
    fn with_capacity(rows: usize, entries: usize) -> Self {
        let mut ptr = Vec::with_capacity(rows + 1);
        ptr.push(0);
        Self { ptr, columns: Vec::with_capacity(entries), values: Vec::with_capacity(entries) }
    }

    fn push(&mut self, column: u32, value: T) {
        self.columns.push(column);
        self.values.push(value);
    }

    fn end_row(&mut self) {
        self.ptr.push(self.columns.len() as u32);
    }

    fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.ptr[i] as usize..self.ptr[i + 1] as usize
    }

    #[inline(always)]
    fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.range(i);
        self.columns[range.clone()].iter().map(|&c| c as usize).zip(self.values[range].iter().map(|&v| v.into()))
    }

    #[inline(always)]
    fn row_times<const W: usize>(&self, i: usize, x: &[[f64; W]]) -> [f64; W] {
        let mut total = [0.0; W];
        for (j, a) in self.row(i) {
            let xj = &x[j];
            for w in 0..W {
                total[w] += a * xj[w];
            }
        }
        total
    }

    /// The transpose of a square matrix; of blocks of [`SLAB`] rows with their own columns, if `blocks`.
    fn transposed(&self, blocks: bool) -> Self {
        let n = self.ptr.len() - 1;
        let offset = |i: usize| if blocks { i - i % SLAB } else { 0 };
        let mut ptr = vec![0u32; n + 1];
        for i in 0..n {
            for &j in &self.columns[self.range(i)] {
                ptr[offset(i) + j as usize + 1] += 1;
            }
        }
        for i in 0..n {
            ptr[i + 1] += ptr[i];
        }
        let mut slot = ptr.clone();
        let (mut columns, mut values) = (vec![0; self.columns.len()], vec![T::default(); self.values.len()]);
        for i in 0..n {
            for at in self.range(i) {
                let target = &mut slot[offset(i) + self.columns[at] as usize];
                columns[*target as usize] = (i - offset(i)) as u32;
                values[*target as usize] = self.values[at];
                *target += 1;
            }
        }
        Self { ptr, columns, values }
    }
}

impl Compressed<f64> {
    fn from_rows(matrix: &SparseMatrix) -> Self {
        let (ptr, columns, values) = matrix.to_rows();
        let narrow = |v: Vec<usize>| v.into_iter().map(|i| i as u32).collect();
        Self { ptr: narrow(ptr), columns: narrow(columns), values }
    }

    /// Rows `first..` of `A x`.
    fn multiply_slab<const W: usize>(&self, first: usize, x: &[[f64; W]], out: &mut [[f64; W]]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = self.row_times(first + i, x);
                }
            },
        );
    }

    fn multiply<const W: usize>(&self, x: &[[f64; W]], out: &mut [[f64; W]]) {
        out.par_chunks_mut(SLAB).enumerate().for_each(|(slab, out)| self.multiply_slab(slab * SLAB, x, out));
    }

    /// Norm of the rounding errors that a computed residual carries.
    fn rounding<const W: usize>(&self, x: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
        let mut bound: Vec<[f64; W]> = b.iter().map(|row| row.map(f64::abs)).collect();
        for (i, bound) in bound.iter_mut().enumerate() {
            for (j, a) in self.row(i) {
                for w in 0..W {
                    bound[w] += (a * x[j][w]).abs();
                }
            }
        }
        dots(&bound, &bound).map(|s| ROUNDING * f64::EPSILON * s.sqrt())
    }
}

/// One direction of the matrix: its rows, its incomplete LU, and the columns summed over aggregates.
#[derive(Debug)]
struct Rows {
    a: Compressed<f64>,
    ilu: Option<IncompleteLu>,
    /// AP, with the aggregates' weights in the columns of P.
    ap: Option<Compressed<f64>>,
}

impl Rows {
    fn new(a: Compressed<f64>, ilu: Option<IncompleteLu>, coarse: Option<&Coarse>) -> Self {
        let ap = coarse.map(|coarse| coarse.columns(&a));
        Self { a, ilu, ap }
    }

    fn transposed(&self, coarse: Option<&Coarse>) -> Self {
        Self::new(self.a.transposed(false), self.ilu.as_ref().map(IncompleteLu::transposed), coarse)
    }
}

/// A ≈ (I + L) D (I + U) on the pattern of the diagonal blocks of [`SLAB`] rows.
///
/// Single precision is enough for a preconditioner, and halves what a pass reads.
#[derive(Debug)]
struct IncompleteLu {
    /// Columns are counted from the first row of their block.
    lower: Compressed<f32>,
    upper: Compressed<f32>,
    /// D⁻¹.
    pivots: Vec<f64>,
}

impl IncompleteLu {
    fn new(a: &Compressed<f64>) -> Result<Self, LinalgError> {
        let n = a.ptr.len() - 1;
        let mut lu = a.values.clone();
        let (mut place, mut diagonal, mut pivots) = (vec![usize::MAX; n], vec![0; n], vec![0.0; n]);
        let mut lower = Compressed::with_capacity(n, a.columns.len() / 2);
        let mut upper = Compressed::with_capacity(n, a.columns.len() / 2);
        for i in 0..n {
            let (first, end) = (i - i % SLAB, n.min(i - i % SLAB + SLAB));
            let columns = &a.columns[a.range(i)];
            let Ok(at) = columns.binary_search(&(i as u32)) else {
                return Err(LinalgError::Sparse { column: i, reason: "the diagonal entry is not stored" });
            };
            diagonal[i] = a.ptr[i] as usize + at;
            let inside = a.range(i).filter(|&at| (first..end).contains(&(a.columns[at] as usize)));
            for at in inside.clone() {
                place[a.columns[at] as usize] = at;
            }
            // Rows of U are kept divided by their pivot.
            for at in inside.clone().take_while(|&at| at < diagonal[i]) {
                let k = a.columns[at] as usize;
                let share = lu[at];
                for above in diagonal[k] + 1..a.ptr[k + 1] as usize {
                    let target = place[a.columns[above] as usize];
                    if target != usize::MAX {
                        lu[target] -= share * lu[above];
                    }
                }
                lower.push((k - first) as u32, (share * pivots[k]) as f32);
            }
            pivots[i] = 1.0 / lu[diagonal[i]];
            if !pivots[i].is_finite() {
                return Err(LinalgError::Singular { what: "incomplete LU", residual: f64::NAN });
            }
            for at in diagonal[i] + 1..a.ptr[i + 1] as usize {
                lu[at] *= pivots[i];
            }
            for at in inside.clone().skip_while(|&at| at <= diagonal[i]) {
                upper.push((a.columns[at] as usize - first) as u32, lu[at] as f32);
            }
            lower.end_row();
            upper.end_row();
            for at in inside {
                place[a.columns[at] as usize] = usize::MAX;
            }
        }
        Ok(Self { lower, upper, pivots })
    }

    /// (I + Uᵀ) D (I + Lᵀ).
    fn transposed(&self) -> Self {
        let (lower, upper) = (self.upper.transposed(true), self.lower.transposed(true));
        Self { lower, upper, pivots: self.pivots.clone() }
    }

    fn solve<const W: usize>(&self, b: &[[f64; W]], x: &mut [[f64; W]]) {
        x.par_chunks_mut(SLAB).zip(b.par_chunks(SLAB)).enumerate().for_each(|(slab, (x, b))| {
            Arch::new().dispatch(
                #[inline(always)]
                || self.solve_slab(slab * SLAB, b, x),
            );
        });
    }

    #[inline(always)]
    fn solve_slab<const W: usize>(&self, first: usize, b: &[[f64; W]], x: &mut [[f64; W]]) {
        for i in 0..x.len() {
            let known = self.lower.row_times(first + i, x);
            for w in 0..W {
                x[i][w] = b[i][w] - known[w];
            }
        }
        for i in (0..x.len()).rev() {
            let known = self.upper.row_times(first + i, x);
            for w in 0..W {
                x[i][w] = x[i][w] * self.pivots[first + i] - known[w];
            }
        }
    }
}

/// The second level: PᵀAP factored, with one column of P per aggregate, the weights of its rows.
#[derive(Debug)]
struct Coarse {
    /// Aggregate of each row, in flow order.
    labels: Vec<u32>,
    /// Weight of each row, in flow order.
    weights: Vec<f64>,
    lu: DominantLu,
}

impl Coarse {
    fn new(matrix: &SparseMatrix, labels: &[usize], weights: &[f64], order: &[usize]) -> Result<Self, LinalgError> {
        let count = labels.iter().max().map_or(0, |&l| l + 1);
        if count > labels.len() {
            return Err(LinalgError::Shape { what: "aggregates", expected: labels.len(), found: count });
        }
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (j, &label) in labels.iter().enumerate() {
            members[label].push(j);
        }
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        let mut column: Vec<(usize, f64)> = Vec::new();
        for members in members {
            column.clear();
            for j in members {
                column.extend(matrix.column(j).map(|(i, v)| (labels[i], weights[i] * v * weights[j])));
            }
            merge(&mut column);
            rows.extend(column.iter().map(|c| c.0));
            values.extend(column.iter().map(|c| c.1));
            col_ptr.push(rows.len());
        }
        let lu = DominantLu::new(&SparseMatrix::new(count, col_ptr, rows, values)?, crate::Ordering::Amd)?;
        let weights = order.iter().map(|&i| weights[i]).collect();
        Ok(Self { labels: order.iter().map(|&i| labels[i] as u32).collect(), weights, lu })
    }

    /// AP: the weighted entries of each row summed over aggregates of columns.
    fn columns(&self, a: &Compressed<f64>) -> Compressed<f64> {
        let n = self.labels.len();
        let mut out = Compressed::with_capacity(n, 3 * n);
        let mut row: Vec<(usize, f64)> = Vec::new();
        for i in 0..n {
            row.clear();
            row.extend(a.row(i).map(|(j, v)| (self.labels[j] as usize, v * self.weights[j])));
            merge(&mut row);
            row.iter().for_each(|&(j, v)| out.push(j as u32, v));
            out.end_row();
        }
        out
    }

    /// Solves for the sums of the slabs' contributions.
    fn solve<const W: usize>(&self, slabs: &[Vec<[f64; W]>], transpose: bool) -> Vec<[f64; W]> {
        let mut c = Mat::from_fn(self.lu.dim(), W, |i, w| slabs.iter().map(|slab| slab[i][w]).sum());
        if transpose {
            self.lu.apply_inverse_transpose(c.as_mut());
        } else {
            self.lu.apply_inverse(c.as_mut());
        }
        (0..self.lu.dim()).map(|i| std::array::from_fn(|w| c[(i, w)])).collect()
    }
}

/// Sorts entries by index and sums those of equal index.
fn merge(entries: &mut Vec<(usize, f64)>) {
    entries.sort_by_key(|e| e.0);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// An order in which mass flows: reverse postorder of a depth-first search along the
/// edges j → i that carry more than they bring back, |A[i, j]| > |A[j, i]|.
///
/// In this order the upwind part of a generator is as close to lower triangular
/// as its cycles allow; diffusion, which goes both ways alike, does not blur it.
///
/// # Cost
/// O(nnz).
pub fn flow_order(matrix: &SparseMatrix) -> Vec<usize> {
    let n = matrix.ncols();
    let (row_ptr, columns, values) = matrix.to_rows();
    let back = |i: usize, j: usize| {
        let row = row_ptr[j]..row_ptr[j + 1];
        columns[row.clone()].binary_search(&i).map_or(0.0, |at| values[row.start + at])
    };
    let mut seen = vec![false; n];
    let mut order = Vec::with_capacity(n);
    let mut path: Vec<(usize, usize)> = Vec::new();
    for root in 0..n {
        if seen[root] {
            continue;
        }
        seen[root] = true;
        path.push((root, matrix.col_ptr()[root]));
        while let Some((j, at)) = path.last_mut() {
            if *at == matrix.col_ptr()[*j + 1] {
                order.push(*j);
                path.pop();
                continue;
            }
            let (i, value, j) = (matrix.row_idx()[*at], matrix.values()[*at], *j);
            *at += 1;
            if i < n && !seen[i] && value.abs() > back(i, j).abs() {
                seen[i] = true;
                path.push((i, matrix.col_ptr()[i]));
            }
        }
    }
    order.reverse();
    order
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dense::norm;
    use crate::operator::{apply_transpose_vec, apply_vec};

    /// κI − K of an upwind flow that circulates in a box.
    pub(crate) fn rotor(cells: &[usize], kappa: f64) -> SparseMatrix {
        let dim = cells.len();
        let grid = crate::Grid::new(&vec![-1.0; dim], &vec![1.0; dim], cells).unwrap();
        let middle = grid.face_midpoints();
        let mut entries = std::collections::BTreeMap::new();
        for j in 0..grid.len() {
            entries.insert((j, j), kappa);
        }
        for block in grid.face_blocks() {
            block.for_each(|face, left, right| {
                let [x, y, z] = middle[face];
                let v = [-y + 0.3 * z, x - 0.2 * y, 0.4 - x * y - z][block.axis];
                let h = grid.spacing()[block.axis];
                let (from, to) = if v > 0.0 { (left, right) } else { (right, left) };
                for (from, to, rate) in [(from, to, v.abs() / h + 0.01), (to, from, 0.01)] {
                    *entries.entry((from, from)).or_insert(0.0) += rate;
                    *entries.entry((from, to)).or_insert(0.0) -= rate;
                }
            });
        }
        let mut col_ptr = vec![0; grid.len() + 1];
        for &(j, _) in entries.keys() {
            col_ptr[j + 1] += 1;
        }
        for j in 0..grid.len() {
            col_ptr[j + 1] += col_ptr[j];
        }
        let rows = entries.keys().map(|&(_, i)| i).collect();
        SparseMatrix::new(grid.len(), col_ptr, rows, entries.into_values().collect()).unwrap()
    }

    /// ‖b − Ax‖/‖b‖ of a solve.
    pub(crate) fn solve_error(a: &SparseMatrix, factor: &dyn Factorization, transpose: bool) -> f64 {
        let n = a.ncols();
        let b: Vec<f64> = (0..n).map(|i| (0.37 * i as f64).cos()).collect();
        let mut x = b.clone();
        let column = MatMut::from_column_major_slice_mut(&mut x, n, 1);
        if transpose {
            factor.apply_inverse_transpose(column)
        } else {
            factor.apply_inverse(column)
        }
        let ax = if transpose { apply_transpose_vec(a, &x) } else { apply_vec(a, &x) };
        let gap: Vec<f64> = ax.iter().zip(&b).map(|(ax, b)| b - ax).collect();
        norm(&gap) / norm(&b)
    }

    #[test]
    fn forward_and_transposed_solves_reach_the_tolerance() {
        let a = rotor(&[12, 13, 14], 1e-2);
        for preconditioner in [Preconditioner::Ilu0, Preconditioner::Identity] {
            let options = KrylovOptions { preconditioner, ..Default::default() };
            let solver = BiCgStab::new(&a, options).unwrap();
            for transpose in [false, true] {
                let error = solve_error(&a, &solver, transpose);
                assert!(error < 2e-12, "{preconditioner:?} {transpose} {error:e} {:?}", solver.stats());
            }
            assert_eq!(solver.stats().missed, 0);
            assert!(
                preconditioner == Preconditioner::Identity || solver.stats().iterations < 60,
                "{:?}",
                solver.stats()
            );
        }
    }

    #[test]
    fn a_lane_has_the_same_bits_alone_and_in_company() {
        let a = rotor(&[8, 9, 10], 1e-2);
        let n = a.ncols();
        let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
        let b = Mat::from_fn(n, 11, |i, j| if j == 4 { 0.0 } else { ((i * (j + 1)) as f64 * 0.37).sin() });
        for transpose in [false, true] {
            let mut together = b.clone();
            solver.solve(together.as_mut(), transpose).unwrap();
            for j in 0..b.ncols() {
                let mut alone = b.as_ref().subcols(j, 1).to_owned();
                solver.solve(alone.as_mut(), transpose).unwrap();
                assert_eq!(alone, together.as_ref().subcols(j, 1).to_owned());
            }
        }
    }

    #[test]
    fn aggregates_save_iterations_and_threads_change_no_bit() {
        let cells = [34, 36, 38];
        let a = rotor(&cells, 1e-3);
        let n = a.ncols();
        assert!(n > SLAB);
        let labels: Vec<usize> = (0..n)
            .map(|i| (i / (cells[1] * cells[2]) / 4 * 9 + i / cells[2] % cells[1] / 4) * 10 + i % cells[2] / 4)
            .collect();
        let plain = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
        let helped = BiCgStab::with_aggregates(&a, KrylovOptions::default(), &labels).unwrap();
        for transpose in [false, true] {
            assert!(solve_error(&a, &plain, transpose) < 2e-12);
            let solve = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut x = Mat::from_fn(n, 1, |i, _| (0.37 * i as f64).cos());
                pool.install(|| helped.solve(x.as_mut(), transpose)).unwrap();
                x
            };
            assert_eq!(solve(1), solve(3));
            assert!(solve_error(&a, &helped, transpose) < 2e-12);
        }
        let (few, many) = (helped.stats().iterations, plain.stats().iterations);
        assert!(4 * few < 3 * many, "{few} against {many}");
        assert!(BiCgStab::with_aggregates(&a, KrylovOptions::default(), &labels[1..]).is_err());
    }

    #[test]
    fn misses_are_reported_and_recorded() {
        let a = rotor(&[12, 12, 12], 1e-3);
        let options = KrylovOptions { max_iterations: 2, ..Default::default() };
        let solver = BiCgStab::new(&a, options).unwrap();
        let mut b = Mat::from_fn(a.ncols(), 2, |i, j| (i + j) as f64);
        assert!(matches!(solver.solve(b.as_mut(), false), Err(LinalgError::IterationLimit { iterations: 2, .. })));
        assert_eq!(solver.stats().missed, 2);
        assert!(solver.stats().residual > 1e-12);
        let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
        let mut bad = Mat::from_fn(a.ncols(), 2, |i, j| if i == 3 && j == 1 { f64::NAN } else { 1.0 });
        assert!(solver.solve(bad.as_mut(), true).is_err());
        assert!(bad[(0, 1)].is_nan() && bad[(0, 0)].is_finite());
        assert_eq!(solver.stats().missed, 1);
    }

    #[test]
    fn a_chain_is_ordered_downstream() {
        // 2 -> 0 -> 1: lower triangular in flow order, so ILU(0) is exact.
        let a = SparseMatrix::new(3, vec![0, 2, 3, 5], vec![0, 1, 1, 0, 2], vec![2.0, -1.0, 1.0, -3.0, 4.0]).unwrap();
        assert_eq!(flow_order(&a), [2, 0, 1]);
        let solver = BiCgStab::new(&a, KrylovOptions::default()).unwrap();
        assert!(solve_error(&a, &solver, false) < 1e-15);
        assert!(solver.stats().iterations <= 1);
    }

    #[test]
    fn unusable_matrices_are_refused() {
        let no_diagonal = SparseMatrix::new(2, vec![0, 1, 2], vec![1, 0], vec![1.0, 1.0]).unwrap();
        assert!(BiCgStab::new(&no_diagonal, KrylovOptions::default()).is_err());
        let zero_pivot = SparseMatrix::new(1, vec![0, 1], vec![0], vec![0.0]).unwrap();
        assert!(matches!(BiCgStab::new(&zero_pivot, KrylovOptions::default()), Err(LinalgError::Singular { .. })));
        let wide = SparseMatrix::new(1, vec![0, 1, 1], vec![0], vec![1.0]).unwrap();
        assert!(BiCgStab::new(&wide, KrylovOptions::default()).is_err());
    }
}
