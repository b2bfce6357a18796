use std::sync::Arc;

use wngd_adjoint::{
    ForwardModel, Implicit, ImplicitConstraint, ImplicitJacobian, Linearization, ModelError, SolveCounts, SparseMatrix,
    State,
};
use wngd_linalg::dense::dot;
use wngd_linalg::{Grid, KrylovOptions};

use crate::flow::constraint::FlowConstraint;
use crate::flow::discretisation::Discretisation;
use crate::flow::field::VelocityField;
use crate::flow::parameters::Parameters;
use crate::flow::sensitivity::FlowSensitivity;
use crate::flow::solver::{FlowFactor, FlowReport, Solver};

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
    /// [`ModelError::Invalid`] for a grid of another dimension than the field, a restart, time, step,
    /// number of points or diffusion outside its range, repeated free indices, or parameters that are not
    /// finite; [`ModelError::Shape`] for a `theta_full` of the wrong length.
    pub fn new(
        field: Arc<dyn VelocityField>,
        grid: Grid,
        discretisation: Discretisation,
        free: Option<Vec<usize>>,
        theta_full: Vec<f64>,
    ) -> Result<Self, ModelError> {
        let parameters = Parameters::new(theta_full, free)?;
        let (solver, krylov) = (Solver::default(), KrylovOptions::default());
        let symbolic = Arc::default();
        let constraint = FlowConstraint { field, grid, discretisation, parameters, solver, krylov, symbolic };
        constraint.check()?;
        Ok(Self { model: Implicit::new(constraint) })
    }

    /// The same model with a given linear solver.
    #[must_use]
    pub fn with_solver(mut self, solver: Solver) -> Self {
        self.model.constraint.solver = solver;
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

#[cfg(test)]
mod tests {
    use wngd_linalg::LinalgError;

    use super::*;
    use crate::flow::{Lorenz63, SolverUsed};

    const LORENZ: [f64; 3] = [10.0, 28.0, 8.0 / 3.0];

    fn lorenz(n: usize, solver: Solver, max_iterations: usize) -> StationaryDensity {
        let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[n; 3]).unwrap();
        let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
        let model = StationaryDensity::new(Arc::new(Lorenz63), grid, scheme, None, LORENZ.to_vec()).unwrap();
        let mut model = model.with_solver(solver);
        model.model.constraint.krylov.max_iterations = max_iterations;
        model
    }

    #[test]
    fn the_automatic_choice_factors_where_krylov_fails() {
        let found = |solver, limit| lorenz(22, solver, limit).state_with_report(&LORENZ).unwrap();
        let (krylov, report) = found(Solver::Auto, 1000);
        assert_eq!((report.solver, report.krylov.unwrap().missed), (SolverUsed::BiCgStab, 0));
        let (fallback, report) = found(Solver::Auto, 2);
        assert_eq!((report.solver, report.krylov.unwrap().missed), (SolverUsed::DominantLu, 1));
        let (direct, report) = found(Solver::Direct, 1000);
        assert_eq!((report.solver, report.krylov), (SolverUsed::DominantLu, None));
        assert_eq!(fallback.values, direct.values);
        let largest = direct.values.iter().fold(0.0f64, |m, &v| m.max(v));
        for (a, b) in krylov.values.iter().zip(&direct.values) {
            assert!((a - b).abs() < 1e-9 * largest);
        }
    }

    #[test]
    fn a_krylov_solve_that_stops_early_says_so() {
        let model = lorenz(8, Solver::Krylov, 1);
        assert!(matches!(model.state(&LORENZ), Err(ModelError::Linalg(LinalgError::IterationLimit { .. }))));
    }
}
