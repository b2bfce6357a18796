use std::sync::{Arc, Mutex, PoisonError};

use wngd_adjoint::{ImplicitConstraint, LinearOp, LuOrdering, ModelError, SparseLu, SparseMatrix};
use wngd_linalg::dense::sum;
use wngd_linalg::operator::apply_vec;
use wngd_linalg::{
    BiCgStab, DominantLu, Grid, KrylovOptions, LinalgError, Ordering, SymbolicCholesky, flow_order, nested_dissection,
};

use crate::flow::discretisation::Discretisation;
use crate::flow::field::VelocityField;
use crate::flow::finite_volume::{FiniteVolume, Scheme};
use crate::flow::parameters::Parameters;
use crate::flow::semi_lagrangian::SemiLagrangian;
use crate::flow::sensitivity::FlowSensitivity;
use crate::flow::solver::{FlowFactor, FlowReport, Inverse, Solver, SolverUsed};

/// Cells in which a spurious sink gathers its mass.
const SINK_CELLS: usize = 8;
/// Largest number of cells that [`Solver::Auto`] factors, by dimension of the grid.
const DIRECT_CELLS: [usize; 3] = [1_000_000, 40_000, 10_000];
/// The same for the semi-Lagrangian operator, whose factors fill in.
const DIRECT_TRANSFER_CELLS: usize = 2_000;
/// Largest number of cells that [`Solver::Auto`] factors after Krylov has failed.
const DIRECT_CELLS_AT_MOST: usize = 150_000;
/// Gauss–Seidel sweeps that end a state solve.
const SWEEPS: usize = 2;

/// g(ρ, θ) = A(θ)ρ − κ/(k|c|)·1 on a grid.
///
/// A = κI − K for finite volumes; A = I − (1 − ε)M and κ = ε for the semi-Lagrangian scheme.
/// In both, the columns of A sum to κ, so that a solution has mass 1 by itself.
#[derive(Clone)]
pub struct FlowConstraint {
    pub(crate) field: Arc<dyn VelocityField>,
    pub(crate) grid: Grid,
    pub(crate) discretisation: Discretisation,
    pub(crate) parameters: Parameters,
    pub(crate) solver: Solver,
    pub(crate) krylov: KrylovOptions,
    /// Analysis of the last direct factorisation, good for every θ of the same pattern.
    pub(crate) symbolic: Arc<Mutex<Option<Arc<SymbolicCholesky>>>>,
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
    fn finite_volume(&self, scheme: Scheme, diffusion: f64) -> FiniteVolume<'_> {
        FiniteVolume { field: &*self.field, grid: &self.grid, scheme, diffusion }
    }

    fn semi_lagrangian(&self, time: f64, step: f64, points: usize) -> SemiLagrangian<'_> {
        SemiLagrangian { field: &*self.field, grid: &self.grid, time, step, points }
    }

    /// A(θ) for all parameters.
    pub(crate) fn generator(&self, full: &[f64]) -> Result<SparseMatrix, ModelError> {
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
        let source = self.discretisation.restart() / n as f64;
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
            Some(cell) => {
                let value = p[cell] / self.grid.cell_volume();
                Err(ModelError::Density { cell, value, remedy: "raise the restart or the diffusion" })
            }
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

    pub(crate) fn check(&self) -> Result<(), ModelError> {
        let (axes, coordinates) = (self.grid.dim(), self.field.dim());
        if !(1..=3).contains(&coordinates) || axes != coordinates {
            let problem =
                format!("{axes} axes, the field has {coordinates} coordinates; 1 to 3, as many of each, are needed");
            return Err(ModelError::invalid("grid", problem));
        }
        if self.parameters.full.len() != self.field.dim_param() {
            return Err(ModelError::Shape { expected: self.field.dim_param(), found: self.parameters.full.len() });
        }
        self.discretisation.check(&self.grid)
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
        let source = self.discretisation.restart() / p.len() as f64;
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
        let source = self.discretisation.restart() / (self.grid.len() as f64 * self.grid.cell_volume());
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
