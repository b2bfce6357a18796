//! All levels of one Laplacian, and the cycle through them.

use super::coarsest::Coarsest;
use super::galerkin::coarsen;
use super::interpolation::Interpolation;
use super::level::Level;
use crate::grid::Grid;

/// Cells of a level that is not coarsened any more.
const COARSEST: usize = 256;

/// The levels of the weighted Laplacian of a density in the plane.
#[derive(Debug)]
pub(crate) struct Multigrid {
    pub(super) levels: Vec<Level>,
    interpolations: Vec<Interpolation>,
    coarsest: Coarsest,
}

/// Right-hand side, solution and residual of each level.
pub(super) struct Workspace<const W: usize> {
    /// Depth of the first.
    depth: usize,
    vectors: Vec<[Vec<[f64; W]>; 3]>,
}

impl Multigrid {
    /// From the conductances of the faces of a grid of two axes; `None` where a valley parts the coarsest level.
    ///
    /// # Cost
    /// About that of two iterations.
    pub(crate) fn new(grid: &Grid, conductance: &[f64]) -> Option<Self> {
        let &[rows, columns] = grid.cells() else { return None };
        let (width, spacing) = (columns + 2, [grid.spacing()[1], grid.spacing()[0]]);
        let mut edges = [vec![0.0; width * (rows + 2)], vec![0.0; width * (rows + 2)]];
        for block in grid.face_blocks() {
            let edges = &mut edges[1 - block.axis];
            block.for_each(|face, left, _| {
                edges[(left / columns + 1) * width + left % columns + 1] = conductance[face];
            });
        }
        let [east, north] = edges;
        let mut levels = vec![Level::new([columns, rows], spacing, east, north, None)];
        let mut interpolations = Vec::new();
        while let Some(level) = levels.last()
            && level.columns * level.rows > COARSEST
        {
            let interpolation = Interpolation::new(level);
            let coarse = coarsen(level, &interpolation);
            interpolations.push(interpolation);
            levels.push(coarse);
        }
        let coarsest = Coarsest::new(levels.last()?)?;
        Some(Self { levels, interpolations, coarsest })
    }

    /// For cycles that start at a level of some depth.
    pub(super) fn workspace<const W: usize>(&self, depth: usize) -> Workspace<W> {
        let of = |level: &Level| std::array::from_fn(|_| vec![[0.0; W]; level.len()]);
        Workspace { depth, vectors: self.levels[depth..].iter().map(of).collect() }
    }

    /// z ← M⁻¹ r: one symmetric V-cycle with a sweep before and one after.
    pub(super) fn cycle<const W: usize>(&self, z: &mut [[f64; W]], r: &[[f64; W]], work: &mut Workspace<W>) {
        if let Some((finest, coarser)) = work.vectors.split_first_mut() {
            self.descend(work.depth, z, r, &mut finest[2], coarser);
        }
    }

    /// Pᵀ of a vector, down to a level of some depth.
    pub(super) fn restricted<const W: usize>(&self, fine: Vec<[f64; W]>, depth: usize) -> Vec<[f64; W]> {
        self.interpolations.iter().zip(&self.levels).take(depth).fold(fine, |fine, (interpolation, level)| {
            let mut coarse = vec![[0.0; W]; (interpolation.coarse[0] + 2) * (interpolation.coarse[1] + 2)];
            interpolation.restrict(level, &fine, &mut coarse);
            coarse
        })
    }

    fn descend<const W: usize>(
        &self,
        depth: usize,
        x: &mut [[f64; W]],
        b: &[[f64; W]],
        residual: &mut [[f64; W]],
        coarser: &mut [[Vec<[f64; W]>; 3]],
    ) {
        let level = &self.levels[depth];
        let Some((next, rest)) = coarser.split_first_mut() else {
            return self.coarsest.solve(x, b);
        };
        x.fill([0.0; W]);
        level.smooth(x, b, false);
        level.residual(residual, b, x);
        let interpolation = &self.interpolations[depth];
        let [right, left, spare] = next;
        interpolation.restrict(level, residual, right);
        self.descend(depth + 1, left, right, spare, rest);
        interpolation.prolong(level, left, x);
        level.smooth(x, b, true);
    }
}
