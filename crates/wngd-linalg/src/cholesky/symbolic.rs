//! Order and fill of a sparse symmetric matrix.

use faer::Side;
use faer::perm::Perm;
use faer::sparse::SymbolicSparseColMatRef;
use faer::sparse::linalg::SupernodalThreshold;
use faer::sparse::linalg::cholesky::{
    CholeskySymbolicParams, SymbolicCholesky as FaerSymbolic, SymmetricOrdering, factorize_symbolic_cholesky,
    supernodal::SymbolicSupernodalCholesky,
};
use rayon::prelude::*;

use super::part::{Part, supernodal};
use crate::error::LinalgError;

/// Fill-reducing ordering of a symmetric sparse matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordering {
    /// Approximate minimum degree.
    Amd,
    /// A given elimination order: entry i is the original index of the i-th pivot.
    Custom(Vec<usize>),
    /// Sets of rows that share no entry, each in its elimination order, and the border that they touch, which is
    /// eliminated last: the sets are factored side by side.
    Parted {
        /// The sets.
        parts: Vec<Vec<usize>>,
        /// All other rows.
        border: Vec<usize>,
    },
}

/// Symbolic analysis of a sparse symmetric pattern, shared by all factorisations with it.
///
/// The pattern is the lower triangle in compressed columns, rows increasing.
#[derive(Debug)]
pub struct SymbolicCholesky {
    pub(super) parts: Vec<Part>,
    /// Entries between two rows of the border, as rows and columns of it and their places in the pattern.
    pub(super) border_entries: Vec<(usize, usize, usize)>,
    border: usize,
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
    /// [`LinalgError::Symbolic`] if the sparse library runs out of memory or index range, for an order that is none and
    /// for parts that share an entry.
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
        let custom = match ordering {
            Ordering::Parted { parts, border } => return Self::parted(n, col_ptr, row_idx, &parts, &border),
            Ordering::Amd => None,
            Ordering::Custom(order) => {
                let inverse = inverse(n, &order).map_err(fail)?;
                Some(Perm::new_checked(order.into_boxed_slice(), inverse.into_boxed_slice(), n))
            }
        };
        let order = custom.as_ref().map_or(SymmetricOrdering::Amd, |perm| SymmetricOrdering::Custom(perm.as_ref()));
        let inner = analysed(n, &col_ptr, &row_idx, order).map_err(fail)?;
        let (order, position) = match inner.perm() {
            Some(perm) => {
                let (forward, inverse) = perm.arrays();
                (forward.to_vec(), inverse.to_vec())
            }
            None => ((0..n).collect(), (0..n).collect()),
        };
        let whole = Part::new(inner, 0, n, None).map_err(fail)?;
        Ok(Self { parts: vec![whole], border_entries: Vec::new(), border: 0, col_ptr, row_idx, order, position })
    }

    fn parted(
        n: usize,
        col_ptr: Vec<usize>,
        row_idx: Vec<usize>,
        parts: &[Vec<usize>],
        border: &[usize],
    ) -> Result<Self, LinalgError> {
        let fail = |reason: String| LinalgError::Symbolic { n, reason };
        // A set without rows has nothing to eliminate.
        let parts: Vec<&Vec<usize>> = parts.iter().filter(|part| !part.is_empty()).collect();
        let order: Vec<usize> = parts.iter().copied().flatten().chain(border).copied().collect();
        let position = inverse(n, &order).map_err(fail)?;
        let begins: Vec<usize> = parts
            .iter()
            .scan(0, |first, part| {
                *first += part.len();
                Some(*first - part.len())
            })
            .collect();
        let start = n - border.len();
        // Entries of each part with itself and with the border, numbered within both.
        let mut local: Vec<Vec<(usize, usize, usize)>> = vec![Vec::new(); parts.len()];
        let mut border_entries = Vec::new();
        for j in 0..n {
            for (entry, &i) in row_idx.iter().enumerate().take(col_ptr[j + 1]).skip(col_ptr[j]) {
                let (low, high) = (position[i].min(position[j]), position[i].max(position[j]));
                if low >= start {
                    border_entries.push((high - start, low - start, entry));
                    continue;
                }
                let part = begins.partition_point(|&begin| begin <= low) - 1;
                let row = match high.checked_sub(start) {
                    Some(row) => parts[part].len() + row,
                    None if high < begins[part] + parts[part].len() => high - begins[part],
                    None => return Err(fail(format!("rows {i} and {j} are of two parts and share an entry"))),
                };
                local[part].push((low - begins[part], row, entry));
            }
        }
        let parts = parts
            .par_iter()
            .zip(local)
            .zip(&begins)
            .map(|((&part, mut entries), &first)| {
                let rows = part.len();
                let shared = border_entries.iter().map(|&(i, j, entry)| (rows + j, rows + i, entry));
                entries.extend(shared);
                entries.sort_unstable();
                let size = rows + border.len();
                let mut col_ptr = vec![0; size + 1];
                entries.iter().for_each(|&(column, ..)| col_ptr[column + 1] += 1);
                (0..size).for_each(|j| col_ptr[j + 1] += col_ptr[j]);
                let row_idx: Vec<usize> = entries.iter().map(|&(_, row, _)| row).collect();
                let places = entries.into_iter().map(|(.., entry)| entry).collect();
                let identity = Perm::new_checked((0..size).collect(), (0..size).collect(), size);
                let inner = analysed(size, &col_ptr, &row_idx, SymmetricOrdering::Custom(identity.as_ref()))?;
                Part::new(inner, first, rows, Some((col_ptr, row_idx, places)))
            })
            .collect::<Result<_, String>>()
            .map_err(fail)?;
        Ok(Self { parts, border_entries, border: border.len(), col_ptr, row_idx, order, position })
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
        self.parts.iter().map(Part::factor_len).sum::<usize>() + self.border * self.border
    }

    /// Rows of the border.
    pub(super) fn border(&self) -> usize {
        self.border
    }

    pub(crate) fn pattern(&self) -> (&[usize], &[usize]) {
        (&self.col_ptr, &self.row_idx)
    }

    /// The columns of L by blocks of one pattern, in elimination order: their range, and the rows below it.
    pub(crate) fn column_blocks(&self) -> impl Iterator<Item = (std::ops::Range<usize>, Vec<usize>)> + '_ {
        let start = self.dim() - self.border;
        let parts = self.parts.iter().flat_map(move |part| part.column_blocks(start));
        parts.chain((self.border > 0).then(|| (start..self.dim(), Vec::new())))
    }

    /// # Errors
    /// [`LinalgError::Symbolic`] for an order in parts.
    pub(crate) fn supernodes(&self) -> Result<&SymbolicSupernodalCholesky<usize>, LinalgError> {
        match &self.parts[..] {
            [whole] if self.border == 0 => Ok(supernodal(&whole.inner)),
            _ => Err(LinalgError::Symbolic { n: self.dim(), reason: "an order in parts has no common fronts".into() }),
        }
    }
}

fn inverse(n: usize, order: &[usize]) -> Result<Vec<usize>, String> {
    let mut inverse = vec![usize::MAX; n];
    for (pivot, &original) in order.iter().enumerate() {
        match inverse.get_mut(original) {
            Some(slot) if *slot == usize::MAX => *slot = pivot,
            _ => return Err("the custom ordering is not a permutation".into()),
        }
    }
    if order.len() == n { Ok(inverse) } else { Err("the custom ordering is not a permutation".into()) }
}

fn analysed(
    n: usize,
    col_ptr: &[usize],
    row_idx: &[usize],
    order: SymmetricOrdering<'_, usize>,
) -> Result<FaerSymbolic<usize>, String> {
    let pattern = SymbolicSparseColMatRef::new_checked(n, n, col_ptr, None, row_idx);
    let params = CholeskySymbolicParams {
        // One code path for our own panel solves; simplicial storage gains little at these
        // sizes. Negative, because faer compares strictly and a diagonal matrix has ratio 0.
        supernodal_flop_ratio_threshold: SupernodalThreshold(-1.0),
        ..Default::default()
    };
    factorize_symbolic_cholesky(pattern, Side::Lower, order, params).map_err(|e| format!("{e:?}"))
}
