use crate::error::LinalgError;

/// Largest number of cells a [`Grid`] accepts; beyond it a single dense
/// parameter column would no longer fit common memory next to a factorisation.
pub const MAX_CELLS: usize = 50_000_000;
/// Widths of cells for which their inverse squares and the volume are still numbers of full precision.
const WIDTHS: std::ops::RangeInclusive<f64> = 1e-100..=1e100;
/// Least width of the cubes of [`Grid::cubes`], and how many there may be.
const CUBE: usize = 4;
const CUBES: usize = 10_000;

/// A uniform cell-centred grid on a box in one, two or three dimensions.
///
/// Axis `i` has `n_i` cells of width `h_i = (upper_i - lower_i) / n_i` with
/// centres `lower_i + (j + 1/2) h_i`. Cell arrays are row-major with the last
/// axis fastest, as NumPy writes them. Only interior faces exist, so nothing
/// flows through the boundary; faces are numbered axis by axis, each block
/// row-major with shape `n - e_axis`.
///
/// # Example
/// ```
/// let grid = wngd_linalg::Grid::new(&[0.0, 0.0], &[1.0, 2.0], &[4, 8])?;
/// assert_eq!(grid.len(), 32);
/// assert_eq!(grid.face_count(), 3 * 8 + 4 * 7);
/// assert_eq!(grid.cell_volume(), 1.0 / 16.0);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    lower: Vec<f64>,
    upper: Vec<f64>,
    cells: Vec<usize>,
    spacing: Vec<f64>,
}

/// The faces normal to one axis: strides that turn loops into plain index arithmetic.
///
/// The face `(outer, i, inner)` lies between the cells
/// `(outer * n + i) * stride + inner` and the same plus `stride`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaceBlock {
    /// Axis that the faces are normal to.
    pub axis: usize,
    /// Number of index combinations of the axes before this one.
    pub outer: usize,
    /// Number of cells along this axis.
    pub cells: usize,
    /// Number of index combinations of the axes after this one; also the
    /// distance between the two cells of a face.
    pub stride: usize,
    /// Number of the first face of this block.
    pub first_face: usize,
}

impl FaceBlock {
    /// Calls `visit(face, left_cell, right_cell)` for every face of the block, in order.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let mut face = self.first_face;
        for outer in 0..self.outer {
            for i in 0..self.cells.saturating_sub(1) {
                let row = (outer * self.cells + i) * self.stride;
                for left in row..row + self.stride {
                    visit(face, left, left + self.stride);
                    face += 1;
                }
            }
        }
    }
}

impl Grid {
    /// Makes a grid from the corners of its box and the number of cells per axis.
    ///
    /// # Errors
    /// [`LinalgError::Grid`] if the three slices differ in length, if there are
    /// not one to three axes, if a bound is not finite or `upper <= lower`, if
    /// an axis has no cell, if there are more than [`MAX_CELLS`] cells, or if cells are
    /// narrower than 1e-100 or wider than 1e100.
    pub fn new(lower: &[f64], upper: &[f64], cells: &[usize]) -> Result<Self, LinalgError> {
        let fail = |reason: String| Err(LinalgError::Grid { reason });
        let dim = cells.len();
        if lower.len() != dim || upper.len() != dim {
            return fail(format!(
                "lower, upper and cells have {}, {} and {} entries; give one per axis in each",
                lower.len(),
                upper.len(),
                dim
            ));
        }
        if !(1..=3).contains(&dim) {
            return fail(format!("{dim} axes; 1, 2 or 3 are supported"));
        }
        let mut total = 1usize;
        for axis in 0..dim {
            let (a, b, n) = (lower[axis], upper[axis], cells[axis]);
            if !(a.is_finite() && b.is_finite() && a < b) {
                return fail(format!("axis {axis} is [{a}, {b}]; lower < upper, both finite, is needed"));
            }
            if n == 0 {
                return fail(format!("axis {axis} has no cell; at least 1 is needed"));
            }
            total = match total.checked_mul(n) {
                Some(t) if t <= MAX_CELLS => t,
                _ => {
                    return fail(format!(
                        "{} cells asked for; the limit is {MAX_CELLS}: use fewer cells per axis",
                        cells.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
                    ));
                }
            };
        }
        let spacing: Vec<f64> = (0..dim).map(|i| (upper[i] - lower[i]) / cells[i] as f64).collect();
        if let Some(axis) = spacing.iter().position(|h| !WIDTHS.contains(h)) {
            let width = spacing[axis];
            return fail(format!(
                "axis {axis} has cell width {width:e}; 1e-100 to 1e100 is possible: change the units"
            ));
        }
        Ok(Self { lower: lower.to_vec(), upper: upper.to_vec(), cells: cells.to_vec(), spacing })
    }

    /// Number of axes (1, 2 or 3).
    pub fn dim(&self) -> usize {
        self.cells.len()
    }

    /// Number of cells k.
    #[allow(clippy::len_without_is_empty)] // a grid always has a cell
    pub fn len(&self) -> usize {
        self.cells.iter().product()
    }

    /// Number of cells along each axis.
    pub fn cells(&self) -> &[usize] {
        &self.cells
    }

    /// Lower corner of the box.
    pub fn lower(&self) -> &[f64] {
        &self.lower
    }

    /// Upper corner of the box.
    pub fn upper(&self) -> &[f64] {
        &self.upper
    }

    /// Cell width along each axis.
    pub fn spacing(&self) -> &[f64] {
        &self.spacing
    }

    /// Cell volume |c| (product of the cell widths).
    pub fn cell_volume(&self) -> f64 {
        self.spacing.iter().product()
    }

    /// Coordinates of the cell centres along one axis.
    ///
    /// # Panics
    /// If there is no such axis.
    pub fn centers(&self, axis: usize) -> Vec<f64> {
        (0..self.cells[axis]).map(|j| self.lower[axis] + (j as f64 + 0.5) * self.spacing[axis]).collect()
    }

    /// Indices of cell `index` along the axes, 0 for axes that there are not.
    pub fn indices(&self, index: usize) -> [usize; 3] {
        let (mut rest, mut at) = (index, [0; 3]);
        for axis in (0..self.dim()).rev() {
            at[axis] = rest % self.cells[axis];
            rest /= self.cells[axis];
        }
        at
    }

    /// Centre of cell `index`, the unused trailing coordinates being 0.
    pub fn center(&self, index: usize) -> [f64; 3] {
        let at = self.indices(index);
        let mut point = [0.0; 3];
        for axis in 0..self.dim() {
            point[axis] = self.lower[axis] + (at[axis] as f64 + 0.5) * self.spacing[axis];
        }
        point
    }

    /// Number of interior faces q.
    pub fn face_count(&self) -> usize {
        self.face_blocks().iter().map(|b| b.outer * (b.cells - 1) * b.stride).sum()
    }

    /// A label per cell: its cube of cells, the smallest cubes of which there are at most 10 000, 4 cells
    /// wide or more. Aggregates for [`BiCgStab::with_aggregates`](crate::BiCgStab::with_aggregates).
    ///
    /// # Shapes
    /// k labels, counted from 0.
    pub fn cubes(&self) -> Vec<usize> {
        let cells = self.cells();
        let count = |width: usize| cells.iter().map(|n| n.div_ceil(width)).product::<usize>();
        let width = (CUBE..).find(|&width| count(width) <= CUBES).unwrap_or(CUBE);
        let label = |cell: usize| {
            let (mut rest, mut label, mut stride) = (cell, 0, 1);
            for n in cells.iter().rev() {
                label += stride * (rest % n / width);
                rest /= n;
                stride *= n.div_ceil(width);
            }
            label
        };
        (0..self.len()).map(label).collect()
    }

    /// The face blocks, one per axis.
    pub fn face_blocks(&self) -> Vec<FaceBlock> {
        let mut first_face = 0;
        (0..self.dim())
            .map(|axis| {
                let outer = self.cells[..axis].iter().product();
                let stride = self.cells[axis + 1..].iter().product();
                let block = FaceBlock { axis, outer, cells: self.cells[axis], stride, first_face };
                first_face += outer * (self.cells[axis] - 1) * stride;
                block
            })
            .collect()
    }

    /// Midpoints of all faces, in face order.
    ///
    /// # Shapes
    /// q points; unused trailing coordinates are 0.
    pub fn face_midpoints(&self) -> Vec<[f64; 3]> {
        let mut points = vec![[0.0; 3]; self.face_count()];
        for block in self.face_blocks() {
            block.for_each(|face, left, _| {
                let mut point = self.center(left);
                point[block.axis] += 0.5 * self.spacing[block.axis];
                points[face] = point;
            });
        }
        points
    }

    /// The cell that holds `point`, or `None` outside the box (upper bounds belong to the last cell).
    pub fn locate(&self, point: &[f64]) -> Option<usize> {
        let mut index = 0;
        for axis in 0..self.dim() {
            let x = *point.get(axis)?;
            if !(x >= self.lower[axis] && x <= self.upper[axis]) {
                return None;
            }
            let j = ((x - self.lower[axis]) / self.spacing[axis]) as usize;
            index = index * self.cells[axis] + j.min(self.cells[axis] - 1);
        }
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faces_join_neighbours_along_their_axis() {
        let grid = Grid::new(&[0.0; 3], &[3.0, 4.0, 5.0], &[3, 4, 5]).unwrap();
        let mut seen = vec![false; grid.face_count()];
        for block in grid.face_blocks() {
            block.for_each(|face, left, right| {
                assert!(!std::mem::replace(&mut seen[face], true));
                let (a, b) = (grid.center(left), grid.center(right));
                for axis in 0..3 {
                    let step = if axis == block.axis { 1.0 } else { 0.0 };
                    assert_eq!(b[axis] - a[axis], step);
                }
            });
        }
        assert!(seen.into_iter().all(|s| s));
    }

    #[test]
    fn impossible_grids_are_refused() {
        for (lower, upper, cells) in [
            (vec![0.0], vec![0.0], vec![3]),
            (vec![0.0], vec![f64::NAN], vec![3]),
            (vec![0.0], vec![1.0], vec![0]),
            (vec![0.0; 4], vec![1.0; 4], vec![2; 4]),
            (vec![0.0; 3], vec![1.0; 3], vec![1000; 3]),
            (vec![0.0; 3], vec![1.0; 3], vec![usize::MAX; 3]),
            (vec![0.0; 2], vec![1.0; 3], vec![2; 3]),
            (vec![0.0, -1e308], vec![1.0, 1e308], vec![2; 2]),
            (vec![0.0, 0.0], vec![1.0, 1e-150], vec![2; 2]),
            (vec![], vec![], vec![]),
        ] {
            assert!(Grid::new(&lower, &upper, &cells).is_err(), "{cells:?}");
        }
    }

    #[test]
    fn centres_are_located_in_their_cells() {
        let grid = Grid::new(&[-1.0, 2.0], &[1.0, 5.0], &[7, 3]).unwrap();
        for index in 0..grid.len() {
            assert_eq!(grid.locate(&grid.center(index)), Some(index));
        }
        assert_eq!(grid.locate(&[1.0, 5.0]), Some(grid.len() - 1));
        assert_eq!(grid.locate(&[1.1, 3.0]), None);
        assert_eq!(grid.locate(&[f64::NAN, 3.0]), None);
    }
}
