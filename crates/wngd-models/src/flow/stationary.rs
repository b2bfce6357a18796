use std::sync::{Arc, Mutex, PoisonError};

use wngd_adjoint::{
    Factorization, ForwardModel, Implicit, ImplicitConstraint, ImplicitJacobian, LinearOp, Linearization, ModelError,
    SolveCounts, State,
};
use wngd_linalg::dense::{dot, sum};
use wngd_linalg::faer::{Mat, MatMut, MatRef};
use wngd_linalg::operator::apply_vec;
use wngd_linalg::{
    BiCgStab, DominantLu, Grid, KrylovOptions, KrylovStats, LinalgError, LuOrdering, Ordering, SparseLu, SparseMatrix,
    SymbolicCholesky, flow_order, nested_dissection,
};

use crate::flow::Parameters;
use crate::flow::field::VelocityField;
use crate::flow::finite_volume::{FaceSensitivity, FiniteVolume, Scheme};
use crate::flow::semi_lagrangian::SemiLagrangian;

/// Cells in which a spurious sink gathers its mass.
const SINK_CELLS: usize = 8;
/// Largest number of cells that [`Solver::Auto`] factors, by dimension of the grid.
const DIRECT_CELLS: [usize; 3] = [1_000_000, 40_000, 10_000];
/// The same for the semi-Lagrangian operator, whose factors fill in.
const DIRECT_TRANSFER_CELLS: usize = 2_000;
/// Largest number of cells that [`Solver::Auto`] factors for many right-hand sides, or after Krylov has failed.
const DIRECT_CELLS_AT_MOST: usize = 150_000;
/// Right-hand sides per θ from which a factorisation of a three-dimensional grid pays.
const MANY_SOLVES: usize = 150;
/// Gauss–Seidel sweeps that end a state solve.
const SWEEPS: usize = 2;

/// How the stationary density of a flow is put on the grid.
///
/// All three are Markov chains with a restart: with probability (semi-Lagrangian) or rate
/// (finite volumes) `restart` the state is drawn anew, uniformly on the box. This makes the
/// density unique and positive. Rates and diffusions do not depend on θ.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Discretisation {
    /// Upwind finite volumes with isotropic diffusion (which may be 0).
    ///
    /// Monotone and very diffusive; ρ(θ) has kinks where a face velocity changes sign, and
    /// without diffusion coarse grids have spurious sinks ([`FlowReport::spurious_sink`]).
    Upwind {
        /// Diffusion coefficient D ≥ 0.
        diffusion: f64,
        /// Restart rate κ > 0.
        restart: f64,
    },
    /// Scharfetter–Gummel finite volumes: smooth in θ, exact for constant velocity and density fluxes.
    ScharfetterGummel {
        /// Diffusion coefficient D > 0.
        diffusion: f64,
        /// Restart rate κ > 0.
        restart: f64,
    },
    /// Cells carried along the flow for a time T and deposited: the least diffusive.
    SemiLagrangian {
        /// Map time T > 0.
        time: f64,
        /// Runge–Kutta step, > 0; T is cut into round(T/step) equal steps.
        step: f64,
        /// Points per axis and cell.
        points: usize,
        /// Restart probability per map, 0 < ε < 1.
        restart: f64,
    },
}

/// Which linear solver a [`StationaryDensity`] uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// Direct up to 10⁶ cells in one dimension, 40 000 in two, 10 000 in three (2000 for the semi-Lagrangian
    /// scheme), and up to 150 000 where 150 or more solves per θ are expected
    /// ([`StationaryDensity::with_expected_solves`]); Krylov otherwise. If Krylov misses its tolerance on
    /// the state and the grid has at most 150 000 cells, A is factored instead. [`FlowReport::solver`] is what
    /// was used in the end, [`FlowReport::krylov`] tells of an attempt that failed.
    #[default]
    Auto,
    /// Sparse LU.
    Direct,
    /// BiCGSTAB.
    Krylov,
}

/// The linear solver that was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SolverUsed {
    /// Multifrontal LU on the diagonal.
    DominantLu,
    /// Sparse LU with nested dissection of the grid.
    NestedDissectionLu,
    /// Sparse LU with a column minimum-degree ordering.
    ColamdLu,
    /// BiCGSTAB, preconditioned by an incomplete LU in flow order unless told otherwise.
    BiCgStab,
}

impl std::fmt::Display for SolverUsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SolverUsed::DominantLu => "multifrontal LU",
            SolverUsed::NestedDissectionLu => "sparse LU (nested dissection)",
            SolverUsed::ColamdLu => "sparse LU (COLAMD)",
            SolverUsed::BiCgStab => "BiCGSTAB",
        })
    }
}

/// What the solves at one θ met.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowReport {
    /// Linear solver used.
    pub solver: SolverUsed,
    /// Cells k.
    pub cells: usize,
    /// Stored entries of A.
    pub nonzeros: usize,
    /// Entries of the factors, for a direct solver.
    pub fill: Option<usize>,
    /// All Krylov solves so far: iterations, worst residual, misses; beside a direct solver, those
    /// of the attempt that it replaced.
    pub krylov: Option<KrylovStats>,
    /// ‖κ/k − Ap‖₁ / max diag A of the state found.
    pub state_residual: f64,
    /// Share of the mass in the 8 heaviest cells.
    pub concentration: f64,
    /// Whether more than half of the mass sits in these cells though nothing but upwinding
    /// holds it there: use diffusion, Scharfetter–Gummel, or the semi-Lagrangian scheme.
    pub spurious_sink: bool,
}

/// g(ρ, θ) = A(θ)ρ − κ/(k|c|)·1 on a grid.
///
/// A = κI − K for finite volumes; A = I − (1 − ε)M and κ = ε for the semi-Lagrangian scheme.
/// In both, the columns of A sum to κ, so that a solution has mass 1 by itself.
#[derive(Clone)]
pub struct FlowConstraint {
    field: Arc<dyn VelocityField>,
    grid: Grid,
    discretisation: Discretisation,
    parameters: Parameters,
    solver: Solver,
    krylov: KrylovOptions,
    expected_solves: usize,
    /// Analysis of the last direct factorisation, good for every θ of the same pattern.
    symbolic: Arc<Mutex<Option<Arc<SymbolicCholesky>>>>,
}

impl std::fmt::Debug for FlowConstraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowConstraint")
            .field("field", &self.field.name())
            .field("cells", &self.grid.cells())
            .field("discretisation", &self.discretisation)
            .field("free", &self.parameters.free)
            .field("solver", &self.solver)
            .finish_non_exhaustive()
    }
}

impl FlowConstraint {
    fn restart(&self) -> f64 {
        match self.discretisation {
            Discretisation::Upwind { restart, .. }
            | Discretisation::ScharfetterGummel { restart, .. }
            | Discretisation::SemiLagrangian { restart, .. } => restart,
        }
    }

    fn finite_volume(&self, scheme: Scheme, diffusion: f64) -> FiniteVolume<'_> {
        FiniteVolume { field: &*self.field, grid: &self.grid, scheme, diffusion }
    }

    fn semi_lagrangian(&self, time: f64, step: f64, points: usize) -> SemiLagrangian<'_> {
        SemiLagrangian { field: &*self.field, grid: &self.grid, time, step, points }
    }

    /// A(θ) for all parameters.
    fn generator(&self, full: &[f64]) -> Result<SparseMatrix, ModelError> {
        match self.discretisation {
            Discretisation::Upwind { diffusion, restart } => {
                self.finite_volume(Scheme::Upwind, diffusion).generator(full, restart)
            }
            Discretisation::ScharfetterGummel { diffusion, restart } => {
                self.finite_volume(Scheme::ScharfetterGummel, diffusion).generator(full, restart)
            }
            Discretisation::SemiLagrangian { time, step, points, restart } => {
                self.semi_lagrangian(time, step, points).generator(full, restart)
            }
        }
    }

    /// Whether each face carries mass in one direction only.
    fn is_one_way(&self) -> bool {
        matches!(self.discretisation, Discretisation::Upwind { diffusion: 0.0, .. })
    }

    fn choose(&self) -> SolverUsed {
        let cells = self.grid.len();
        let limit = match self.discretisation {
            Discretisation::SemiLagrangian { .. } => DIRECT_TRANSFER_CELLS,
            _ if self.expected_solves >= MANY_SOLVES => DIRECT_CELLS_AT_MOST.max(DIRECT_CELLS[self.grid.dim() - 1]),
            _ => DIRECT_CELLS[self.grid.dim() - 1],
        };
        match self.solver {
            Solver::Direct => self.direct(),
            Solver::Auto if cells <= limit => self.direct(),
            Solver::Auto | Solver::Krylov => SolverUsed::BiCgStab,
        }
    }

    fn direct(&self) -> SolverUsed {
        match self.discretisation {
            Discretisation::SemiLagrangian { .. } => SolverUsed::ColamdLu,
            // Without diffusion each face is stored in one direction only: the unsymmetric fill is smaller.
            _ if self.is_one_way() => SolverUsed::NestedDissectionLu,
            _ => SolverUsed::DominantLu,
        }
    }

    fn factor(&self, a: &SparseMatrix, solver: SolverUsed) -> Result<Inverse, ModelError> {
        let ordering = || nested_dissection(self.grid.cells());
        Ok(match solver {
            SolverUsed::DominantLu => Inverse::Dominant(self.dominant(a)?),
            SolverUsed::NestedDissectionLu => Inverse::Lu(Box::new(SparseLu::new(a, LuOrdering::Custom(ordering()))?)),
            SolverUsed::ColamdLu => Inverse::Lu(Box::new(SparseLu::new(a, LuOrdering::Colamd)?)),
            SolverUsed::BiCgStab => {
                Inverse::Krylov(Box::new(BiCgStab::with_aggregates(a, self.krylov, &self.grid.cubes())?))
            }
        })
    }

    fn dominant(&self, a: &SparseMatrix) -> Result<DominantLu, ModelError> {
        let cached = || self.symbolic.lock().unwrap_or_else(PoisonError::into_inner);
        let known = cached().clone();
        match known.map(|symbolic| DominantLu::with_symbolic(a, symbolic)) {
            // An entry that vanishes at one θ changes the pattern: analyse again.
            None | Some(Err(LinalgError::Symbolic { .. })) => {}
            Some(factored) => return Ok(factored?),
        }
        let three = self.grid.dim() == 3;
        let ordering = if three { Ordering::Custom(nested_dissection(self.grid.cells())) } else { Ordering::Amd };
        let lu = DominantLu::new(a, ordering)?;
        *cached() = Some(lu.symbolic().clone());
        Ok(lu)
    }

    /// Cell probabilities p with Ap = κ/k and Σp = 1.
    fn stationary(&self, a: &SparseMatrix, inverse: &Inverse) -> Result<Vec<f64>, ModelError> {
        let n = self.grid.len();
        let source = self.restart() / n as f64;
        let mut p = vec![1.0 / n as f64; n];
        // The correction of the uniform state has mass 0, which keeps the right-hand side free of the
        // slow mode 1/κ; the second pass is a refinement.
        let passes = if matches!(inverse, Inverse::Krylov(_)) { 1 } else { 2 };
        for _ in 0..passes {
            let mut residual: Vec<f64> = apply_vec(a, &p).iter().map(|ap| source - ap).collect();
            inverse.solve(&mut residual)?;
            for (p, d) in p.iter_mut().zip(&residual) {
                *p += d;
            }
        }
        // Mass 1 first: a residual's mass comes back as mass/κ, out of proportion to the source.
        normalise(&mut p);
        self.polish(a, source, &mut p);
        normalise(&mut p);
        match p.iter().position(|p| !(*p > 0.0 && p.is_finite())) {
            None => Ok(p),
            Some(i) => Err(ModelError::StateSolve {
                residual: p[i],
                iterations: 0,
                remedy: "the stationary density is not positive: raise the restart or the diffusion",
            }),
        }
    }

    /// Gauss–Seidel sweeps along the flow, free of subtractions: every cell ends positive, and cells
    /// that hold little mass get their own relative accuracy.
    fn polish(&self, a: &SparseMatrix, source: f64, p: &mut [f64]) {
        let order = flow_order(a);
        let (row_ptr, columns, values) = a.to_rows();
        p.iter_mut().for_each(|p| *p = p.max(0.0));
        for _ in 0..SWEEPS {
            for &i in &order {
                let (mut inflow, mut diagonal) = (source, 1.0);
                for at in row_ptr[i]..row_ptr[i + 1] {
                    match columns[at] {
                        j if j == i => diagonal = values[at],
                        j => inflow -= values[at] * p[j],
                    }
                }
                p[i] = inflow / diagonal;
            }
        }
    }

    fn check(&self) -> Result<(), ModelError> {
        let refuse = |parameter: &str, value: f64, rule| {
            Err(ModelError::OutOfDomain { parameter: parameter.into(), value, rule })
        };
        // Comparisons are written so that NaN is refused.
        let (field, grid) = (&self.field, &self.grid);
        if !(1..=3).contains(&field.dim()) || grid.dim() != field.dim() {
            return refuse("grid dimension", grid.dim() as f64, "the grid has as many axes as the field, 1 to 3");
        }
        if self.parameters.full.len() != field.dim_param() {
            return Err(ModelError::Shape { expected: field.dim_param(), found: self.parameters.full.len() });
        }
        match self.discretisation {
            Discretisation::Upwind { diffusion, restart }
            | Discretisation::ScharfetterGummel { diffusion, restart } => {
                if !(diffusion >= 0.0 && diffusion.is_finite()) {
                    return refuse("diffusion", diffusion, "the diffusion is a finite number >= 0");
                }
                if diffusion == 0.0 && matches!(self.discretisation, Discretisation::ScharfetterGummel { .. }) {
                    return refuse("diffusion", diffusion, "Scharfetter-Gummel needs diffusion > 0; upwind does not");
                }
                if !(restart > 0.0 && restart.is_finite()) {
                    return refuse("restart", restart, "the restart rate is a finite number > 0");
                }
            }
            Discretisation::SemiLagrangian { time, step, points, restart } => {
                if !(time > 0.0 && time.is_finite()) {
                    return refuse("time", time, "the map time is a finite number > 0");
                }
                if !(step > 0.0 && step.is_finite()) {
                    return refuse("step", step, "the Runge-Kutta step is a finite number > 0");
                }
                if time / step > 1e6 {
                    return refuse("time / step", time / step, "at most a million steps per map");
                }
                if !(1..=16).contains(&points) {
                    return refuse("points", points as f64, "1 to 16 points per axis and cell");
                }
                if !(restart > 0.0 && restart < 1.0) {
                    return refuse("restart", restart, "the restart probability lies strictly between 0 and 1");
                }
                if let Some(&few) = grid.cells().iter().find(|&&n| n < 2) {
                    return refuse("cells along an axis", few as f64, "multilinear deposition needs 2 cells or more");
                }
            }
        }
        Ok(())
    }

    fn factored(&self, a: SparseMatrix, rho: Option<&[f64]>) -> Result<(Vec<f64>, FlowFactor), ModelError> {
        let mut solver = self.choose();
        let mut inverse = self.factor(&a, solver)?;
        let mut failed = None;
        let volume = self.grid.cell_volume();
        let p = match rho {
            Some(rho) => {
                let mass = sum(rho.iter().copied());
                rho.iter().map(|r| r / mass).collect()
            }
            None => match (self.stationary(&a, &inverse), &inverse) {
                (Err(ModelError::Linalg(LinalgError::IterationLimit { .. })), Inverse::Krylov(krylov))
                    if self.solver == Solver::Auto && a.ncols() <= DIRECT_CELLS_AT_MOST =>
                {
                    failed = Some(krylov.stats());
                    solver = self.direct();
                    inverse = self.factor(&a, solver)?;
                    self.stationary(&a, &inverse)?
                }
                (found, _) => found?,
            },
        };
        let source = self.restart() / p.len() as f64;
        let diagonal =
            (0..p.len()).filter_map(|j| a.column(j).find(|&(i, _)| i == j)).fold(0.0f64, |m, (_, v)| m.max(v));
        let state_residual = sum(apply_vec(&a, &p).iter().map(|ap| (source - ap).abs())) / diagonal;
        let mut heaviest = p.clone();
        heaviest.sort_unstable_by(|a, b| b.total_cmp(a));
        let concentration = sum(heaviest.into_iter().take(SINK_CELLS));
        let held = self.is_one_way();
        let report = FlowReport {
            solver,
            cells: p.len(),
            nonzeros: a.nnz(),
            fill: inverse.fill(),
            krylov: failed,
            state_residual,
            concentration,
            // Few cells hold half of any density on a very coarse grid.
            spurious_sink: held && concentration > 0.5 && p.len() > 16 * SINK_CELLS,
        };
        let rho = p.iter().map(|p| p / volume).collect();
        Ok((rho, FlowFactor { inverse, p, report }))
    }
}

impl ImplicitConstraint for FlowConstraint {
    type StateFactor = FlowFactor;
    type ParamJacobian = FlowSensitivity;
    fn dim_param(&self) -> usize {
        self.parameters.free.len()
    }
    fn dim_state(&self) -> usize {
        self.grid.len()
    }
    fn parameter_names(&self) -> Vec<String> {
        let names = self.field.parameter_names();
        self.parameters.free.iter().map(|&i| names[i].clone()).collect()
    }
    fn residual(&self, state: &[f64], theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        let a = self.generator(&self.parameters.expand(theta)?)?;
        let source = self.restart() / (self.grid.len() as f64 * self.grid.cell_volume());
        Ok(apply_vec(&a, state).iter().map(|v| v - source).collect())
    }
    fn solve_state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        Ok(self.solve_and_factor(theta)?.0)
    }
    fn factor_state_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<FlowFactor, ModelError> {
        let a = self.generator(&self.parameters.expand(theta)?)?;
        Ok(self.factored(a, Some(state))?.1)
    }
    fn param_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<FlowSensitivity, ModelError> {
        let (full, parameters) = (self.parameters.expand(theta)?, &self.parameters);
        let faces = |scheme, diffusion| {
            self.finite_volume(scheme, diffusion).sensitivity(state, &full, parameters).map(FlowSensitivity::Faces)
        };
        match self.discretisation {
            Discretisation::Upwind { diffusion, .. } => faces(Scheme::Upwind, diffusion),
            Discretisation::ScharfetterGummel { diffusion, .. } => faces(Scheme::ScharfetterGummel, diffusion),
            Discretisation::SemiLagrangian { time, step, points, restart } => self
                .semi_lagrangian(time, step, points)
                .sensitivity(state, &full, parameters, restart)
                .map(FlowSensitivity::Dense),
        }
    }
    fn solve_and_factor(&self, theta: &[f64]) -> Result<(Vec<f64>, FlowFactor), ModelError> {
        self.factored(self.generator(&self.parameters.expand(theta)?)?, None)
    }
}

fn normalise(p: &mut [f64]) {
    let mass = sum(p.iter().copied());
    p.iter_mut().for_each(|p| *p /= mass);
}

/// E = ∂_θ(Aρ) of a flow at fixed ρ (k x p).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum FlowSensitivity {
    /// Fluxes through faces (finite volumes).
    Faces(FaceSensitivity),
    /// A dense matrix (semi-Lagrangian).
    Dense(Mat<f64>),
}

impl LinearOp for FlowSensitivity {
    fn nrows(&self) -> usize {
        match self {
            FlowSensitivity::Faces(e) => e.nrows(),
            FlowSensitivity::Dense(e) => e.nrows(),
        }
    }
    fn ncols(&self) -> usize {
        match self {
            FlowSensitivity::Faces(e) => e.ncols(),
            FlowSensitivity::Dense(e) => e.ncols(),
        }
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        match self {
            FlowSensitivity::Faces(e) => e.apply(out, x),
            FlowSensitivity::Dense(e) => e.apply(out, x),
        }
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        match self {
            FlowSensitivity::Faces(e) => e.apply_transpose(out, y),
            FlowSensitivity::Dense(e) => e.apply_transpose(out, y),
        }
    }
}

#[derive(Debug)]
enum Inverse {
    Dominant(DominantLu),
    Lu(Box<SparseLu>),
    Krylov(Box<BiCgStab>),
}

impl Inverse {
    fn solve(&self, b: &mut [f64]) -> Result<(), ModelError> {
        let n = b.len();
        let column = MatMut::from_column_major_slice_mut(b, n, 1);
        if let Inverse::Krylov(krylov) = self {
            krylov.solve(column, false)?;
        } else {
            self.factorization().apply_inverse(column);
        }
        Ok(())
    }

    fn factorization(&self) -> &dyn Factorization {
        match self {
            Inverse::Dominant(lu) => lu,
            Inverse::Lu(lu) => &**lu,
            Inverse::Krylov(krylov) => &**krylov,
        }
    }

    fn fill(&self) -> Option<usize> {
        match self {
            Inverse::Dominant(lu) => Some(lu.report().fill),
            Inverse::Lu(lu) => Some(lu.report().fill),
            Inverse::Krylov(_) => None,
        }
    }
}

/// The inverse of A on the complement of its mass direction.
///
/// A has the slow eigenvalue κ with right vector p and left vector 1. Parameters move no mass
/// (1ᵀE = 0), so this pair is split off: `apply_inverse` gives (I − p1ᵀ)A⁻¹b and
/// `apply_inverse_transpose` its transpose A⁻ᵀ(h − (pᵀh)1), which saves the digits that the
/// factor 1/κ would cost. On right-hand sides without mass both are A⁻¹ and A⁻ᵀ exactly, and
/// hᵀZ = −λᵀE is unchanged for every h.
///
/// Krylov solves at application may miss their tolerance: [`report`](Self::report) says so.
#[derive(Debug)]
pub struct FlowFactor {
    inverse: Inverse,
    p: Vec<f64>,
    report: FlowReport,
}

impl FlowFactor {
    /// What the solves met, up to now.
    pub fn report(&self) -> FlowReport {
        let krylov = match &self.inverse {
            Inverse::Krylov(krylov) => Some(krylov.stats()),
            _ => self.report.krylov,
        };
        FlowReport { krylov, ..self.report.clone() }
    }
}

impl Factorization for FlowFactor {
    fn dim(&self) -> usize {
        self.p.len()
    }
    fn apply_inverse(&self, b: MatMut<'_, f64>) {
        let mut b = b;
        self.inverse.factorization().apply_inverse(b.as_mut());
        for j in 0..b.ncols() {
            let mass = sum((0..b.nrows()).map(|i| b[(i, j)]));
            for i in 0..b.nrows() {
                b[(i, j)] -= mass * self.p[i];
            }
        }
    }
    fn apply_inverse_transpose(&self, b: MatMut<'_, f64>) {
        let mut b = b;
        for j in 0..b.ncols() {
            let mean = sum((0..b.nrows()).map(|i| b[(i, j)] * self.p[i]));
            for i in 0..b.nrows() {
                b[(i, j)] -= mean;
            }
        }
        self.inverse.factorization().apply_inverse_transpose(b);
    }
}

/// The model θ → stationary density ρ of a flow on a grid.
///
/// ρ = p/|c| with the cell probabilities p of a Markov chain ([`Discretisation`]); Z = ∂_θ ρ by
/// tangent solves A Z = −∂_θ(A) ρ, Zᵀ by adjoint solves with Aᵀ.
///
/// # Shapes
/// State: one value per cell of the grid, row-major; parameters: the free ones.
///
/// # Cost
/// One factorisation (or preconditioner) and one solve per state, one more solve per tangent or adjoint.
///
/// # Example
/// ```
/// use wngd_adjoint::{ForwardModel, dot_test};
/// use wngd_linalg::Grid;
/// use wngd_models::flow::{Discretisation, StationaryDensity, system};
///
/// let lorenz = system("lorenz63").expect("a known name");
/// let grid = Grid::new(&lorenz.lower, &lorenz.upper, &[8, 8, 8])?;
/// let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
/// // sigma and beta free, rayleigh fixed at 28:
/// let model = StationaryDensity::new(lorenz.field, grid, scheme, Some(vec![0, 2]), lorenz.theta)?;
/// assert_eq!(model.parameter_names(), ["sigma", "beta"]);
/// let at = model.linearize(&[10.0, 8.0 / 3.0])?;
/// assert!(dot_test(&at.jacobian, 1) < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StationaryDensity {
    model: Implicit<FlowConstraint>,
}

impl StationaryDensity {
    /// A model of `field` on `grid`; `free` lists the parameters that θ consists of (all, if `None`),
    /// the others keep their values in `theta_full`.
    ///
    /// # Errors
    /// [`ModelError::OutOfDomain`] for a grid of another dimension than the field, a restart, time, step,
    /// number of points or diffusion outside its range, or repeated free indices; [`ModelError::Shape`]
    /// for a `theta_full` of the wrong length.
    pub fn new(
        field: Arc<dyn VelocityField>,
        grid: Grid,
        discretisation: Discretisation,
        free: Option<Vec<usize>>,
        theta_full: Vec<f64>,
    ) -> Result<Self, ModelError> {
        let parameters = Parameters::new(theta_full, free)?;
        let (solver, krylov) = (Solver::default(), KrylovOptions::default());
        let (expected_solves, symbolic) = (0, Arc::default());
        let constraint =
            FlowConstraint { field, grid, discretisation, parameters, solver, krylov, expected_solves, symbolic };
        constraint.check()?;
        Ok(Self { model: Implicit::new(constraint) })
    }

    /// The same model with a given linear solver.
    #[must_use]
    pub fn with_solver(mut self, solver: Solver) -> Self {
        self.model.constraint.solver = solver;
        self
    }

    /// The same model, told how many tangent and adjoint solves follow each state solve: many of them
    /// make a factorisation pay where [`Solver::Auto`] would iterate.
    #[must_use]
    pub fn with_expected_solves(mut self, solves: usize) -> Self {
        self.model.constraint.expected_solves = solves;
        self
    }

    /// The same model with other limits for Krylov solves.
    #[must_use]
    pub fn with_krylov(mut self, options: KrylovOptions) -> Self {
        self.model.constraint.krylov = options;
        self
    }

    /// The constraint g(ρ, θ) = 0 that defines the density.
    pub fn constraint(&self) -> &FlowConstraint {
        &self.model.constraint
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.model.constraint.grid
    }

    /// The velocity field.
    pub fn field(&self) -> &Arc<dyn VelocityField> {
        &self.model.constraint.field
    }

    /// How the density is put on the grid.
    pub fn discretisation(&self) -> Discretisation {
        self.model.constraint.discretisation
    }

    /// All parameters of the field, free ones taken from `theta`.
    ///
    /// # Errors
    /// Wrong length, or values that are not finite.
    pub fn theta_full(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
        self.model.constraint.parameters.expand(theta)
    }

    /// The matrix A(θ) of the chain: κI − K, or I − (1 − ε)M.
    ///
    /// # Errors
    /// [`ModelError::OutOfDomain`] where the flow at θ is not finite.
    pub fn generator(&self, theta: &[f64]) -> Result<SparseMatrix, ModelError> {
        self.model.constraint.generator(&self.theta_full(theta)?)
    }

    /// ρ(θ) with what its solve met.
    ///
    /// # Errors
    /// As [`state`](ForwardModel::state).
    pub fn state_with_report(&self, theta: &[f64]) -> Result<(State, FlowReport), ModelError> {
        let (rho, factor) = self.model.constraint.solve_and_factor(theta)?;
        Ok((State::new(rho), factor.report()))
    }

    /// Expectation of a cell function under the density, |c| ρᵀh.
    pub fn expectation(&self, state: &[f64], h: &[f64]) -> f64 {
        self.grid().cell_volume() * dot(state, h)
    }
}

impl ForwardModel for StationaryDensity {
    type Jacobian = ImplicitJacobian<FlowFactor, FlowSensitivity>;
    fn dim_param(&self) -> usize {
        self.model.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.model.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.model.parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.model.state(theta)
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        self.model.linearize(theta)
    }
    fn solve_counts(&self) -> SolveCounts {
        self.model.solve_counts()
    }
}
