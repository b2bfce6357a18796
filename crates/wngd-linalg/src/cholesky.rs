//! Sparse Cholesky with a reusable symbolic part and blocked triangular solves.

use std::sync::Arc;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltError::NonPositivePivot;
use faer::perm::Perm;
use faer::sparse::linalg::SupernodalThreshold;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholesky as FaerSymbolic, SymbolicCholeskyRaw, SymmetricOrdering,
    factorize_symbolic_cholesky, supernodal::SymbolicSupernodalCholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Par, Side};
use pulp::{Arch, Simd, WithSimd};

use crate::error::LinalgError;

/// Right-hand sides per panel of a blocked triangular solve. A panel is
/// row-major, so that one row of it is one register block.
pub(crate) const PANEL: usize = 16;

/// Fill-reducing ordering of a symmetric sparse matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordering {
    /// Approximate minimum degree.
    Amd,
    /// A given elimination order: entry i is the original index of the i-th pivot.
    Custom(Vec<usize>),
}

/// Symbolic analysis of a sparse symmetric pattern, shared by all factorisations with it.
///
/// The pattern is the lower triangle in compressed columns, rows increasing.
#[derive(Debug)]
pub struct SymbolicCholesky {
    inner: FaerSymbolic<usize>,
    col_ptr: Vec<usize>,
    row_idx: Vec<usize>,
    /// order[i] = original index of pivot i.
    order: Vec<usize>,
    /// position[original index] = pivot.
    position: Vec<usize>,
}

impl SymbolicCholesky {
    /// Orders and analyses a pattern.
    ///
    /// # Errors
    /// [`LinalgError::Symbolic`] if the sparse library runs out of memory or index range.
    pub fn new(n: usize, col_ptr: Vec<usize>, row_idx: Vec<usize>, ordering: Ordering) -> Result<Self, LinalgError> {
        let fail = |reason: String| LinalgError::Symbolic { n, reason };
        if Some(col_ptr.len()) != n.checked_add(1) || col_ptr[0] != 0 || col_ptr[n] != row_idx.len() {
            return Err(fail("the column pointers do not match the row indices".into()));
        }
        if n == 0 {
            return Err(fail("a matrix without rows has no factor".into()));
        }
        for j in 0..n {
            let rows = row_idx.get(col_ptr[j]..col_ptr[j + 1]).filter(|rows| {
                rows.iter().all(|row| (j..n).contains(row)) && rows.windows(2).all(|pair| pair[0] < pair[1])
            });
            if rows.is_none() {
                return Err(fail(format!("the rows of column {j} do not increase from its diagonal")));
            }
        }
        let pattern = SymbolicSparseColMatRef::new_checked(n, n, &col_ptr, None, &row_idx);
        let params = CholeskySymbolicParams {
            // One code path for our own panel solves; simplicial storage gains little at these
            // sizes. Negative, because faer compares strictly and a diagonal matrix has ratio 0.
            supernodal_flop_ratio_threshold: SupernodalThreshold(-1.0),
            ..Default::default()
        };
        let inner = match ordering {
            Ordering::Amd => factorize_symbolic_cholesky(pattern, Side::Lower, SymmetricOrdering::Amd, params),
            Ordering::Custom(order) => {
                let mut inverse = vec![usize::MAX; n];
                for (pivot, &original) in order.iter().enumerate() {
                    match inverse.get_mut(original) {
                        Some(slot) if *slot == usize::MAX => *slot = pivot,
                        _ => return Err(fail("the custom ordering is not a permutation".into())),
                    }
                }
                if order.len() != n {
                    return Err(fail("the custom ordering is not a permutation".into()));
                }
                let perm = Perm::new_checked(order.into_boxed_slice(), inverse.into_boxed_slice(), n);
                factorize_symbolic_cholesky(pattern, Side::Lower, SymmetricOrdering::Custom(perm.as_ref()), params)
            }
        }
        .map_err(|e| fail(format!("{e:?}")))?;
        let (order, position) = match inner.perm() {
            Some(perm) => {
                let (forward, inverse) = perm.arrays();
                (forward.to_vec(), inverse.to_vec())
            }
            None => ((0..n).collect(), (0..n).collect()),
        };
        Ok(Self { inner, col_ptr, row_idx, order, position })
    }

    /// Dimension n.
    pub fn dim(&self) -> usize {
        self.order.len()
    }

    /// Elimination order: entry i is the original index of pivot i.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// Inverse of [`order`](Self::order).
    pub fn position(&self) -> &[usize] {
        &self.position
    }

    /// Number of stored entries of the factor, padding included.
    pub fn factor_len(&self) -> usize {
        self.inner.len_val()
    }

    pub(crate) fn pattern(&self) -> (&[usize], &[usize]) {
        (&self.col_ptr, &self.row_idx)
    }

    pub(crate) fn supernodes(&self) -> &SymbolicSupernodalCholesky<usize> {
        match self.inner.raw() {
            SymbolicCholeskyRaw::Supernodal(symbolic) => symbolic,
            SymbolicCholeskyRaw::Simplicial(_) => unreachable!("supernodal storage is forced in the analysis"),
        }
    }
}

/// A sparse Cholesky factorisation `P A Pᵀ = L Lᵀ`.
#[derive(Debug)]
pub struct Cholesky {
    symbolic: Arc<SymbolicCholesky>,
    values: Vec<f64>,
}

impl Cholesky {
    /// Factors a matrix given by the values of its lower triangle, in pattern order.
    ///
    /// # Errors
    /// [`LinalgError::NotPositiveDefinite`] with the pivot at which it broke down
    /// (NaN entries break down as well).
    pub fn new(symbolic: Arc<SymbolicCholesky>, lower: &[f64]) -> Result<Self, LinalgError> {
        let n = symbolic.dim();
        if lower.len() != symbolic.row_idx.len() {
            return Err(LinalgError::Shape {
                what: "matrix values",
                expected: symbolic.row_idx.len(),
                found: lower.len(),
            });
        }
        let mut values = vec![0.0; symbolic.inner.len_val()];
        let scratch = symbolic.inner.factorize_numeric_llt_scratch::<f64>(Par::Seq, Default::default());
        let mut buffer = MemBuffer::try_new(scratch)
            .map_err(|_| LinalgError::Symbolic { n, reason: "out of memory for the factor's workspace".into() })?;
        let matrix = SparseColMatRef::new(
            SymbolicSparseColMatRef::new_checked(n, n, &symbolic.col_ptr, None, &symbolic.row_idx),
            lower,
        );
        symbolic
            .inner
            .factorize_numeric_llt::<f64>(
                &mut values,
                matrix,
                Side::Lower,
                Default::default(),
                Par::Seq,
                MemStack::new(&mut buffer),
                Default::default(),
            )
            .map_err(|NonPositivePivot { index }| LinalgError::NotPositiveDefinite { index })?;
        Ok(Self { symbolic, values })
    }

    /// The symbolic part.
    pub fn symbolic(&self) -> &Arc<SymbolicCholesky> {
        &self.symbolic
    }

    fn nodes(&self) -> impl DoubleEndedIterator<Item = Supernode<'_>> {
        let symbolic = self.symbolic.supernodes();
        (0..symbolic.n_supernodes()).map(move |s| Supernode::new(symbolic, &self.values, s))
    }

    /// `x <- L⁻¹ x` for a row-major panel in elimination order.
    pub(crate) fn forward_panel<const W: usize>(&self, x: &mut [f64]) {
        Arch::new().dispatch(Forward::<W>(self, x));
    }

    /// `x <- L⁻ᵀ x` for a row-major panel in elimination order.
    pub(crate) fn backward_panel<const W: usize>(&self, x: &mut [f64]) {
        Arch::new().dispatch(Backward::<W>(self, x));
    }

    /// `Lᵀ x` for one vector in elimination order.
    pub(crate) fn multiply_transpose(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for node in self.nodes() {
            for j in 0..node.width {
                let mut total = 0.0;
                for i in j..node.width {
                    total += node.at(i, j) * x[node.first + i];
                }
                for (r, &row) in node.pattern.iter().enumerate() {
                    total += node.at(node.width + r, j) * x[row];
                }
                out[node.first + j] = total;
            }
        }
        out
    }
}

// Types rather than closures: a closure's call is not always inlined into the
// function compiled for the machine's vectors, and then every fma is a library call.
struct Forward<'a, const W: usize>(&'a Cholesky, &'a mut [f64]);
struct Backward<'a, const W: usize>(&'a Cholesky, &'a mut [f64]);

impl<const W: usize> WithSimd for Forward<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        // As many rows at a time as there are registers for their sums; the order within a row is the same.
        for node in self.0.nodes() {
            if S::REGISTER_COUNT >= 32 { forward::<W, 4>(node, self.1) } else { forward::<W, 2>(node, self.1) }
        }
    }
}

impl<const W: usize> WithSimd for Backward<'_, W> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for node in self.0.nodes().rev() {
            backward::<W>(node, self.1);
        }
    }
}

/// Consecutive columns of L with one common pattern below their triangle.
#[derive(Clone, Copy)]
struct Supernode<'a> {
    first: usize,
    width: usize,
    /// Rows below the triangle.
    pattern: &'a [usize],
    /// Column-major entries, triangle and pattern rows, (width + pattern) x width.
    entries: &'a [f64],
}

impl<'a> Supernode<'a> {
    #[inline(always)]
    fn new(symbolic: &'a SymbolicSupernodalCholesky<usize>, values: &'a [f64], s: usize) -> Self {
        let first = symbolic.supernode_begin()[s];
        let value_ptr = symbolic.col_ptr_for_val();
        Self {
            first,
            width: symbolic.supernode_end()[s] - first,
            pattern: symbolic.supernode(s).pattern(),
            entries: &values[value_ptr[s]..value_ptr[s + 1]],
        }
    }

    #[inline(always)]
    fn at(&self, i: usize, j: usize) -> f64 {
        self.entries[j * (self.width + self.pattern.len()) + i]
    }
}

#[inline(always)]
fn row<const W: usize>(x: &[f64], i: usize) -> &[f64; W] {
    match x[i * W..].first_chunk::<W>() {
        Some(row) => row,
        None => unreachable!("panel rows are W long"),
    }
}

#[inline(always)]
fn forward<const W: usize, const ROWS: usize>(node: Supernode<'_>, x: &mut [f64]) {
    let (first, width, pattern) = (node.first, node.width, node.pattern);
    for i in 0..width {
        let mut acc = *row::<W>(x, first + i);
        for j in 0..i {
            let l = node.at(i, j);
            let xj = row::<W>(x, first + j);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xj[w], acc[w]);
            }
        }
        let inverse = 1.0 / node.at(i, i);
        for w in 0..W {
            x[(first + i) * W + w] = acc[w] * inverse;
        }
    }
    let (solved, below) = x.split_at_mut((first + width) * W);
    let solved = &solved[first * W..];
    let offset = first + width;
    let mut r = 0;
    // Several rows at a time: each solved row is loaded once for all.
    while r + ROWS <= pattern.len() {
        let targets: [usize; ROWS] = std::array::from_fn(|t| pattern[r + t] - offset);
        let mut sums: [[f64; W]; ROWS] = std::array::from_fn(|t| *row::<W>(below, targets[t]));
        for j in 0..width {
            let xj = row::<W>(solved, j);
            for t in 0..ROWS {
                let l = node.at(width + r + t, j);
                for w in 0..W {
                    sums[t][w] = f64::mul_add(-l, xj[w], sums[t][w]);
                }
            }
        }
        for (target, sum) in targets.iter().zip(&sums) {
            below[target * W..][..W].copy_from_slice(sum);
        }
        r += ROWS;
    }
    for r in r..pattern.len() {
        let ia = pattern[r] - offset;
        let mut a = *row::<W>(below, ia);
        for j in 0..width {
            let l = node.at(width + r, j);
            let xj = row::<W>(solved, j);
            for w in 0..W {
                a[w] = f64::mul_add(-l, xj[w], a[w]);
            }
        }
        below[ia * W..][..W].copy_from_slice(&a);
    }
}

#[inline(always)]
fn backward<const W: usize>(node: Supernode<'_>, x: &mut [f64]) {
    for j in (0..node.width).rev() {
        let mut acc = *row::<W>(x, node.first + j);
        for (r, &target) in node.pattern.iter().enumerate() {
            let l = node.at(node.width + r, j);
            let xr = row::<W>(x, target);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xr[w], acc[w]);
            }
        }
        for i in j + 1..node.width {
            let l = node.at(i, j);
            let xi = row::<W>(x, node.first + i);
            for w in 0..W {
                acc[w] = f64::mul_add(-l, xi[w], acc[w]);
            }
        }
        let inverse = 1.0 / node.at(j, j);
        for w in 0..W {
            x[(node.first + j) * W + w] = acc[w] * inverse;
        }
    }
}
