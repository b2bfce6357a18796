//! Finite volumes: the generator of the Markov chain that hops between neighbouring cells.

use rayon::prelude::*;
use wngd_adjoint::{LinearOp, ModelError};
use wngd_linalg::faer::{MatMut, MatRef};
use wngd_linalg::{FaceBlock, Grid, SparseMatrix};

use crate::flow::field::{VelocityField, not_finite};
use crate::flow::parameters::Parameters;

/// Faces handled by one task; fixed, so that results do not depend on the number of threads.
const CHUNK: usize = 8192;

/// How a face turns its velocity and diffusion into hopping rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scheme {
    /// a = max(v, 0)/h + D/h², b = max(−v, 0)/h + D/h².
    Upwind,
    /// a = (D/h²) B(−vh/D), b = (D/h²) B(vh/D) with Bernoulli's function B.
    ScharfetterGummel,
}

/// Rates across a face, left to right (a) and right to left (b), with their derivatives by the velocity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rates {
    pub(crate) a: f64,
    pub(crate) b: f64,
    pub(crate) da: f64,
    pub(crate) db: f64,
}

impl Scheme {
    /// Rates for normal velocity v, cell width h and diffusion D.
    ///
    /// A resting face (v = 0) belongs to the right-to-left branch of the upwind scheme.
    pub(crate) fn rates(self, v: f64, h: f64, diffusion: f64) -> Rates {
        let hop = diffusion / (h * h);
        match self {
            Scheme::Upwind if v > 0.0 => Rates { a: v / h + hop, b: hop, da: 1.0 / h, db: 0.0 },
            Scheme::Upwind => Rates { a: hop, b: -v / h + hop, da: 0.0, db: -1.0 / h },
            Scheme::ScharfetterGummel => {
                let x = v * h / diffusion;
                let ((down, down_slope), (up, up_slope)) = (bernoulli(-x), bernoulli(x));
                Rates { a: hop * down, b: hop * up, da: -down_slope / h, db: up_slope / h }
            }
        }
    }
}

/// B(x) = x/(eˣ − 1) and its derivative.
fn bernoulli(x: f64) -> (f64, f64) {
    if x < 0.0 {
        // B(−x) = B(x) + x keeps the derivative free of cancellation on this side.
        let (value, slope) = bernoulli(-x);
        return (value - x, -1.0 - slope);
    }
    if x < 1e-2 {
        let x2 = x * x;
        let value = 1.0 - x / 2.0 + x2 / 12.0 * (1.0 - x2 / 60.0 * (1.0 - x2 / 42.0));
        return (value, -0.5 + x / 6.0 * (1.0 - x2 / 30.0 * (1.0 - x2 / 28.0)));
    }
    let e = x.exp_m1();
    (x / e, (1.0 - x - x / e) / e)
}

/// The upwind or Scharfetter–Gummel discretisation on a grid.
#[derive(Clone, Copy)]
pub(crate) struct FiniteVolume<'a> {
    pub(crate) field: &'a dyn VelocityField,
    pub(crate) grid: &'a Grid,
    pub(crate) scheme: Scheme,
    pub(crate) diffusion: f64,
}

/// One face of the grid.
struct Face {
    axis: usize,
    left: usize,
    right: usize,
    middle: [f64; 3],
}

fn face(grid: &Grid, blocks: &[FaceBlock], index: usize) -> Face {
    let block = blocks.iter().rev().find(|b| b.cells > 1 && index >= b.first_face).unwrap_or(&blocks[0]);
    let local = index - block.first_face;
    let row = local / block.stride;
    let (outer, i) = (row / (block.cells - 1), row % (block.cells - 1));
    let left = (outer * block.cells + i) * block.stride + local % block.stride;
    let mut middle = grid.center(left);
    middle[block.axis] = grid.lower()[block.axis] + (i + 1) as f64 * grid.spacing()[block.axis];
    Face { axis: block.axis, left, right: left + block.stride, middle }
}

impl FiniteVolume<'_> {
    /// Rates of all faces at θ.
    fn rates(&self, theta: &[f64]) -> Result<Vec<Rates>, ModelError> {
        let (d, blocks) = (self.grid.dim(), self.grid.face_blocks());
        let rates: Vec<Rates> = (0..self.grid.face_count())
            .into_par_iter()
            .with_min_len(CHUNK)
            .map(|index| {
                let face = face(self.grid, &blocks, index);
                let mut v = [0.0; 3];
                self.field.velocity(&face.middle[..d], theta, &mut v[..d]);
                self.scheme.rates(v[face.axis], self.grid.spacing()[face.axis], self.diffusion)
            })
            .collect();
        match rates.iter().find(|r| !(r.a + r.b).is_finite()) {
            None => Ok(rates),
            Some(r) => Err(not_finite(self.field, theta, r.a + r.b, "the velocity must be finite on all of the grid")),
        }
    }

    /// A = κI − K, of which each column sums to κ; rates of 0 are not stored.
    pub(crate) fn generator(&self, theta: &[f64], restart: f64) -> Result<SparseMatrix, ModelError> {
        let rates = self.rates(theta)?;
        let (n, blocks) = (self.grid.len(), self.grid.face_blocks());
        let (mut col_ptr, mut row_idx) = (Vec::with_capacity(n + 1), Vec::with_capacity(7 * n));
        let mut values = Vec::with_capacity(7 * n);
        col_ptr.push(0);
        for cell in 0..n {
            // Axis 0 has the largest stride: lower neighbours in axis order have increasing rows.
            let (mut before, mut after) = ([(0, 0.0); 3], [(0, 0.0); 3]);
            for block in &blocks {
                let (i, inner) = (cell / block.stride % block.cells, cell % block.stride);
                let outer = cell / (block.stride * block.cells);
                let upper = block.first_face + (outer * (block.cells - 1) + i) * block.stride + inner;
                if i > 0 {
                    before[block.axis] = (cell - block.stride, rates[upper - block.stride].b);
                }
                if i + 1 < block.cells {
                    after[block.axis] = (cell + block.stride, rates[upper].a);
                }
            }
            let mut leaving = 0.0;
            let mut push = |(row, rate): (usize, f64)| {
                if rate > 0.0 {
                    row_idx.push(row);
                    values.push(-rate);
                    leaving += rate;
                }
            };
            before.into_iter().for_each(&mut push);
            let diagonal = row_idx.len();
            row_idx.push(cell);
            values.push(restart);
            let mut push = |(row, rate): (usize, f64)| {
                if rate > 0.0 {
                    row_idx.push(row);
                    values.push(-rate);
                    leaving += rate;
                }
            };
            after.into_iter().rev().for_each(&mut push);
            values[diagonal] += leaving;
            col_ptr.push(row_idx.len());
        }
        Ok(SparseMatrix::new(n, col_ptr, row_idx, values)?)
    }

    /// E = ∂_θ(Aρ) = −∂_θ(Kρ) at fixed ρ, exact off the velocity kinks of the upwind scheme.
    ///
    /// Where the velocity does not depend on a parameter the stencil has no entry at all.
    pub(crate) fn sensitivity(
        &self,
        rho: &[f64],
        theta: &[f64],
        parameters: &Parameters,
    ) -> Result<FaceSensitivity, ModelError> {
        let rates = self.rates(theta)?;
        let (blocks, faces) = (self.grid.face_blocks(), self.grid.face_count());
        let pieces: Vec<FaceSensitivity> = (0..faces.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let mut piece = FaceSensitivity::new(self.grid.len(), parameters.free.len());
                for index in chunk * CHUNK..faces.min((chunk + 1) * CHUNK) {
                    let face = face(self.grid, &blocks, index);
                    let share = rates[index].da * rho[face.left] - rates[index].db * rho[face.right];
                    let middle = &face.middle[..self.grid.dim()];
                    self.field.visit_parameters(middle, theta, face.axis, &mut |j, slope| {
                        if let Some(free) = parameters.place[j] {
                            piece.parameter.push(free as u32);
                            piece.flux.push(share * slope);
                        }
                    });
                    piece.close(face.left, face.right);
                }
                piece
            })
            .collect();
        let mut all = FaceSensitivity::new(self.grid.len(), parameters.free.len());
        for piece in pieces {
            all.append(piece);
        }
        match all.flux.iter().find(|v| !v.is_finite()) {
            None => Ok(all),
            Some(&v) => Err(not_finite(self.field, theta, v, "the velocity must be differentiable on all of the grid")),
        }
    }
}

/// ∂_θ(Aρ) of a finite-volume chain, kept as the flux through each face per parameter.
///
/// # Shapes
/// k x p; faces without any dependence take no room.
#[derive(Debug, Clone)]
pub struct FaceSensitivity {
    cells: usize,
    parameters: usize,
    /// Cells of each kept face, and the end of its entries.
    left: Vec<u32>,
    right: Vec<u32>,
    end: Vec<usize>,
    parameter: Vec<u32>,
    flux: Vec<f64>,
}

impl FaceSensitivity {
    fn new(cells: usize, parameters: usize) -> Self {
        let (left, right, end, parameter, flux) = Default::default();
        Self { cells, parameters, left, right, end, parameter, flux }
    }

    /// Ends the entries of a face.
    fn close(&mut self, left: usize, right: usize) {
        if self.flux.len() > self.end.last().copied().unwrap_or(0) {
            // A grid has at most 5e7 cells: 32 bits suffice.
            self.left.push(left as u32);
            self.right.push(right as u32);
            self.end.push(self.flux.len());
        }
    }

    fn append(&mut self, other: Self) {
        let before = self.flux.len();
        self.left.extend(other.left);
        self.right.extend(other.right);
        self.end.extend(other.end.into_iter().map(|e| e + before));
        self.parameter.extend(other.parameter);
        self.flux.extend(other.flux);
    }

    /// Calls `visit(left, right, entries)` for each kept face.
    #[inline]
    fn for_each(&self, mut visit: impl FnMut(usize, usize, std::ops::Range<usize>)) {
        let mut begin = 0;
        for ((&left, &right), &end) in self.left.iter().zip(&self.right).zip(&self.end) {
            visit(left as usize, right as usize, begin..end);
            begin = end;
        }
    }
}

impl LinearOp for FaceSensitivity {
    fn nrows(&self) -> usize {
        self.cells
    }
    fn ncols(&self) -> usize {
        self.parameters
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        out.col_iter_mut().collect::<Vec<_>>().into_par_iter().enumerate().for_each(|(c, mut out)| {
            out.fill(0.0);
            self.for_each(|left, right, entries| {
                let flux: f64 = entries.map(|e| self.flux[e] * x[(self.parameter[e] as usize, c)]).sum();
                out[left] += flux;
                out[right] -= flux;
            });
        });
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        out.col_iter_mut().collect::<Vec<_>>().into_par_iter().enumerate().for_each(|(c, mut out)| {
            out.fill(0.0);
            self.for_each(|left, right, entries| {
                let drop = y[(left, c)] - y[(right, c)];
                for e in entries {
                    out[self.parameter[e] as usize] += self.flux[e] * drop;
                }
            });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bernoulli_is_smooth_and_symmetric() {
        for x in [0.0, 1e-9, 1e-4, 0.00999, 0.01, 0.3, 5.0, 60.0, 800.0] {
            let ((up, up_slope), (down, down_slope)) = (bernoulli(x), bernoulli(-x));
            assert!((down - up - x).abs() <= 1e-15 * (1.0 + x), "{x}");
            assert!((up_slope + down_slope + 1.0).abs() < 1e-15, "{x}");
            let h = 1e-5;
            let slope = (bernoulli(x + h).0 - bernoulli(x - h).0) / (2.0 * h);
            assert!((slope - up_slope).abs() < 1e-9, "{x}: {slope} {up_slope}");
        }
        let (below, above) = (bernoulli(0.01 - 1e-12), bernoulli(0.01));
        assert!((below.0 - above.0).abs() < 1e-12 && (below.1 - above.1).abs() < 1e-12);
    }

    #[test]
    fn faces_are_those_of_the_grid() {
        for cells in [vec![3, 4, 5], vec![1, 4, 2], vec![6, 1], vec![7]] {
            let d = cells.len();
            let grid = Grid::new(&vec![-1.0; d], &vec![1.0; d], &cells).unwrap();
            let (blocks, middle) = (grid.face_blocks(), grid.face_midpoints());
            for block in &blocks {
                block.for_each(|index, left, right| {
                    let face = face(&grid, &blocks, index);
                    assert_eq!((face.axis, face.left, face.right), (block.axis, left, right));
                    assert!(face.middle.iter().zip(middle[index]).all(|(a, b)| (a - b).abs() < 1e-14));
                });
            }
        }
    }

    #[test]
    fn a_resting_face_is_on_the_right_to_left_branch() {
        let rates = Scheme::Upwind.rates(0.0, 0.5, 1.0);
        assert_eq!(rates, Rates { a: 4.0, b: 4.0, da: 0.0, db: -2.0 });
        let smooth = Scheme::ScharfetterGummel.rates(0.0, 0.5, 1.0);
        assert_eq!(smooth, Rates { a: 4.0, b: 4.0, da: 1.0, db: -1.0 });
    }
}
