use std::sync::Arc;

use faer::{Mat, MatMut};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::cholesky::{Cholesky, Ordering, PANEL, SymbolicCholesky};
use crate::dense::{column_pieces, contiguous_columns, sum};
use crate::divergence::{ACTIVE_DENSITY, Divergence, check_density};
use crate::elimination::SubtractionFree;
use crate::error::{LinalgError, check_vector};
use crate::grid::Grid;
use crate::krylov::{BiCgStab, KrylovOptions, KrylovStats};
use crate::operator::{Factorization, LinearOp, apply_transpose_vec};
use crate::ordering::nested_dissection;
use crate::sparse::SparseMatrix;

/// Above this error of the constant potential Cholesky has lost digits to a valley
/// of the density, and the factorisation is redone without subtractions.
const CONSTANT_ERROR: f64 = 1e-10;

/// Largest three-dimensional grid that is factored: beyond, Cholesky takes gigabytes and minutes.
const DIRECT_CELLS: usize = 48 * 48 * 48;

/// Largest two-dimensional grid that is factored: the factor of more cells takes more than 16 GiB.
const DIRECT_CELLS_PLANE: usize = 10_000_000;

/// The part of the weighted Laplacian's factorisation that depends on the grid alone.
///
/// Grounded and inactive cells keep an identity row, so that one symbolic
/// analysis serves every density on the grid.
#[derive(Debug)]
pub struct LaplacianPlan {
    grid: Grid,
    analysis: Option<Analysis>,
    /// order[i]: cell at place i of a solve's panels, and its inverse.
    order: Vec<usize>,
    position: Vec<usize>,
}

/// What an elimination needs to know of a grid.
#[derive(Debug)]
struct Analysis {
    symbolic: Arc<SymbolicCholesky>,
    /// Position in the pattern of the entry of each face, and of each diagonal.
    face_entry: Vec<usize>,
    diagonal_entry: Vec<usize>,
}

/// How a weighted Laplacian was eliminated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EliminationKind {
    /// Supernodal Cholesky of the matrix scaled to unit diagonal.
    Cholesky,
    /// Subtraction-free elimination, chosen because Cholesky did not reproduce the constant potential.
    SubtractionFree,
    /// None: Krylov solves with an incomplete factorisation and aggregates, on three-dimensional grids of
    /// more than 48³ cells. [`LaplacianReport::krylov`] tells how they went.
    Krylov,
}

impl std::fmt::Display for EliminationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EliminationKind::Cholesky => "cholesky",
            EliminationKind::SubtractionFree => "subtraction-free",
            EliminationKind::Krylov => "bicgstab",
        })
    }
}

/// What a factorisation met.
#[derive(Debug, Clone, PartialEq)]
pub struct LaplacianReport {
    /// Algorithm used.
    pub elimination: EliminationKind,
    /// Connected components of the support that hold mass.
    pub components: usize,
    /// Cells without usable density.
    pub inactive_cells: usize,
    /// Largest error with which the factorisation used reproduces the potential 1
    /// from its flow into the ground; measures what valleys of the density cost.
    pub constant_error: f64,
    /// All Krylov solves so far, where there is no factor: columns that missed the tolerance of 1e-12
    /// are counted, not refused.
    pub krylov: Option<KrylovStats>,
}

/// Mass that a tangent would have to create, removed before whitening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MassLeak {
    /// |1ᵀz| / ‖z‖₁ per column: the relative mass leak removed by z ← z − ρ (1ᵀz)/(1ᵀρ).
    pub relative: Vec<f64>,
    /// Mass per unit parameter that would have to jump between components of the
    /// support (infinite W₂ cost), per column; 0 for a connected support.
    pub between_components: Vec<f64>,
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

    /// Factors BBᵀ = D diag(ρ_f) Dᵀ on the complement of the constants.
    ///
    /// Each connected component of the open faces is grounded at its densest cell
    /// and the rest is scaled to unit diagonal, which removes the range of ρ from
    /// the condition number. One solve checks that the constant potential comes
    /// back; across a deep valley between two modes it does not (and no single pivot
    /// shows it), and the matrix is eliminated again without subtractions; the
    /// report says so.
    ///
    /// # Shapes
    /// `density`: k cells (used for grounding and the mass projection); `faces`: q
    /// face densities, as from [`face_densities`](crate::face_densities).
    ///
    /// Without elimination the check is a Krylov solve, and what it reports.
    ///
    /// # Errors
    /// Wrong lengths, NaN or negative entries, no mass; [`LinalgError::IterationLimit`] if that Krylov solve
    /// misses its tolerance.
    pub fn factor(self: &Arc<Self>, density: &[f64], faces: &[f64]) -> Result<WeightedLaplacian, LinalgError> {
        check_density(&self.grid, density)?;
        check_vector("face density", faces, self.grid.face_count())?;
        let n = self.grid.len();
        let conductance = self.conductances(faces);
        let mut degree = vec![0.0; n];
        self.for_each_face(|face, left, right| {
            degree[left] += conductance[face];
            degree[right] += conductance[face];
        });
        let support = Support::new(self, density, &conductance);
        let kept: Vec<bool> = (0..n).map(|i| degree[i] > 0.0 && support.ground[support.label[i]] != i).collect();
        let scale: Vec<f64> = (0..n).map(|i| if kept[i] { 1.0 / degree[i].sqrt() } else { 0.0 }).collect();

        let carried = (0..n).map(|i| if degree[i] > 0.0 || density[i] > ACTIVE_DENSITY { density[i] } else { 0.0 });
        let mut laplacian = WeightedLaplacian {
            plan: self.clone(),
            faces: faces.to_vec(),
            density: carried.collect(),
            carries: degree.iter().map(|&d| d > 0.0).collect(),
            report: LaplacianReport {
                elimination: EliminationKind::Cholesky,
                components: support.ground.iter().filter(|&&g| density[g] > ACTIVE_DENSITY).count(),
                inactive_cells: (0..n).filter(|&i| degree[i] <= 0.0 && density[i] <= ACTIVE_DENSITY).count(),
                constant_error: f64::INFINITY,
                krylov: None,
            },
            scale,
            support,
            elimination: Elimination::None,
        };
        let Some(Analysis { symbolic, face_entry, diagonal_entry }) = &self.analysis else {
            laplacian.use_krylov(&conductance, &degree)?;
            laplacian.report.constant_error = laplacian.constant_error(&conductance, &kept);
            return match laplacian.report().krylov {
                Some(KrylovStats { missed: 1.., iterations, residual, .. }) => Err(LinalgError::IterationLimit {
                    what: "BiCGSTAB on the weighted Laplacian",
                    iterations,
                    residual,
                    tolerance: KrylovOptions::default().tolerance,
                }),
                _ => Ok(laplacian),
            };
        };
        let mut lower = vec![0.0; symbolic.pattern().1.len()];
        for &entry in diagonal_entry {
            lower[entry] = 1.0;
        }
        self.for_each_face(|face, left, right| {
            lower[face_entry[face]] = -conductance[face] * laplacian.scale[left] * laplacian.scale[right];
        });
        if let Ok(cholesky) = Cholesky::new(symbolic.clone(), &lower) {
            laplacian.elimination = Elimination::Cholesky(cholesky);
            laplacian.report.constant_error = laplacian.constant_error(&conductance, &kept);
        }
        // Not "greater than": a NaN error must switch as well.
        if !(laplacian.report.constant_error <= CONSTANT_ERROR) {
            laplacian.use_subtraction_free(symbolic, &conductance, &kept);
            laplacian.report.constant_error = laplacian.constant_error(&conductance, &kept);
        }
        Ok(laplacian)
    }

    fn conductances(&self, faces: &[f64]) -> Vec<f64> {
        let mut conductance = vec![0.0; faces.len()];
        for block in self.grid.face_blocks() {
            let h2 = self.grid.spacing()[block.axis].powi(2);
            block.for_each(|face, _, _| conductance[face] = faces[face] / h2);
        }
        conductance
    }

    fn for_each_face(&self, mut visit: impl FnMut(usize, usize, usize)) {
        for block in self.grid.face_blocks() {
            block.for_each(&mut visit);
        }
    }

    fn eliminate_without_subtraction(
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

/// Connected components of the open faces.
#[derive(Debug)]
struct Support {
    /// Component of each cell.
    label: Vec<usize>,
    /// Densest cell of each component.
    ground: Vec<usize>,
    /// Total density of each component.
    mass: Vec<f64>,
}

impl Support {
    fn new(plan: &LaplacianPlan, density: &[f64], conductance: &[f64]) -> Self {
        let n = density.len();
        let mut parent: Vec<usize> = (0..n).collect();
        fn find(parent: &mut [usize], mut i: usize) -> usize {
            while parent[i] != i {
                parent[i] = parent[parent[i]];
                i = parent[i];
            }
            i
        }
        plan.for_each_face(|face, left, right| {
            if conductance[face] > 0.0 {
                let (a, b) = (find(&mut parent, left), find(&mut parent, right));
                // The smaller root wins, so that labels follow cell order.
                parent[a.max(b)] = a.min(b);
            }
        });
        let mut label = vec![usize::MAX; n];
        let mut ground: Vec<usize> = Vec::new();
        for i in 0..n {
            let root = find(&mut parent, i);
            if root == i {
                label[i] = ground.len();
                ground.push(i);
            } else {
                label[i] = label[root];
            }
            let best = &mut ground[label[i]];
            if density[i] > density[*best] {
                *best = i;
            }
        }
        let mut mass = vec![0.0; ground.len()];
        for i in 0..n {
            mass[label[i]] += density[i];
        }
        Self { label, ground, mass }
    }
}

#[derive(Debug)]
enum Elimination {
    /// Cholesky broke down; replaced before the factorisation is handed out.
    None,
    Cholesky(Cholesky),
    SubtractionFree(SubtractionFree),
    /// A solver of the scaled matrix, and B.
    Krylov(Box<(BiCgStab, Divergence)>),
}

impl Elimination {
    fn forward<const W: usize>(&self, x: &mut [f64]) {
        match self {
            Elimination::None | Elimination::Krylov(_) => {}
            Elimination::Cholesky(f) => f.forward_panel::<W>(x),
            Elimination::SubtractionFree(f) => f.forward_panel::<W>(x),
        }
    }
    fn backward<const W: usize>(&self, x: &mut [f64]) {
        match self {
            Elimination::None | Elimination::Krylov(_) => {}
            Elimination::Cholesky(f) => f.backward_panel::<W>(x),
            Elimination::SubtractionFree(f) => f.backward_panel::<W>(x),
        }
    }
}

/// The factored weighted Laplacian BBᵀ of one density.
///
/// With `P BBᵀ Pᵀ = C Cᵀ` on the grounded cells, [`whiten`](Self::whiten) gives
/// X = C⁻¹PZ, which has the Gram matrix and the R factor of Y = B†Z at half the
/// solve and fewer rows; [`flux`](Self::flux) gives Y itself. Where there is no factor C
/// ([`EliminationKind::Krylov`]) `whiten` gives Y as well.
///
/// # Example
/// ```
/// use std::sync::Arc;
/// use faer::Mat;
/// use wngd_linalg::{FaceMean, Grid, LaplacianPlan, dense, face_densities};
/// let grid = Grid::new(&[-6.0], &[6.0], &[240])?;
/// let rho: Vec<f64> = grid.centers(0).iter().map(|x| (-x * x / 2.0).exp() / 2.5066282746310002).collect();
/// let plan = Arc::new(LaplacianPlan::new(&grid)?);
/// let laplacian = plan.factor(&rho, &face_densities(&grid, &rho, FaceMean::Arithmetic, 0.0)?)?;
/// // Moving a Gaussian costs its distance: G_W2 = 1 for its mean.
/// let z = Mat::from_fn(240, 1, |i, _| grid.centers(0)[i] * rho[i]);
/// let (x, _) = laplacian.whiten(z);
/// let information = grid.cell_volume() * dense::gram(x.as_ref())[(0, 0)];
/// assert!((information - 1.0).abs() < 1e-3);
/// # Ok::<(), wngd_linalg::LinalgError>(())
/// ```
#[derive(Debug)]
pub struct WeightedLaplacian {
    plan: Arc<LaplacianPlan>,
    faces: Vec<f64>,
    density: Vec<f64>,
    carries: Vec<bool>,
    scale: Vec<f64>,
    support: Support,
    elimination: Elimination,
    report: LaplacianReport,
}

#[derive(Clone, Copy, PartialEq)]
enum Solve {
    Half,
    Full,
}

impl WeightedLaplacian {
    /// What the factorisation met, and the solves up to now.
    pub fn report(&self) -> LaplacianReport {
        let krylov = match &self.elimination {
            Elimination::Krylov(krylov) => Some(krylov.0.stats()),
            _ => None,
        };
        LaplacianReport { krylov, ..self.report.clone() }
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.plan.grid
    }

    /// Half-whitening X = C⁻¹PZ of the mass-projected columns, in place.
    ///
    /// # Shapes
    /// `z`: k x p; result: k x p (rows in elimination order) and the mass leak removed, p;
    /// q x p with [`EliminationKind::Krylov`].
    ///
    /// # Cost
    /// One forward solve per column, in panels of 16, panels in parallel; no copy of `z`.
    pub fn whiten(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        if let Elimination::Krylov(krylov) = &self.elimination {
            let (phi, leak) = self.solve(z);
            return (tangent_fields(&krylov.1, &phi), leak);
        }
        let leak = self.solve_panels(z.as_mut(), Solve::Half);
        (z, leak)
    }

    /// Lᵀξ for the map L: Z ↦ X of [`whiten`](Self::whiten): probes of X as probes of Z,
    /// XᵀΞ = Zᵀ(LᵀΞ). In place.
    ///
    /// # Shapes
    /// `xi`: k x r, rows in elimination order, or q x r with [`EliminationKind::Krylov`]; result: k x r in
    /// cell order.
    ///
    /// # Cost
    /// One backward solve per column.
    pub fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        let mut h = xi;
        if let Elimination::Krylov(krylov) = &self.elimination {
            // L = BᵀSP with the symmetric grounded solve S; what B makes has no mass to project out.
            let mut divergence = Mat::zeros(self.density.len(), h.ncols());
            krylov.1.apply(divergence.as_mut(), h.as_ref());
            let mut phi = self.solve(divergence).0;
            (0..phi.ncols()).for_each(|j| self.project_transpose(phi.col_as_slice_mut(j)));
            return phi;
        }
        column_pieces(h.as_mut(), PANEL).into_par_iter().for_each(|piece| self.transposed_panel(piece));
        h
    }

    fn transposed_panel(&self, piece: MatMut<'_, f64>) {
        const W: usize = PANEL;
        let (order, position) = (&self.plan.order, &self.plan.position);
        let columns = contiguous_columns(piece);
        let mut x = vec![0.0; order.len() * W];
        for (w, column) in columns.iter().enumerate() {
            for (row, &value) in x.chunks_exact_mut(W).zip(column.iter()) {
                row[w] = value;
            }
        }
        // Rows of grounded and inactive cells are no part of X.
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            if self.scale[i] == 0.0 {
                row.fill(0.0);
            }
        }
        self.elimination.backward::<W>(&mut x);
        for (w, column) in columns.into_iter().enumerate() {
            for (i, value) in column.iter_mut().enumerate() {
                *value = self.scale[i] * x[position[i] * W + w];
            }
            self.project_transpose(column);
        }
    }

    /// The transposed mass projection: h less its mean under ρ, on each component.
    fn project_transpose(&self, h: &mut [f64]) {
        let masses = &self.support.mass;
        let mut weighted = vec![0.0; masses.len()];
        for (i, value) in h.iter().enumerate() {
            weighted[self.support.label[i]] += self.density[i] * value;
        }
        for (i, value) in h.iter_mut().enumerate() {
            let label = self.support.label[i];
            if (self.carries[i] || self.density[i] != 0.0) && masses[label] > 0.0 {
                *value -= weighted[label] / masses[label];
            }
        }
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells.
    ///
    /// # Shapes
    /// As [`whiten`](Self::whiten), rows in cell order.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.solve_panels(z.as_mut(), Solve::Full);
        (z, leak)
    }

    /// Y = B†Z = Bᵀφ on the faces: the tangent fields √ρ v of the columns.
    ///
    /// They are differences of potentials: where mass crosses a valley deeper than rounding, the fields beside it
    /// are lost to the jump of φ across it. [`whiten`](Self::whiten) keeps lengths and products there.
    ///
    /// # Shapes
    /// `z`: k x p; result: q x p.
    pub fn flux(&self, z: Mat<f64>) -> Result<(Mat<f64>, MassLeak), LinalgError> {
        let (phi, leak) = self.solve(z);
        let b = Divergence::from_faces(&self.plan.grid, &self.faces)?;
        Ok((tangent_fields(&b, &phi), leak))
    }

    /// The derivative u of an objective in the coordinates of [`whiten`](Self::whiten):
    /// b with bᵀX = uᵀZ (projected Z) and ‖b‖ = ‖Bᵀu‖.
    ///
    /// # Shapes
    /// `u`: k; result: k in elimination order; Bᵀu itself, q, with [`EliminationKind::Krylov`].
    pub fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        if let Elimination::Krylov(krylov) = &self.elimination {
            return apply_transpose_vec(&krylov.1, u);
        }
        let order = &self.plan.order;
        let rooted: Vec<f64> = order
            .iter()
            .map(|&i| {
                if self.scale[i] > 0.0 {
                    (u[i] - u[self.support.ground[self.support.label[i]]]) / self.scale[i]
                } else {
                    0.0
                }
            })
            .collect();
        match &self.elimination {
            Elimination::None | Elimination::Krylov(_) => rooted,
            Elimination::Cholesky(f) => f.multiply_transpose(&rooted),
            Elimination::SubtractionFree(f) => f.multiply_transpose(&rooted),
        }
    }

    /// u as mass-projected tangents feel it: Zᵀ of it is Xᵀb with those of [`whiten`](Self::whiten) and
    /// [`whiten_derivative`](Self::whiten_derivative), without their rounding.
    ///
    /// # Shapes
    /// `u`: k; result: k in cell order.
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        let mut h = u.to_vec();
        self.project_transpose(&mut h);
        for (value, &label) in h.iter_mut().zip(&self.support.label) {
            if !(self.support.mass[label] > 0.0) {
                *value = 0.0;
            }
        }
        h
    }

    /// Replaces the factorisation by the subtraction-free one, which works on the unscaled matrix.
    fn use_subtraction_free(&mut self, symbolic: &SymbolicCholesky, conductance: &[f64], kept: &[bool]) {
        self.elimination = self.plan.eliminate_without_subtraction(symbolic, conductance, kept);
        self.scale = kept.iter().map(|&k| if k { 1.0 } else { 0.0 }).collect();
        self.report.elimination = EliminationKind::SubtractionFree;
    }

    /// Prepares Krylov solves of the scaled matrix. Its slow modes look like √degree times a smooth
    /// potential, so these are the weights of the aggregates.
    fn use_krylov(&mut self, conductance: &[f64], degree: &[f64]) -> Result<(), LinalgError> {
        let (n, scale) = (degree.len(), &self.scale);
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|i| vec![(i, 1.0)]).collect();
        self.plan.for_each_face(|face, left, right| {
            let value = -conductance[face] * scale[left] * scale[right];
            if value != 0.0 {
                columns[left].push((right, value));
                columns[right].push((left, value));
            }
        });
        let (mut col_ptr, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
        for mut column in columns {
            column.sort_unstable_by_key(|e| e.0);
            rows.extend(column.iter().map(|e| e.0));
            values.extend(column.iter().map(|e| e.1));
            col_ptr.push(rows.len());
        }
        let matrix = SparseMatrix::new(n, col_ptr, rows, values)?;
        let weights: Vec<f64> = (0..n).map(|i| if scale[i] > 0.0 { degree[i].sqrt() } else { 0.0 }).collect();
        // Cubes without a cell that takes part would make the second level singular.
        let (mut labels, mut renamed, mut count) = (self.plan.grid.cubes(), vec![usize::MAX; n], 0);
        for (label, &weight) in labels.iter_mut().zip(&weights) {
            if weight == 0.0 {
                *label = 0;
                continue;
            }
            let name = &mut renamed[*label];
            if *name == usize::MAX {
                (*name, count) = (count, count + 1);
            }
            *label = *name;
        }
        let options = KrylovOptions::default();
        let solver = match count {
            0 => BiCgStab::new(&matrix, options)?,
            _ => BiCgStab::with_weighted_aggregates(&matrix, options, &labels, &weights)?,
        };
        let divergence = Divergence::from_faces(&self.plan.grid, &self.faces)?;
        self.elimination = Elimination::Krylov(Box::new((solver, divergence)));
        self.report.elimination = EliminationKind::Krylov;
        Ok(())
    }

    /// Solves for the potential 1 from the currents it drives into the grounded
    /// cells, and returns its largest error.
    fn constant_error(&self, conductance: &[f64], kept: &[bool]) -> f64 {
        let mut current = vec![0.0; kept.len()];
        self.plan.for_each_face(|face, left, right| match (kept[left], kept[right]) {
            (true, false) => current[left] += conductance[face],
            (false, true) => current[right] += conductance[face],
            _ => {}
        });
        let order = &self.plan.order;
        let mut x = vec![0.0; order.len() * 4];
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(4)) {
            row[0] = self.scale[i] * current[i];
        }
        self.elimination.forward::<4>(&mut x);
        self.elimination.backward::<4>(&mut x);
        if let Elimination::Krylov(krylov) = &self.elimination {
            let mut column: Vec<f64> = x.iter().step_by(4).copied().collect();
            krylov.0.apply_inverse(MatMut::from_column_major_slice_mut(&mut column, order.len(), 1));
            x.iter_mut().step_by(4).zip(column).for_each(|(x, solved)| *x = solved);
        }
        order
            .iter()
            .zip(x.chunks_exact(4))
            .filter(|(i, _)| kept[**i])
            .map(|(&i, row)| (row[0] * self.scale[i] - 1.0).abs())
            .fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m })
    }

    fn solve_panels(&self, z: MatMut<'_, f64>, kind: Solve) -> MassLeak {
        let mut z = z;
        let reports: Vec<Vec<(f64, f64)>> = column_pieces(z.as_mut(), PANEL)
            .into_par_iter()
            .map_init(Vec::new, |x, piece| {
                if piece.ncols() <= 4 { self.panel::<4>(piece, kind, x) } else { self.panel::<PANEL>(piece, kind, x) }
            })
            .collect();
        if let Elimination::Krylov(krylov) = &self.elimination {
            krylov.0.apply_inverse(z.as_mut());
            for j in 0..z.ncols() {
                for (i, scale) in self.scale.iter().enumerate() {
                    z[(i, j)] *= scale;
                }
            }
        }
        let (relative, between_components) = reports.into_iter().flatten().unzip();
        MassLeak { relative, between_components }
    }

    /// One panel of columns, through the row-major workspace `x`.
    fn panel<const W: usize>(&self, piece: MatMut<'_, f64>, kind: Solve, x: &mut Vec<f64>) -> Vec<(f64, f64)> {
        let order = &self.plan.order;
        x.resize(order.len() * W, 0.0);
        let x = &mut x[..order.len() * W];
        let columns = contiguous_columns(piece);
        let sums = Arch::new().dispatch(Load::<W> { laplacian: self, columns: &columns, x: &mut *x });
        let (excess, report) = self.excess(&sums, columns.len());
        for (&i, row) in order.iter().zip(x.chunks_exact_mut(W)) {
            let (scale, density, excess) = (self.scale[i], self.density[i], &excess[self.support.label[i]]);
            for w in 0..W {
                row[w] = if scale > 0.0 { scale * (row[w] - density * excess[w]) } else { 0.0 };
            }
        }
        self.elimination.forward::<W>(x);
        match kind {
            // The scaled tangents, that the Krylov solver takes.
            _ if matches!(self.elimination, Elimination::Krylov(_)) => store::<W>(columns, |i| i, |_| 1.0, x),
            Solve::Half => store::<W>(columns, |i| i, |_| 1.0, x),
            Solve::Full => {
                self.elimination.backward::<W>(x);
                store::<W>(columns, |i| self.plan.position[i], |i| self.scale[i], x);
            }
        }
        report
    }

    /// (1ᵀz)/(1ᵀρ) per component and column, and per column the leak that its removal means.
    fn excess<const W: usize>(&self, sums: &Sums<W>, columns: usize) -> (Vec<[f64; W]>, Vec<(f64, f64)>) {
        let masses = &self.support.mass;
        let mass = sum(masses.iter().copied());
        let total = |component: usize, w: usize| sums.total[component][w] + sums.lost[component][w];
        let excess = (0..masses.len())
            .map(|c| std::array::from_fn(|w| if masses[c] > 0.0 { total(c, w) / masses[c] } else { 0.0 }))
            .collect();
        let report = (0..columns).map(|w| {
            let all = sum((0..masses.len()).map(|c| total(c, w)));
            let between = if masses.len() > 1 {
                let jumps = (0..masses.len()).map(|c| (total(c, w) - masses[c] * all / mass).abs());
                0.5 * self.plan.grid.cell_volume() * sum(jumps)
            } else {
                0.0
            };
            (if sums.size[w] > 0.0 { all.abs() / sums.size[w] } else { 0.0 }, between)
        });
        (excess, report.collect())
    }
}

/// Y = Bᵀφ.
fn tangent_fields(b: &Divergence, phi: &Mat<f64>) -> Mat<f64> {
    let mut y = Mat::zeros(b.ncols(), phi.ncols());
    b.apply_transpose(y.as_mut(), phi.as_ref());
    y
}

/// Cells whose values are transposed at once: columns lie a power of two apart on
/// common grids, so that reading them row by row would evict every cache line unused.
const TILE: usize = 128;

/// Compensated sums of the columns of a panel.
struct Sums<const W: usize> {
    /// Per component of the support: rounding mass would be carried across valleys.
    total: Vec<[f64; W]>,
    lost: Vec<[f64; W]>,
    /// ‖z‖₁.
    size: [f64; W],
}

/// Copies columns into a row-major panel in elimination order, and sums them.
struct Load<'a, const W: usize> {
    laplacian: &'a WeightedLaplacian,
    columns: &'a [&'a mut [f64]],
    x: &'a mut [f64],
}

impl<const W: usize> WithSimd for Load<'_, W> {
    type Output = Sums<W>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Sums<W> {
        let Self { laplacian: l, columns, x } = self;
        let (position, components) = (&l.plan.position, l.support.ground.len());
        let mut sums = Sums { total: vec![[0.0; W]; components], lost: vec![[0.0; W]; components], size: [0.0; W] };
        let mut tile = [[0.0; W]; TILE];
        for first in (0..position.len()).step_by(TILE) {
            let cells = first..position.len().min(first + TILE);
            for (w, column) in columns.iter().enumerate() {
                for (row, &value) in tile.iter_mut().zip(&column[cells.clone()]) {
                    row[w] = value;
                }
            }
            for (i, row) in cells.zip(&tile) {
                x[position[i] * W..(position[i] + 1) * W].copy_from_slice(row);
                for w in 0..W {
                    sums.size[w] += row[w].abs();
                }
                if l.carries[i] || l.density[i] != 0.0 {
                    let label = l.support.label[i];
                    let (total, lost) = (&mut sums.total[label], &mut sums.lost[label]);
                    for w in 0..W {
                        let next = total[w] + row[w];
                        let added = next - total[w];
                        lost[w] += (total[w] - (next - added)) + (row[w] - added);
                        total[w] = next;
                    }
                }
            }
        }
        sums
    }
}

/// Copies rows `source(i)` of a row-major panel, times `factor(i)`, back into columns.
fn store<const W: usize>(
    columns: Vec<&mut [f64]>,
    source: impl Fn(usize) -> usize,
    factor: impl Fn(usize) -> f64,
    x: &[f64],
) {
    let mut columns = columns;
    let n = x.len() / W;
    let mut tile = [[0.0; W]; TILE];
    for first in (0..n).step_by(TILE) {
        let cells = first..n.min(first + TILE);
        for (row, i) in tile.iter_mut().zip(cells.clone()) {
            let (from, factor) = (source(i) * W, factor(i));
            for w in 0..W {
                row[w] = factor * x[from + w];
            }
        }
        for (w, column) in columns.iter_mut().enumerate() {
            for (value, row) in column[cells.clone()].iter_mut().zip(&tile) {
                *value = row[w];
            }
        }
    }
}

/// Depth of the deepest valley between two modes: the smallest ratio (saddle
/// density)/(density of the lower mode) over the modes that hold more than
/// `mass_fraction` of the mass; 1 for a unimodal density, 0 if the support splits.
///
/// The W₂ condition number across a valley grows like one over its depth.
///
/// # Cost
/// k log k.
pub fn valley_depth(grid: &Grid, density: &[f64], mass_fraction: f64) -> f64 {
    let total: f64 = density.iter().sum();
    let mut order: Vec<usize> = (0..density.len()).collect();
    order.sort_by(|&a, &b| density[b].total_cmp(&density[a]).then(a.cmp(&b)));
    let strides: Vec<usize> = (0..grid.dim()).map(|axis| grid.cells()[axis + 1..].iter().product()).collect();
    let mut parent = vec![usize::MAX; density.len()];
    let mut peak = vec![0.0; density.len()];
    let mut mass = vec![0.0; density.len()];
    fn find(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    let mut depth = 1.0f64;
    for &cell in &order {
        parent[cell] = cell;
        peak[cell] = density[cell];
        mass[cell] = density[cell];
        for (axis, &stride) in strides.iter().enumerate() {
            let j = (cell / stride) % grid.cells()[axis];
            let neighbours = [(j > 0).then(|| cell - stride), (j + 1 < grid.cells()[axis]).then(|| cell + stride)];
            for other in neighbours.into_iter().flatten().filter(|&o| parent[o] != usize::MAX).collect::<Vec<_>>() {
                let (a, b) = (find(&mut parent, cell), find(&mut parent, other));
                if a == b {
                    continue;
                }
                let lower = peak[a].min(peak[b]);
                if mass[a].min(mass[b]) > mass_fraction * total && lower > 0.0 {
                    let saddle = if density[cell] > ACTIVE_DENSITY { density[cell] } else { 0.0 };
                    depth = depth.min(saddle / lower);
                }
                let (keep, drop) = if peak[a] >= peak[b] { (a, b) } else { (b, a) };
                parent[drop] = keep;
                mass[keep] += mass[drop];
            }
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dense;
    use crate::divergence::{FaceMean, face_densities};

    fn gaussian_pair(grid: &Grid, distance: f64) -> Vec<f64> {
        (0..grid.len())
            .map(|i| {
                let p = grid.center(i);
                let g = |m: f64| (-0.5 * ((p[0] - m).powi(2) + p[1].powi(2))).exp() / (2.0 * std::f64::consts::PI);
                0.4 * g(-distance / 2.0) + 0.6 * g(distance / 2.0)
            })
            .collect()
    }

    fn factor(grid: &Grid, density: &[f64]) -> WeightedLaplacian {
        let plan = Arc::new(LaplacianPlan::new(grid).unwrap());
        plan.factor(density, &face_densities(grid, density, FaceMean::Arithmetic, 0.0).unwrap()).unwrap()
    }

    fn columns(grid: &Grid, density: &[f64]) -> Mat<f64> {
        Mat::from_fn(grid.len(), 3, |i, j| {
            let p = grid.center(i);
            density[i] * [p[0], p[1] - 0.3 * p[0], p[0] * p[1]][j]
        })
    }

    #[test]
    fn solution_satisfies_the_projected_equation_and_half_whitening_has_its_gram() {
        let grid = Grid::new(&[-6.0, -5.0], &[6.0, 5.0], &[41, 37]).unwrap();
        let density = gaussian_pair(&grid, 3.0);
        let laplacian = factor(&grid, &density);
        let z = columns(&grid, &density);
        let (y, leak) = laplacian.flux(z.clone()).unwrap();
        let b = Divergence::new(&grid, &density, FaceMean::Arithmetic).unwrap();
        let mut back = Mat::zeros(grid.len(), 3);
        b.apply(back.as_mut(), y.as_ref());
        let total: f64 = density.iter().sum();
        for j in 0..3 {
            let excess = (0..grid.len()).map(|i| z[(i, j)]).sum::<f64>() / total;
            for i in 0..grid.len() {
                assert!((back[(i, j)] - (z[(i, j)] - density[i] * excess)).abs() < 1e-12);
            }
            assert!(leak.relative[j] < 1.0 && leak.between_components[j] == 0.0);
        }
        let (x, _) = laplacian.whiten(z.clone());
        let (gx, gy) = (dense::gram(x.as_ref()), dense::gram(y.as_ref()));
        assert!((&gx - &gy).norm_max() < 1e-12 * gy.norm_max());

        let u: Vec<f64> = (0..grid.len()).map(|i| (grid.center(i)[0] * 0.7).sin() + grid.center(i)[1]).collect();
        let bx = laplacian.whiten_derivative(&u);
        let by = apply_transpose_vec(&b, &u);
        assert!((dense::norm(&bx) - dense::norm(&by)).abs() < 1e-12 * dense::norm(&by));
        for j in 0..3 {
            let (dx, dy) =
                (dense::dot(&bx, &dense::column(x.as_ref(), j)), dense::dot(&by, &dense::column(y.as_ref(), j)));
            assert!((dx - dy).abs() < 1e-11 * dense::norm(&by));
        }
    }

    #[test]
    fn transposed_whitening_is_the_transpose() {
        let grid = Grid::new(&[-6.0, -5.0], &[6.0, 5.0], &[21, 18]).unwrap();
        let split: Vec<f64> = gaussian_pair(&grid, 6.0)
            .into_iter()
            .enumerate()
            .map(|(i, r)| if (10..12).contains(&(i / 18)) { 0.0 } else { r })
            .collect();
        let wave = |rows: usize, seed: f64| Mat::from_fn(rows, 20, |i, j| (seed * (i + 7 * j) as f64).sin());
        for density in [&gaussian_pair(&grid, 3.0), &split] {
            // Without a factor L ends on the faces, and solves are good to their tolerance.
            let plan = Arc::new(LaplacianPlan::iterative(&grid));
            let faces = face_densities(&grid, density, FaceMean::Arithmetic, 0.0).unwrap();
            let laplacian = plan.factor(density, &faces).unwrap();
            let z = wave(grid.len(), 0.7);
            let x = laplacian.whiten(z.clone()).0;
            let xi = wave(x.nrows(), 1.3);
            let h = laplacian.whiten_transpose(xi.clone());
            for j in 0..20 {
                let left = dense::dot(&dense::column(x.as_ref(), j), &dense::column(xi.as_ref(), j));
                let right = dense::dot(&dense::column(z.as_ref(), j), &dense::column(h.as_ref(), j));
                assert!((left - right).abs() < 1e-9 * x.col(j).norm_l2() * xi.col(j).norm_l2(), "{left} {right}");
            }
        }
        for density in [gaussian_pair(&grid, 3.0), split] {
            let laplacian = factor(&grid, &density);
            let (z, xi) = (wave(grid.len(), 0.7), wave(grid.len(), 1.3));
            let (x, h) = (laplacian.whiten(z.clone()).0, laplacian.whiten_transpose(xi.clone()));
            for j in 0..20 {
                let left = dense::dot(&dense::column(x.as_ref(), j), &dense::column(xi.as_ref(), j));
                let right = dense::dot(&dense::column(z.as_ref(), j), &dense::column(h.as_ref(), j));
                let scale = x.col(j).norm_l2() * xi.col(j).norm_l2();
                assert!((left - right).abs() < 1e-12 * scale, "{left} against {right}");
            }
            // A column on its own has the bits it has in a block.
            let alone = laplacian.whiten_transpose(Mat::from_fn(grid.len(), 1, |i, _| xi[(i, 18)]));
            assert_eq!(alone.col(0), h.col(18));
            let alone = laplacian.whiten(Mat::from_fn(grid.len(), 1, |i, _| z[(i, 18)])).0;
            assert_eq!(alone.col(0), x.col(18));
        }
    }

    #[test]
    fn deep_valleys_switch_to_subtraction_free_elimination_and_say_so() {
        // One row of cells: the flux of a weight tangent across the valley is its
        // cumulative sum, known exactly, and G = Σ flux²/ρ_f.
        for distance in [6.0, 14.0, 18.0] {
            let grid = Grid::new(&[-16.0], &[16.0], &[320]).unwrap();
            let g = |x: f64, m: f64| (-0.5 * (x - m).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let x = grid.centers(0);
            let (a, b) = (-distance / 2.0, distance / 2.0);
            let density: Vec<f64> = x.iter().map(|&x| 0.4 * g(x, a) + 0.6 * g(x, b)).collect();
            let z: Vec<f64> = x.iter().map(|&x| g(x, a) - g(x, b)).collect();
            let laplacian = factor(&grid, &density);
            if distance > 13.0 {
                assert_eq!(laplacian.report().elimination, EliminationKind::SubtractionFree);
            } else {
                assert_eq!(laplacian.report().elimination, EliminationKind::Cholesky);
            }
            let (whitened, _) = laplacian.whiten(Mat::from_fn(320, 1, |i, _| z[i]));
            let found = dense::gram(whitened.as_ref())[(0, 0)];
            let mut expected = 0.0;
            for face in 0..319 {
                // From the nearer end, so that the cumulative sum does not cancel.
                let flux: f64 =
                    if x[face] < 0.0 { z[..=face].iter().sum() } else { -z[face + 1..].iter().sum::<f64>() };
                let flux = flux * grid.spacing()[0];
                expected += flux * flux / (0.5 * (density[face] + density[face + 1]));
            }
            assert!((found / expected - 1.0).abs() < 1e-9, "distance {distance}: {found:e} against {expected:e}");
            assert!(laplacian.report().constant_error < 1e-10);
        }
    }

    #[test]
    fn both_eliminations_agree_in_two_dimensions() {
        let grid = Grid::new(&[-8.0, -5.0], &[8.0, 5.0], &[40, 25]).unwrap();
        let density = gaussian_pair(&grid, 5.0);
        let plan = Arc::new(LaplacianPlan::new(&grid).unwrap());
        let faces = face_densities(&grid, &density, FaceMean::Arithmetic, 0.0).unwrap();
        let laplacian = plan.factor(&density, &faces).unwrap();
        assert_eq!(laplacian.report().elimination, EliminationKind::Cholesky);
        let kept: Vec<bool> = laplacian.scale.iter().map(|&s| s > 0.0).collect();
        let mut other = plan.factor(&density, &faces).unwrap();
        let symbolic = &plan.analysis.as_ref().unwrap().symbolic;
        other.use_subtraction_free(symbolic, &plan.conductances(&faces), &kept);
        let z = columns(&grid, &density);
        let (a, b) = (laplacian.whiten(z.clone()).0, other.whiten(z.clone()).0);
        let (ga, gb) = (dense::gram(a.as_ref()), dense::gram(b.as_ref()));
        assert!((&ga - &gb).norm_max() < 1e-11 * ga.norm_max());
        let u: Vec<f64> = (0..grid.len()).map(|i| (grid.center(i)[0]).cos()).collect();
        let (na, nb) = (dense::norm(&laplacian.whiten_derivative(&u)), dense::norm(&other.whiten_derivative(&u)));
        assert!((na - nb).abs() < 1e-12 * na);
        let (fa, fb) = (laplacian.flux(z.clone()).unwrap().0, other.flux(z).unwrap().0);
        assert!((&fa - &fb).norm_max() < 1e-9 * fa.norm_max());
    }

    /// Two ridges, with a range of 1e-12, and optionally empty cells that cut the box.
    fn ridges(grid: &Grid, cut: bool) -> Vec<f64> {
        let value = |i: usize| {
            let [x, y, z] = grid.center(i);
            let bump = |a: f64| (-2.0 * (x - a).powi(2) - 0.5 * (y - a * z).powi(2) - 0.3 * z * z).exp();
            if cut && (x.abs() < 0.2 || z > 2.2) { 0.0 } else { bump(-1.2) + 0.5 * bump(1.1) }
        };
        (0..grid.len()).map(value).collect()
    }

    #[test]
    fn krylov_solves_agree_with_cholesky() {
        for (n, cut) in [(16, false), (16, true), (24, false)] {
            let grid = Grid::new(&[-3.0; 3], &[3.0; 3], &[n, n, n]).unwrap();
            let density = ridges(&grid, cut);
            let faces = face_densities(&grid, &density, FaceMean::Arithmetic, 0.0).unwrap();
            let direct = factor(&grid, &density);
            let iterative = Arc::new(LaplacianPlan::iterative(&grid)).factor(&density, &faces).unwrap();
            assert_eq!(direct.report().elimination, EliminationKind::Cholesky);
            assert_eq!(iterative.report().elimination, EliminationKind::Krylov);
            assert_eq!(iterative.report().components, direct.report().components);
            let z = Mat::from_fn(grid.len(), 3, |i, j| {
                let [x, y, z] = grid.center(i);
                density[i] * [x, y - 0.3 * x, x * z][j]
            });
            let ((x, _), (y, leak)) = (direct.whiten(z.clone()), iterative.whiten(z.clone()));
            let (gx, gy) = (dense::gram(x.as_ref()), dense::gram(y.as_ref()));
            assert!((&gx - &gy).norm_max() < 1e-9 * gx.norm_max(), "{n} {cut} {:?}", iterative.report());
            assert!(leak.relative.iter().all(|l| l.is_finite()));
            let stats = iterative.report().krylov.unwrap();
            assert!(stats.missed == 0 && stats.iterations < 60, "{stats:?}");
            let u: Vec<f64> = (0..grid.len()).map(|i| grid.center(i)[0].sin() + grid.center(i)[2]).collect();
            let (a, b) = (direct.whiten_derivative(&u), iterative.whiten_derivative(&u));
            for j in 0..3 {
                let (a, b) =
                    (dense::dot(&a, &dense::column(x.as_ref(), j)), dense::dot(&b, &dense::column(y.as_ref(), j)));
                assert!((a - b).abs() < 1e-9 * gx.norm_max().sqrt() * dense::norm(&u), "{a} against {b}");
            }
            let flux = iterative.flux(z).unwrap().0;
            assert_eq!(flux, y);
        }
    }

    #[test]
    fn split_support_reports_mass_that_cannot_move() {
        let grid = Grid::new(&[0.0], &[6.0], &[6]).unwrap();
        let density = [1.0, 1.0, 0.0, 0.0, 2.0, 2.0];
        let laplacian = factor(&grid, &density);
        assert_eq!((laplacian.report().components, laplacian.report().inactive_cells), (2, 2));
        let z = Mat::from_fn(6, 1, |i, _| [1.0, 0.0, 0.0, 0.0, 0.0, -1.0][i]);
        let (x, leak) = laplacian.whiten(z);
        assert_eq!(leak.between_components[0], 1.0);
        assert!(x.norm_max().is_finite());
    }

    #[test]
    fn one_cell_has_nothing_to_transport() {
        let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[1, 1]).unwrap();
        let laplacian = factor(&grid, &[1.0]);
        let (x, _) = laplacian.whiten(Mat::from_fn(1, 2, |_, j| j as f64 + 1.0));
        assert_eq!(x.norm_max(), 0.0);
    }

    #[test]
    fn valley_depth_sees_the_saddle() {
        let grid = Grid::new(&[-8.0, -5.0], &[8.0, 5.0], &[80, 51]).unwrap();
        assert_eq!(valley_depth(&grid, &gaussian_pair(&grid, 0.0), 0.01), 1.0);
        let deep = valley_depth(&grid, &gaussian_pair(&grid, 8.0), 0.01);
        // Saddle: 2·exp(-16/2)·…/peak of the lower mode, within the grid's resolution.
        assert!(deep > 1e-4 && deep < 2e-3, "{deep}");
    }
}
