use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use wngd_linalg::dense::column_pieces;
use wngd_linalg::faer::{Mat, MatMut, MatRef};
use wngd_linalg::{Factorization, LinearOp};

use crate::error::ModelError;
use crate::model::{ForwardModel, Linearization, SolveCounts, State};

/// Right-hand sides solved together; blocks run in parallel. Fixed, so that
/// results do not depend on the number of threads.
const BLOCK: usize = 8;

/// A state defined by g(ρ, θ) = 0.
///
/// [`Implicit`] makes a [`ForwardModel`] of it: with A = ∂_ρ g and E = ∂_θ g,
/// Z = −A⁻¹E by tangent solves and hᵀZ = −λᵀE with Aᵀλ = h by adjoint solves.
///
/// # Example
/// Poisson's equation −e^θ₀ u″ = θ₁ on (0, 1), u = 0 at both ends, at n inner points:
/// ```
/// use wngd_adjoint::faer::Mat;
/// use wngd_adjoint::{Implicit, ImplicitConstraint, LuOrdering, ModelError, SparseLu, SparseMatrix};
/// use wngd_adjoint::{apply_vec, solve, taylor_test};
///
/// struct Poisson(usize);
///
/// fn matrix(n: usize, theta: &[f64]) -> Result<SparseMatrix, ModelError> {
///     let c = theta[0].exp() * (n as f64 + 1.0).powi(2);
///     let entries = (0..n).flat_map(|i| [(i, i, 2.0 * c), (i, i + 1, -c), (i + 1, i, -c)]);
///     Ok(SparseMatrix::from_entries(n, n, entries.filter(|&(i, j, _)| i < n && j < n))?)
/// }
///
/// impl ImplicitConstraint for Poisson {
///     type StateFactor = SparseLu;
///     type ParamJacobian = Mat<f64>;
///     fn dim_param(&self) -> usize { 2 }
///     fn dim_state(&self) -> usize { self.0 }
///     fn residual(&self, u: &[f64], theta: &[f64]) -> Result<Vec<f64>, ModelError> {
///         Ok(apply_vec(&matrix(self.0, theta)?, u).iter().map(|au| au - theta[1]).collect())
///     }
///     fn solve_state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError> {
///         Ok(solve(&self.factor_state_jacobian(&[], theta)?, &vec![theta[1]; self.0]))
///     }
///     fn factor_state_jacobian(&self, _: &[f64], theta: &[f64]) -> Result<SparseLu, ModelError> {
///         Ok(SparseLu::new(&matrix(self.0, theta)?, LuOrdering::Colamd)?)
///     }
///     fn param_jacobian(&self, u: &[f64], theta: &[f64]) -> Result<Mat<f64>, ModelError> {
///         let au = apply_vec(&matrix(self.0, theta)?, u);
///         Ok(Mat::from_fn(self.0, 2, |i, j| if j == 0 { au[i] } else { -1.0 }))
///     }
/// }
///
/// let model = Implicit::new(Poisson(50));
/// let test = taylor_test(&model, &[0.3, 1.0], &[1.0, -0.5])?;
/// assert!(test.is_exact(), "{test}");
/// # Ok::<(), ModelError>(())
/// ```
pub trait ImplicitConstraint: Sync {
    /// A factored A = ∂_ρ g (k x k), or a preconditioned solver for it.
    type StateFactor: Factorization;
    /// E = ∂_θ g (k x p).
    type ParamJacobian: LinearOp;
    /// Number of parameters p.
    fn dim_param(&self) -> usize;
    /// Number of state values k.
    fn dim_state(&self) -> usize;
    /// Names of the parameters, in order.
    fn parameter_names(&self) -> Vec<String> {
        (0..self.dim_param()).map(|i| format!("theta[{i}]")).collect()
    }
    /// g(ρ, θ), k values.
    ///
    /// # Errors
    /// θ outside the domain.
    fn residual(&self, state: &[f64], theta: &[f64]) -> Result<Vec<f64>, ModelError>;
    /// ρ with g(ρ, θ) = 0.
    ///
    /// # Errors
    /// θ outside the domain, or no solution found.
    fn solve_state(&self, theta: &[f64]) -> Result<Vec<f64>, ModelError>;
    /// A at (ρ, θ).
    ///
    /// # Errors
    /// A singular or not computable.
    fn factor_state_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<Self::StateFactor, ModelError>;
    /// E at (ρ, θ).
    ///
    /// # Errors
    /// θ outside the domain.
    fn param_jacobian(&self, state: &[f64], theta: &[f64]) -> Result<Self::ParamJacobian, ModelError>;
    /// ρ together with A; override where the state solve already factors A.
    ///
    /// # Errors
    /// As its two parts.
    fn solve_and_factor(&self, theta: &[f64]) -> Result<(Vec<f64>, Self::StateFactor), ModelError> {
        let state = self.solve_state(theta)?;
        let factor = self.factor_state_jacobian(&state, theta)?;
        Ok((state, factor))
    }
}

/// The forward model of an [`ImplicitConstraint`], with solve counters.
#[derive(Debug, Default)]
pub struct Implicit<C> {
    /// The constraint.
    pub constraint: C,
    counters: std::sync::Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    state: AtomicUsize,
    tangent: AtomicUsize,
    adjoint: AtomicUsize,
}

impl<C: ImplicitConstraint> Implicit<C> {
    /// Wraps a constraint.
    pub fn new(constraint: C) -> Self {
        Self { constraint, counters: Default::default() }
    }
}

impl<C: ImplicitConstraint> ForwardModel for Implicit<C> {
    type Jacobian = ImplicitJacobian<C::StateFactor, C::ParamJacobian>;
    fn dim_param(&self) -> usize {
        self.constraint.dim_param()
    }
    fn dim_state(&self) -> usize {
        self.constraint.dim_state()
    }
    fn parameter_names(&self) -> Vec<String> {
        self.constraint.parameter_names()
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, self.dim_param())?;
        self.counters.state.fetch_add(1, Ordering::Relaxed);
        Ok(State::new(self.constraint.solve_state(theta)?))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        ModelError::check_theta(theta, self.dim_param())?;
        self.counters.state.fetch_add(1, Ordering::Relaxed);
        let (state, factor) = self.constraint.solve_and_factor(theta)?;
        let param = self.constraint.param_jacobian(&state, theta)?;
        Ok(Linearization {
            state: State::new(state),
            jacobian: ImplicitJacobian { factor, param, counters: self.counters.clone() },
        })
    }
    fn solve_counts(&self) -> SolveCounts {
        SolveCounts {
            state: self.counters.state.load(Ordering::Relaxed),
            tangent: self.counters.tangent.load(Ordering::Relaxed),
            adjoint: self.counters.adjoint.load(Ordering::Relaxed),
        }
    }
}

/// Z = −A⁻¹E of an implicit model: tangent solves forward, adjoint solves backward.
///
/// # Cost
/// One solve with A (or Aᵀ) per column; blocks of 8 columns in parallel.
#[derive(Debug)]
pub struct ImplicitJacobian<F, E> {
    factor: F,
    param: E,
    counters: std::sync::Arc<Counters>,
}

impl<F: Factorization, E: LinearOp> ImplicitJacobian<F, E> {
    /// The factored A = ∂_ρ g.
    pub fn factor(&self) -> &F {
        &self.factor
    }

    /// E = ∂_θ g.
    pub fn param_jacobian(&self) -> &E {
        &self.param
    }

    /// λ with Aᵀλ = h for a block of h (k x r).
    pub fn adjoint(&self, h: MatRef<'_, f64>) -> Mat<f64> {
        self.counters.adjoint.fetch_add(h.ncols(), Ordering::Relaxed);
        let mut lambda = h.to_owned();
        in_blocks(lambda.as_mut(), |block| self.factor.apply_inverse_transpose(block));
        lambda
    }
}

/// Runs `solve` on blocks of columns in parallel.
fn in_blocks(mat: MatMut<'_, f64>, solve: impl Fn(MatMut<'_, f64>) + Sync + Send) {
    column_pieces(mat, BLOCK).into_par_iter().for_each(solve);
}

impl<F: Factorization, E: LinearOp> LinearOp for ImplicitJacobian<F, E> {
    fn nrows(&self) -> usize {
        self.factor.dim()
    }
    fn ncols(&self) -> usize {
        self.param.ncols()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        let mut out = out;
        self.counters.tangent.fetch_add(x.ncols(), Ordering::Relaxed);
        self.param.apply(out.as_mut(), x);
        in_blocks(out.as_mut(), |block| self.factor.apply_inverse(block));
        negate(out);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        let mut out = out;
        let lambda = self.adjoint(y);
        self.param.apply_transpose(out.as_mut(), lambda.as_ref());
        negate(out);
    }
}

fn negate(mat: MatMut<'_, f64>) {
    let mut mat = mat;
    for j in 0..mat.ncols() {
        for i in 0..mat.nrows() {
            mat[(i, j)] = -mat[(i, j)];
        }
    }
}
