//! What a grid alone decides: order, pattern, and which elimination can serve.

use std::sync::Arc;

use super::elimination::Elimination;
use crate::cholesky::{Ordering, SymbolicCholesky};
use crate::elimination::SubtractionFree;
use crate::error::LinalgError;
use crate::grid::Grid;
use crate::ordering::nested_dissection;

/// Largest three-dimensional grid that is factored: beyond, Cholesky takes gigabytes and minutes.
pub(super) const DIRECT_CELLS: usize = 48 * 48 * 48;

/// Largest two-dimensional grid that is factored: the factor of more cells takes more than 16 GiB.
pub(super) const DIRECT_CELLS_PLANE: usize = 10_000_000;

/// The part of the weighted Laplacian's factorisation that depends on the grid alone.
///
/// Grounded and inactive cells keep an identity row, so that one symbolic
/// analysis serves every density on the grid.
#[derive(Debug)]
pub struct LaplacianPlan {
    pub(super) grid: Grid,
    pub(super) analysis: Option<Analysis>,
    /// order[i]: cell at place i of a solve's panels, and its inverse.
    pub(super) order: Vec<usize>,
    pub(super) position: Vec<usize>,
}

/// What an elimination needs to know of a grid.
#[derive(Debug)]
pub(super) struct Analysis {
    pub(super) symbolic: Arc<SymbolicCholesky>,
    /// Position in the pattern of the entry of each face, and of each diagonal.
    pub(super) face_entry: Vec<usize>,
    pub(super) diagonal_entry: Vec<usize>,
}

impl LaplacianPlan {
    /// Orders and analyses the Laplacian of a grid: minimum degree in one and two
    /// dimensions, nested dissection in three up to 48³ cells; as [`iterative`](Self::iterative) beyond.
    ///
    /// # Cost
    /// Once per grid; about the time of one numeric factorisation in two dimensions.
    ///
    /// # Errors
    /// [`LinalgError::Symbolic`] if the factor would not fit in memory: above ten million cells in two dimensions.
    pub fn new(grid: &Grid) -> Result<Self, LinalgError> {
        let n = grid.len();
        // A thin strip fills in like a line.
        if grid.dim() == 2 && n > DIRECT_CELLS_PLANE && grid.cells().iter().all(|n| *n > 64) {
            return Err(LinalgError::Symbolic { n, reason: "its factor takes more than 16 GiB".into() });
        }
        if grid.dim() == 3 && n > DIRECT_CELLS {
            return Ok(Self::iterative(grid));
        }
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
        let ordering = if grid.dim() == 3 { Ordering::Custom(nested_dissection(grid.cells())) } else { Ordering::Amd };
        let symbolic = Arc::new(SymbolicCholesky::new(n, col_ptr, row_idx, ordering)?);
        let (order, position) = (symbolic.order().to_vec(), symbolic.position().to_vec());
        let analysis = Some(Analysis { symbolic, face_entry, diagonal_entry });
        Ok(Self { grid: grid.clone(), analysis, order, position })
    }

    /// A plan without elimination: Krylov solves at any size.
    pub fn iterative(grid: &Grid) -> Self {
        let order: Vec<usize> = (0..grid.len()).collect();
        Self { grid: grid.clone(), analysis: None, position: order.clone(), order }
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    pub(super) fn conductances(&self, faces: &[f64]) -> Vec<f64> {
        let mut conductance = vec![0.0; faces.len()];
        for block in self.grid.face_blocks() {
            let h2 = self.grid.spacing()[block.axis].powi(2);
            block.for_each(|face, _, _| conductance[face] = faces[face] / h2);
        }
        conductance
    }

    pub(super) fn for_each_face(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for block in self.grid.face_blocks() {
            block.for_each(&mut visit);
        }
    }

    pub(super) fn eliminate_without_subtraction(
        &self,
        symbolic: &SymbolicCholesky,
        conductance: &[f64],
        kept: &[bool],
    ) -> Elimination {
        let position = &self.position;
        let mut edges = Vec::with_capacity(conductance.len());
        let mut ground = vec![0.0; kept.len()];
        self.for_each_face(|face, left, right| {
            let weight = conductance[face];
            match (kept[left], kept[right]) {
                _ if weight <= 0.0 => {}
                (true, true) => edges.push((position[left], position[right], weight)),
                (true, false) => ground[position[left]] += weight,
                (false, true) => ground[position[right]] += weight,
                (false, false) => {}
            }
        });
        Elimination::SubtractionFree(SubtractionFree::new(symbolic, &edges, ground))
    }
}
