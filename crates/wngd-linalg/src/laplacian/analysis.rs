//! The pattern of a grid's Laplacian, ordered and analysed for elimination.

use std::sync::Arc;

use super::places::Places;
use crate::cholesky::{Ordering, SymbolicCholesky};
use crate::error::LinalgError;
use crate::grid::Grid;
use crate::ordering::{bisection, nested_dissection};

/// Fewer cells are eliminated as a whole: two halves would not repay the plane between them.
const PARTED: usize = 4096;

/// What an elimination needs to know of a grid.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) symbolic: Arc<SymbolicCholesky>,
    pub(super) places: Arc<Places>,
    /// Position in the pattern of the entry of each face, and of each diagonal.
    pub(super) face_entry: Vec<usize>,
    pub(super) diagonal_entry: Vec<usize>,
}

impl Analysis {
    /// Minimum degree in one and two dimensions, nested dissection in three.
    pub(super) fn new(grid: &Grid) -> Result<Self, LinalgError> {
        let n = grid.len();
        // Lower triangle by columns: the diagonal, then the right neighbour along each
        // axis, last axis first, so that rows increase.
        let mut blocks = grid.face_blocks();
        blocks.retain(|b| b.cells > 1);
        blocks.sort_by_key(|b| b.stride);
        let mut has_right = vec![[false; 3]; n];
        for (slot, block) in blocks.iter().enumerate() {
            block.for_each(|_, left, _| has_right[left][slot] = true);
        }
        let (mut col_ptr, mut row_idx) = (Vec::with_capacity(n + 1), Vec::with_capacity(4 * n));
        let mut diagonal_entry = Vec::with_capacity(n);
        let mut entry_of = vec![[usize::MAX; 3]; n];
        for cell in 0..n {
            col_ptr.push(row_idx.len());
            diagonal_entry.push(row_idx.len());
            row_idx.push(cell);
            for (slot, block) in blocks.iter().enumerate() {
                if has_right[cell][slot] {
                    entry_of[cell][slot] = row_idx.len();
                    row_idx.push(cell + block.stride);
                }
            }
        }
        col_ptr.push(row_idx.len());
        let mut face_entry = vec![0; grid.face_count()];
        for (slot, block) in blocks.iter().enumerate() {
            block.for_each(|face, left, _| face_entry[face] = entry_of[left][slot]);
        }
        let halves = if grid.dim() > 1 && n >= PARTED { bisection(grid.cells()) } else { None };
        let ordering = match halves {
            Some((parts, border)) => Ordering::Parted { parts, border },
            None if grid.dim() == 3 => Ordering::Custom(nested_dissection(grid.cells())),
            None => Ordering::Amd,
        };
        let symbolic = Arc::new(SymbolicCholesky::new(n, col_ptr, row_idx, ordering)?);
        let places = Places { order: symbolic.order().to_vec(), position: symbolic.position().to_vec() };
        Ok(Self { symbolic, places: Arc::new(places), face_entry, diagonal_entry })
    }
}
