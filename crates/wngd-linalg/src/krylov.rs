//! Preconditioned BiCGSTAB for sparse matrices and their transposes, several right-hand sides in lanes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use faer::MatMut;
use pulp::Arch;
use rayon::prelude::*;

use crate::dense::column_pieces;
use crate::error::LinalgError;
use crate::operator::{Factorization, LinearOp};
use crate::sparse::SparseMatrix;

/// Right-hand sides that share one pass over the matrix.
const LANES: usize = 4;
/// Partial sums of a dot product; fixed, so that lanes give the same bits alone and together.
const PARTIAL: usize = 4;
/// Rows per tile, a multiple of [`PARTIAL`].
const TILE: usize = 64;
/// Times the iteration starts again from the true residual.
const RESTARTS: usize = 6;
/// Rounding errors of a residual, in units of ε (|A||x| + |b|).
const ROUNDING: f64 = 8.0;

/// Preconditioner of a [`BiCgStab`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Preconditioner {
    /// Incomplete LU without fill in [`flow_order`], for advection-dominated generators.
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
/// sides in one pass over the matrix; 40 to 70 iterations on upwind generators
/// from 32³ to 100³ cells. Memory: A twice, again for Aᵀ once it is used, and 9 vectors per right-hand side.
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
        let n = matrix.square()?;
        matrix.check_finite()?;
        if u32::try_from(n).is_err() {
            return Err(LinalgError::Symbolic { n, reason: "more rows than 32-bit indices reach".into() });
        }
        let (order, forward);
        match options.preconditioner {
            Preconditioner::Ilu0 => {
                order = flow_order(matrix);
                forward = Rows::new(&matrix.permuted(&order)?)?.with_incomplete_lu()?;
            }
            Preconditioner::Identity => {
                order = (0..n).collect();
                forward = Rows::new(matrix)?;
            }
        }
        Ok(Self { order, forward, backward: OnceLock::new(), options, counters: Counters::default() })
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
        let rows = if transpose { self.backward.get_or_init(|| self.forward.transposed()) } else { &self.forward };
        let report = column_pieces(b, LANES)
            .into_par_iter()
            .map(|piece| match piece.ncols() {
                0 => KrylovReport::default(),
                1 => self.run_lanes::<1>(piece, rows),
                2 => self.run_lanes::<2>(piece, rows),
                _ => self.run_lanes::<LANES>(piece, rows),
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

    fn run_lanes<const W: usize>(&self, piece: MatMut<'_, f64>, rows: &Rows) -> KrylovReport {
        let mut piece = piece;
        let mut b = vec![[0.0; W]; self.order.len()];
        for j in 0..piece.ncols() {
            for (row, &old) in b.iter_mut().zip(&self.order) {
                row[j] = piece[(old, j)];
            }
        }
        let (x, report) = Arch::new().dispatch(
            #[inline(always)]
            || self.iterate(rows, &b),
        );
        for j in 0..piece.ncols() {
            for (row, &old) in x.iter().zip(&self.order) {
                piece[(old, j)] = row[j];
            }
        }
        report
    }

    /// Solves from 0, starting again from the true residual while that helps.
    #[inline(always)]
    fn iterate<const W: usize>(&self, rows: &Rows, b: &[[f64; W]]) -> (Vec<[f64; W]>, KrylovReport) {
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
            self.descend(rows, &mut work, &mut x, target, active, &mut spent);
            rows.multiply(&x, &mut work.v);
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
        let rounding = if short { rows.rounding(&x, b) } else { [0.0; W] };
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
    #[inline(always)]
    fn descend<const W: usize>(
        &self,
        matrix: &Rows,
        work: &mut Work<W>,
        x: &mut [[f64; W]],
        target: [f64; W],
        active: [bool; W],
        spent: &mut [usize; W],
    ) {
        let n = x.len();
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
            for i in 0..n {
                for w in 0..W {
                    p[i][w] = r[i][w] + beta[w] * (p[i][w] - omega[w] * v[i][w]);
                }
            }
            matrix.precondition(p, ph);
            matrix.multiply(ph, v);
            let along = dots(shadow, v);
            for w in 0..W {
                alpha[w] = rho[w] / along[w];
                if !active[w] || !alpha[w].is_finite() {
                    (active[w], alpha[w]) = (false, 0.0);
                }
            }
            for i in 0..n {
                for w in 0..W {
                    r[i][w] -= alpha[w] * v[i][w];
                }
            }
            matrix.precondition(r, sh);
            matrix.multiply(sh, t);
            let (mut ts, mut tt) = (Dots::default(), Dots::default());
            for rows in tiles(n) {
                ts.add(&t[rows.clone()], &r[rows.clone()]);
                tt.add(&t[rows.clone()], &t[rows]);
            }
            let (ts, tt) = (ts.total(), tt.total());
            for w in 0..W {
                omega[w] = ts[w] / tt[w];
                if !active[w] || !omega[w].is_finite() {
                    (active[w], omega[w]) = (false, 0.0);
                }
            }
            let (mut along, mut length) = (Dots::default(), Dots::default());
            for rows in tiles(n) {
                for i in rows.clone() {
                    for w in 0..W {
                        x[i][w] += alpha[w] * ph[i][w] + omega[w] * sh[i][w];
                        r[i][w] -= omega[w] * t[i][w];
                    }
                }
                along.add(&shadow[rows.clone()], &r[rows.clone()]);
                length.add(&r[rows.clone()], &r[rows]);
            }
            (next, square) = (along.total(), length.total());
        }
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

/// Dot products lane by lane, summed in one order however the rows are cut into tiles.
struct Dots<const W: usize>([[f64; W]; PARTIAL]);

impl<const W: usize> Default for Dots<W> {
    fn default() -> Self {
        Self([[0.0; W]; PARTIAL])
    }
}

impl<const W: usize> Dots<W> {
    /// Adds the products of some rows; all but the last call with a multiple of [`PARTIAL`] rows.
    #[inline(always)]
    fn add(&mut self, a: &[[f64; W]], b: &[[f64; W]]) {
        let (a4, a1) = a.as_chunks::<PARTIAL>();
        let (b4, b1) = b.as_chunks::<PARTIAL>();
        for (a, b) in a4.iter().zip(b4) {
            for s in 0..PARTIAL {
                for w in 0..W {
                    self.0[s][w] += a[s][w] * b[s][w];
                }
            }
        }
        for (a, b) in a1.iter().zip(b1) {
            for w in 0..W {
                self.0[0][w] += a[w] * b[w];
            }
        }
    }

    #[inline(always)]
    fn total(&self) -> [f64; W] {
        let mut total = [0.0; W];
        for w in 0..W {
            total[w] = (self.0[0][w] + self.0[1][w]) + (self.0[2][w] + self.0[3][w]);
        }
        total
    }
}

#[inline(always)]
fn dots<const W: usize>(a: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
    let mut sums = Dots::default();
    sums.add(a, b);
    sums.total()
}

/// Ranges of rows that stay in the first cache while several loops pass over them.
#[inline(always)]
fn tiles(n: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..n).step_by(TILE).map(move |first| first..n.min(first + TILE))
}

/// A square matrix in compressed rows with 32-bit columns, and its incomplete LU on the same pattern.
#[derive(Debug)]
struct Rows {
    row_ptr: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// Place of each diagonal entry.
    diagonal: Vec<usize>,
    /// Unit L below, U above, inverse pivots on the diagonal; empty without preconditioner.
    lu: Vec<f64>,
}

impl Rows {
    fn new(matrix: &SparseMatrix) -> Result<Self, LinalgError> {
        let (row_ptr, columns, values) = matrix.to_rows();
        let mut diagonal = Vec::with_capacity(matrix.nrows());
        for i in 0..matrix.nrows() {
            match columns[row_ptr[i]..row_ptr[i + 1]].binary_search(&i) {
                Ok(at) => diagonal.push(row_ptr[i] + at),
                Err(_) => return Err(LinalgError::Sparse { column: i, reason: "the diagonal entry is not stored" }),
            }
        }
        let columns = columns.iter().map(|&c| c as u32).collect();
        Ok(Self { row_ptr, columns, values, diagonal, lu: Vec::new() })
    }

    /// The transpose, its incomplete factors being those of this matrix: (LU)ᵀ = (UᵀD⁻¹)(DLᵀ) with the pivots D.
    fn transposed(&self) -> Self {
        let n = self.diagonal.len();
        let mut row_ptr = vec![0; n + 1];
        for &j in &self.columns {
            row_ptr[j as usize + 1] += 1;
        }
        for i in 0..n {
            row_ptr[i + 1] += row_ptr[i];
        }
        let mut slot = row_ptr.clone();
        let (mut columns, mut values) = (vec![0; self.columns.len()], vec![0.0; self.columns.len()]);
        let (mut lu, mut diagonal) = (vec![0.0; self.lu.len()], vec![0; n]);
        for i in 0..n {
            for at in self.row_ptr[i]..self.row_ptr[i + 1] {
                let j = self.columns[at] as usize;
                let target = slot[j];
                slot[j] += 1;
                columns[target] = i as u32;
                values[target] = self.values[at];
                if i == j {
                    diagonal[i] = target;
                }
                if let Some(entry) = self.lu.get(at) {
                    let inverse = self.lu[self.diagonal[i.min(j)]];
                    lu[target] = match i.cmp(&j) {
                        std::cmp::Ordering::Less => entry * inverse,
                        std::cmp::Ordering::Equal => *entry,
                        std::cmp::Ordering::Greater => entry / inverse,
                    };
                }
            }
        }
        Self { row_ptr, columns, values, diagonal, lu }
    }

    /// The matrix with its incomplete LU on the pattern.
    fn with_incomplete_lu(mut self) -> Result<Self, LinalgError> {
        let mut lu = self.values.clone();
        let mut place = vec![usize::MAX; self.diagonal.len()];
        for i in 0..self.diagonal.len() {
            let row = self.row_ptr[i]..self.row_ptr[i + 1];
            for at in row.clone() {
                place[self.columns[at] as usize] = at;
            }
            for at in row.start..self.diagonal[i] {
                let k = self.columns[at] as usize;
                lu[at] *= lu[self.diagonal[k]];
                let share = lu[at];
                for above in self.diagonal[k] + 1..self.row_ptr[k + 1] {
                    let target = place[self.columns[above] as usize];
                    if target != usize::MAX {
                        lu[target] -= share * lu[above];
                    }
                }
            }
            let pivot = 1.0 / lu[self.diagonal[i]];
            if !pivot.is_finite() {
                return Err(LinalgError::Singular { what: "incomplete LU", residual: f64::NAN });
            }
            lu[self.diagonal[i]] = pivot;
            for at in row {
                place[self.columns[at] as usize] = usize::MAX;
            }
        }
        self.lu = lu;
        Ok(self)
    }

    #[inline(always)]
    fn row<'a>(&'a self, values: &'a [f64], from: usize, to: usize) -> impl Iterator<Item = (usize, f64)> + 'a {
        self.columns[from..to].iter().map(|&c| c as usize).zip(values[from..to].iter().copied())
    }

    /// `out = A x`.
    #[inline(always)]
    fn multiply<const W: usize>(&self, x: &[[f64; W]], out: &mut [[f64; W]]) {
        for i in 0..x.len() {
            let mut total = [0.0; W];
            for (j, a) in self.row(&self.values, self.row_ptr[i], self.row_ptr[i + 1]) {
                let xj = &x[j];
                for w in 0..W {
                    total[w] += a * xj[w];
                }
            }
            out[i] = total;
        }
    }

    /// `x = U⁻¹ L⁻¹ b`, or `x = b` without preconditioner.
    #[inline(always)]
    fn precondition<const W: usize>(&self, b: &[[f64; W]], x: &mut [[f64; W]]) {
        let (n, lu) = (x.len(), &self.lu[..]);
        if lu.is_empty() {
            x.copy_from_slice(b);
            return;
        }
        for i in 0..n {
            let mut total = b[i];
            for (j, l) in self.row(lu, self.row_ptr[i], self.diagonal[i]) {
                let xj = &x[j];
                for w in 0..W {
                    total[w] -= l * xj[w];
                }
            }
            x[i] = total;
        }
        for i in (0..n).rev() {
            let mut total = x[i];
            for (j, u) in self.row(lu, self.diagonal[i] + 1, self.row_ptr[i + 1]) {
                let xj = &x[j];
                for w in 0..W {
                    total[w] -= u * xj[w];
                }
            }
            let pivot = lu[self.diagonal[i]];
            x[i] = total.map(|v| v * pivot);
        }
    }

    /// Norm of the rounding errors that a computed residual carries.
    fn rounding<const W: usize>(&self, x: &[[f64; W]], b: &[[f64; W]]) -> [f64; W] {
        let mut bound: Vec<[f64; W]> = b.iter().map(|row| row.map(f64::abs)).collect();
        for i in 0..x.len() {
            for (j, a) in self.row(&self.values, self.row_ptr[i], self.row_ptr[i + 1]) {
                for w in 0..W {
                    bound[i][w] += (a * x[j][w]).abs();
                }
            }
        }
        dots(&bound, &bound).map(|s| ROUNDING * f64::EPSILON * s.sqrt())
    }
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
    use faer::Mat;

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
