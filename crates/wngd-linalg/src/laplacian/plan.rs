//! What a grid alone decides: order, pattern, and which elimination can serve.

use std::sync::{Arc, OnceLock};

use super::analysis::Analysis;
use super::choice;
use super::elimination::Elimination;
use super::places::Places;
use crate::cholesky::SymbolicCholesky;
use crate::elimination::SubtractionFree;
use crate::error::LinalgError;
use crate::grid::Grid;

/// Largest three-dimensional grid that is factored: beyond, Cholesky takes gigabytes and minutes.
pub(super) const DIRECT_CELLS: usize = 48 * 48 * 48;

/// Largest grid of the plane that is factored: the factor of more cells takes more than 16 GiB.
pub(super) const DIRECT_CELLS_PLANE: usize = 10_000_000;

/// The part of the weighted Laplacian's factorisation that depends on the grid alone.
///
/// Grounded and inactive cells keep an identity row, so that one symbolic
/// analysis serves every density on the grid.
#[derive(Debug)]
pub struct LaplacianPlan {
    pub(super) grid: Grid,
    eliminates: bool,
    /// Made when it is first needed.
    analysis: OnceLock<Result<Analysis, LinalgError>>,
    /// Panels of solves without an elimination are in the order of the cells.
    in_order: OnceLock<Arc<Places>>,
}

impl LaplacianPlan {
    /// Orders and analyses the Laplacian of a grid: minimum degree in one and two
    /// dimensions, nested dissection in three up to 48³ cells; as [`iterative`](Self::iterative) beyond, and in the
    /// plane beyond ten million cells. Where few columns are better off without a factor, the analysis
    /// waits until it is needed.
    ///
    /// # Cost
    /// Once per grid; about the time of one numeric factorisation in two dimensions.
    ///
    /// # Errors
    /// [`LinalgError::Symbolic`] if the library that analyses runs out of memory or index range.
    pub fn new(grid: &Grid) -> Result<Self, LinalgError> {
        let (n, plane) = (grid.len(), choice::is_plane(grid));
        if (plane && n > DIRECT_CELLS_PLANE) || (grid.dim() == 3 && n > DIRECT_CELLS) {
            return Ok(Self::iterative(grid));
        }
        let plan = Self { eliminates: true, ..Self::iterative(grid) };
        if !choice::multigrid_pays(grid, 1) {
            plan.analysis()?;
        }
        Ok(plan)
    }

    /// Whether its grids are factored where that pays.
    pub(super) fn eliminates(&self) -> bool {
        self.eliminates
    }

    /// What elimination needs, `None` where there is none.
    pub(super) fn analysis(&self) -> Result<Option<&Analysis>, LinalgError> {
        if !self.eliminates {
            return Ok(None);
        }
        // Made outside of the lock: it works in parallel, and a thread that waits for its parts may take up work that
        // needs the same analysis.
        let known = match self.analysis.get() {
            Some(known) => known,
            None => {
                let made = Analysis::new(&self.grid);
                self.analysis.get_or_init(|| made)
            }
        };
        known.as_ref().map(Some).map_err(Clone::clone)
    }

    /// The order of the cells.
    pub(super) fn in_order(&self) -> Arc<Places> {
        let make = || {
            let order: Vec<usize> = (0..self.grid.len()).collect();
            Arc::new(Places { position: order.clone(), order })
        };
        self.in_order.get_or_init(make).clone()
    }

    /// A plan without elimination: Krylov solves at any size.
    pub fn iterative(grid: &Grid) -> Self {
        Self { grid: grid.clone(), eliminates: false, analysis: OnceLock::new(), in_order: OnceLock::new() }
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
        let position = symbolic.position();
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
