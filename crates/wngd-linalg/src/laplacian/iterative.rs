//! Solves and whitening without a factor, by Krylov iterations.

use faer::{Mat, MatMut};

use super::grounded::{FinishPanel, Grounded, tangent_fields};
use super::panel::store;
use super::report::{EliminationKind, LaplacianReport, MassLeak};
use crate::dense::as_column_mut;
use crate::divergence::Divergence;
use crate::error::LinalgError;
use crate::krylov::{BiCgStab, Counters, KrylovOptions, KrylovReport, KrylovStats};
use crate::multigrid::{Multigrid, Solved, Stop};
use crate::operator::{Factorization, LinearOp, apply_transpose_vec};
use crate::sparse::SparseMatrix;

/// The weighted Laplacian BBᵀ of one density, solved by Krylov iterations.
///
/// There is no factor C to whiten with: [`whiten`](Self::whiten) gives the tangent fields Y = B†Z = Bᵀφ themselves.
#[derive(Debug)]
pub struct IterativeLaplacian {
    pub(super) grounded: Grounded,
    solver: Solver,
    divergence: Divergence,
}

/// What solves.
#[derive(Debug)]
enum Solver {
    /// The grounded matrix, scaled to unit diagonal.
    BiCgStab(Box<BiCgStab>),
    /// The matrix as it is, up to a constant on each component.
    Multigrid(Box<Multigrid>, Counters),
}

/// A solver that stood its test, or why it did not.
pub(super) enum Attempt {
    Solves(Box<IterativeLaplacian>),
    Stopped { grounded: Box<Grounded>, limit: LinalgError },
}

/// What multigrid must reach: errors of the fields of a tangent, relative to them.
const STOP: Stop = Stop { aim: 5e-13, tolerance: 1e-10, cycles: 60 };
/// The same for the solve that tests it, on a level whose rounding is a hundredth.
const TEST: Stop = Stop { aim: 5e-14, tolerance: 5e-13, cycles: 60 };

/// The projected and scaled tangents themselves, which the Krylov solver takes; its order is that of the cells.
struct Scaled;

impl FinishPanel for Scaled {
    fn finish<const W: usize>(&self, x: &mut [f64], mut columns: Vec<&mut [f64]>, _: &[Vec<f64>], _: bool) {
        store::<W>(&mut columns, |i| i, |_| 1.0, x);
    }
}

impl IterativeLaplacian {
    /// Prepares solves of the scaled matrix and makes one, of the constant potential. Slow modes of the matrix look
    /// like √degree times a smooth potential, so these are the weights of the aggregates.
    pub(super) fn by_bicgstab(
        mut grounded: Grounded,
        conductance: &[f64],
        degree: &[f64],
        kept: &[bool],
    ) -> Result<Attempt, LinalgError> {
        let (n, scale) = (degree.len(), &grounded.scale);
        let mut columns: Vec<Vec<(usize, f64)>> = (0..n).map(|i| vec![(i, 1.0)]).collect();
        grounded.plan.for_each_face(|face, left, right| {
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
        let (mut labels, mut renamed, mut count) = (grounded.plan.grid.cubes(), vec![usize::MAX; n], 0);
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
        let divergence = Divergence::from_faces(&grounded.plan.grid, &grounded.faces)?;
        grounded.report.elimination = EliminationKind::Krylov;
        let mut current = grounded.constant_current(conductance, kept);
        solver.apply_inverse(as_column_mut(&mut current));
        grounded.report.constant_error = grounded.constant_error(kept, current.into_iter());
        let limit = missed("BiCGSTAB on the weighted Laplacian", solver.stats());
        Ok(Self { grounded, solver: Solver::BiCgStab(Box::new(solver)), divergence }.unless(limit))
    }

    /// Prepares multigrid and makes one solve, which moves all mass askew through the box, and so across every valley.
    pub(super) fn by_multigrid(mut grounded: Grounded, conductance: &[f64]) -> Result<Attempt, LinalgError> {
        let grid = grounded.plan.grid().clone();
        // What elimination would take up again.
        let kept = (grounded.scale, grounded.support.mass.clone(), grounded.report.elimination);
        // Nothing is scaled, and no cell held.
        grounded.scale = grounded.carries.iter().map(|&carries| if carries { 1.0 } else { 0.0 }).collect();
        grounded.support.mass = grounded.support.exact_mass(&grounded.density);
        grounded.report.elimination = EliminationKind::Multigrid;
        let Some(multigrid) = Multigrid::new(&grid, conductance) else {
            (grounded.scale, grounded.support.mass, grounded.report.elimination) = kept;
            let stats = KrylovStats { tolerance: TEST.tolerance, residual: f64::INFINITY, ..KrylovStats::default() };
            return Ok(Attempt::Stopped { grounded: Box::new(grounded), limit: limit(MULTIGRID, stats) });
        };
        let divergence = Divergence::from_faces(&grid, &grounded.faces)?;
        let mut moved = Mat::from_fn(grid.len(), 1, |i, _| {
            let center = grid.center(i);
            let along = |axis: usize| (center[axis] - grid.lower()[axis]) / (grid.upper()[axis] - grid.lower()[axis]);
            let (x, y) = (along(0), along(1));
            grounded.density[i] * (x + 0.618 * y - 0.3 * x * y)
        });
        grounded.solve_panels(moved.as_mut(), &Scaled);
        let Solved { iterations, error } = multigrid.probe(moved.col_as_slice(0), TEST);
        grounded.report.constant_error = error;
        let stats = KrylovStats { iterations, residual: error, tolerance: TEST.tolerance, ..KrylovStats::default() };
        let stopped = (!(error <= TEST.tolerance)).then(|| limit(MULTIGRID, stats));
        let solver = Solver::Multigrid(Box::new(multigrid), Counters::default());
        let mut attempt = Self { grounded, solver, divergence }.unless(stopped);
        if let Attempt::Stopped { grounded, .. } = &mut attempt {
            (grounded.scale, grounded.support.mass, grounded.report.elimination) = kept;
        }
        Ok(attempt)
    }

    /// Itself, or what stopped it.
    fn unless(self, stopped: Option<LinalgError>) -> Attempt {
        match stopped {
            None => Attempt::Solves(Box::new(self)),
            Some(limit) => Attempt::Stopped { grounded: Box::new(self.grounded), limit },
        }
    }

    /// What the preparation met, and the solves up to now.
    pub fn report(&self) -> LaplacianReport {
        LaplacianReport { krylov: Some(self.solver.stats()), ..self.grounded.report.clone() }
    }

    /// Y = B†Z of the mass-projected columns.
    ///
    /// # Shapes
    /// `z`: k x p; result: q x p and the mass leak removed, p.
    ///
    /// # Cost
    /// One Krylov solve per column.
    pub fn whiten(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let (phi, leak) = self.solve(z);
        (tangent_fields(&self.divergence, &phi), leak)
    }

    /// Lᵀξ for the map L: Z ↦ Y of [`whiten`](Self::whiten): probes of Y as probes of Z, YᵀΞ = Zᵀ(LᵀΞ).
    ///
    /// # Shapes
    /// `xi`: q x r; result: k x r.
    ///
    /// # Cost
    /// One Krylov solve per column.
    pub fn whiten_transpose(&self, xi: Mat<f64>) -> Mat<f64> {
        // L = BᵀSP with the symmetric solve S, grounded or up to a constant that the projection takes off again; what B
        // makes has no mass to project out.
        let mut divergence = Mat::zeros(self.grounded.density.len(), xi.ncols());
        self.divergence.apply(divergence.as_mut(), xi.as_ref());
        let mut phi = self.solve(divergence).0;
        (0..phi.ncols()).for_each(|j| self.grounded.project_transpose(phi.col_as_slice_mut(j)));
        phi
    }

    /// φ with BBᵀφ = Z for the mass-projected columns, 0 at the grounded cells; k x p.
    pub fn solve(&self, z: Mat<f64>) -> (Mat<f64>, MassLeak) {
        let mut z = z;
        let leak = self.grounded.solve_panels(z.as_mut(), &Scaled);
        self.solver.apply(z.as_mut());
        let Grounded { scale, support, .. } = &self.grounded;
        for j in 0..z.ncols() {
            let column = z.col_as_slice_mut(j);
            if matches!(self.solver, Solver::Multigrid(..)) {
                let level: Vec<f64> = support.ground.iter().map(|&cell| column[cell]).collect();
                column.iter_mut().zip(&support.label).for_each(|(value, &label)| *value -= level[label]);
            }
            column.iter_mut().zip(scale).for_each(|(value, scale)| *value *= scale);
        }
        (z, leak)
    }

    /// The derivative u of an objective in the coordinates of [`whiten`](Self::whiten): Bᵀu.
    ///
    /// # Shapes
    /// `u`: k; result: q.
    pub fn whiten_derivative(&self, u: &[f64]) -> Vec<f64> {
        apply_transpose_vec(&self.divergence, u)
    }

    /// As [`WeightedLaplacian::project_derivative`](crate::WeightedLaplacian::project_derivative).
    pub fn project_derivative(&self, u: &[f64]) -> Vec<f64> {
        self.grounded.project_derivative(u)
    }
}

const MULTIGRID: &str = "multigrid on the weighted Laplacian";

impl Solver {
    fn apply(&self, columns: MatMut<'_, f64>) {
        match self {
            Self::BiCgStab(solver) => solver.apply_inverse(columns),
            Self::Multigrid(multigrid, counters) => {
                let solved = multigrid.solve(columns, STOP);
                let report = KrylovReport {
                    iterations: solved.iter().map(|s| s.iterations).max().unwrap_or(0),
                    residual: solved.iter().map(|s| s.error).fold(0.0, |m, e| if e > m || e.is_nan() { e } else { m }),
                    missed: solved.iter().filter(|s| !(s.error <= STOP.tolerance)).count(),
                };
                counters.add(solved.len(), &report);
            }
        }
    }

    fn stats(&self) -> KrylovStats {
        match self {
            Self::BiCgStab(solver) => solver.stats(),
            Self::Multigrid(_, counters) => counters.stats(STOP.tolerance),
        }
    }
}

/// The error of a solver that missed its tolerance.
fn missed(what: &'static str, stats: KrylovStats) -> Option<LinalgError> {
    (stats.missed > 0).then(|| limit(what, stats))
}

fn limit(what: &'static str, stats: KrylovStats) -> LinalgError {
    let KrylovStats { iterations, residual, tolerance, .. } = stats;
    LinalgError::IterationLimit { what, iterations, residual, tolerance }
}
