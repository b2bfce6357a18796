//! Rows that are eliminated for themselves, with the border that they touch.

use std::borrow::Cow;
use std::ops::Range;

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::LltError::NonPositivePivot;
use faer::sparse::linalg::cholesky::{
    SymbolicCholesky as FaerSymbolic, SymbolicCholeskyRaw, supernodal::SymbolicSupernodalCholesky,
};
use faer::sparse::{SparseColMatRef, SymbolicSparseColMatRef};
use faer::{Mat, Par, Side};

use super::panel::Supernode;
use crate::error::LinalgError;

/// One part of the rows: its analysis has them first, then the border, whose own columns are not kept.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) inner: FaerSymbolic<usize>,
    /// Its first row in elimination order, and how many are its own.
    pub(super) first: usize,
    pub(super) rows: usize,
    /// Columns and rows of its pattern and the places of its entries in that of the whole; `None` where it is the whole.
    pattern: Option<(Vec<usize>, Vec<usize>, Vec<usize>)>,
    nodes: Vec<Node>,
    /// Rows below the triangles, numbered from the part's first, and in the border from its first.
    below: Vec<usize>,
}

/// Where a supernode and its values are.
#[derive(Debug)]
struct Node {
    first: usize,
    width: usize,
    /// Rows stored per column.
    stride: usize,
    values: Range<usize>,
    /// Of `below`: rows of the part, then of the border.
    own: Range<usize>,
    border: Range<usize>,
}

/// Factor values of a part and what it leaves of the border's square.
pub(super) struct Factored {
    pub(super) values: Vec<f64>,
    /// Lower triangle R with R Rᵀ = A_bb − (what the part's elimination takes off it).
    pub(super) left: Mat<f64>,
}

impl Part {
    pub(super) fn new(
        inner: FaerSymbolic<usize>,
        first: usize,
        rows: usize,
        pattern: Option<(Vec<usize>, Vec<usize>, Vec<usize>)>,
    ) -> Result<Self, String> {
        let (mut nodes, mut below) = (Vec::new(), Vec::new());
        let symbolic = supernodal(&inner);
        for s in 0..symbolic.n_supernodes() {
            let (begin, end) = (symbolic.supernode_begin()[s], symbolic.supernode_end()[s]);
            if begin >= rows {
                break;
            }
            let listed = symbolic.supernode(s).pattern();
            if !listed.is_sorted() {
                return Err("the rows of a supernode are not in order".into());
            }
            let start = below.len();
            // Columns of the border may have joined the last of the part's own.
            let (joined, own) = (rows.min(end)..end, listed.partition_point(|&row| row < rows));
            below.extend(listed[..own].iter());
            below.extend(joined.clone().chain(listed[own..].iter().copied()).map(|row| row - rows));
            nodes.push(Node {
                first: begin,
                width: end.min(rows) - begin,
                stride: end - begin + listed.len(),
                values: symbolic.col_ptr_for_val()[s]..symbolic.col_ptr_for_val()[s + 1],
                own: start..start + own,
                border: start + own..below.len(),
            });
        }
        Ok(Self { inner, first, rows, pattern, nodes, below })
    }

    pub(super) fn factor_len(&self) -> usize {
        self.nodes.last().map_or(0, |node| node.values.end)
    }

    pub(super) fn nodes<'a>(&'a self, values: &'a [f64]) -> impl DoubleEndedIterator<Item = Supernode<'a>> {
        (0..self.nodes.len()).map(move |s| self.node(values, s))
    }

    pub(super) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    #[inline]
    pub(super) fn node<'a>(&'a self, values: &'a [f64], s: usize) -> Supernode<'a> {
        let node = &self.nodes[s];
        Supernode {
            first: node.first,
            width: node.width,
            stride: node.stride,
            own: &self.below[node.own.clone()],
            border: &self.below[node.border.clone()],
            entries: &values[node.values.clone()],
        }
    }

    /// Rows of the border.
    pub(super) fn border(&self) -> usize {
        self.inner.nrows() - self.rows
    }

    /// Ranges of columns with the rows below them, both in elimination order; the border begins at `border`.
    pub(super) fn column_blocks(&self, border: usize) -> impl Iterator<Item = (Range<usize>, Vec<usize>)> + '_ {
        self.nodes.iter().map(move |node| {
            let first = self.first + node.first;
            let own = self.below[node.own.clone()].iter().map(|row| self.first + row);
            let rows = own.chain(self.below[node.border.clone()].iter().map(|row| border + row));
            (first..first + node.width, rows.collect())
        })
    }

    /// Factors the part from the values of the whole pattern.
    ///
    /// # Errors
    /// [`LinalgError::NotPositiveDefinite`] with the part's own number of the pivot; no memory.
    pub(super) fn factor(&self, whole: (&[usize], &[usize]), lower: &[f64]) -> Result<Factored, LinalgError> {
        let n = self.inner.nrows();
        let (col_ptr, row_idx, entries) = match &self.pattern {
            None => (whole.0, whole.1, Cow::Borrowed(lower)),
            Some((col_ptr, row_idx, places)) => {
                (&col_ptr[..], &row_idx[..], Cow::Owned(places.iter().map(|&place| lower[place]).collect()))
            }
        };
        let mut values = vec![0.0; self.inner.len_val()];
        let scratch = self.inner.factorize_numeric_llt_scratch::<f64>(Par::Seq, Default::default());
        let mut buffer = MemBuffer::try_new(scratch)
            .map_err(|_| LinalgError::Symbolic { n, reason: "out of memory for the factor's workspace".into() })?;
        let matrix =
            SparseColMatRef::new(SymbolicSparseColMatRef::new_checked(n, n, col_ptr, None, row_idx), &entries[..]);
        self.inner
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
        let left = self.left(&values);
        values.truncate(self.factor_len());
        Ok(Factored { values, left })
    }

    /// The border's triangle of the part's factor.
    fn left(&self, values: &[f64]) -> Mat<f64> {
        let symbolic = supernodal(&self.inner);
        let border = self.border();
        let mut left = Mat::zeros(border, border);
        for s in (0..symbolic.n_supernodes()).rev() {
            let (begin, end) = (symbolic.supernode_begin()[s], symbolic.supernode_end()[s]);
            if end <= self.rows {
                break;
            }
            let listed = symbolic.supernode(s).pattern();
            let entries = &values[symbolic.col_ptr_for_val()[s]..symbolic.col_ptr_for_val()[s + 1]];
            let stride = end - begin + listed.len();
            for column in begin.max(self.rows)..end {
                let stored = &entries[(column - begin) * stride..][..stride];
                let rows = (begin..end).chain(listed.iter().copied());
                for (row, &value) in rows.zip(stored).filter(|(row, _)| *row >= column) {
                    left[(row - self.rows, column - self.rows)] = value;
                }
            }
        }
        left
    }
}

pub(super) fn supernodal(symbolic: &FaerSymbolic<usize>) -> &SymbolicSupernodalCholesky<usize> {
    match symbolic.raw() {
        SymbolicCholeskyRaw::Supernodal(symbolic) => symbolic,
        SymbolicCholeskyRaw::Simplicial(_) => unreachable!("supernodal storage is forced in the analysis"),
    }
}
