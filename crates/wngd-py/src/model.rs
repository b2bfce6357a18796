//! A model of Python's as a model of the library.

use std::sync::Arc;

use wngd::adjoint::{Bound, Linearization, ModelError, SolveCounts, State};
use wngd::linalg::LinearOp;
use wngd::linalg::faer::{Mat, MatMut, MatRef};
use wngd_experiment::models::{Jacobian, Model, Parameter};

use crate::callables::Callables;

/// A model of callables, with what is said of its parameters.
pub(crate) struct PythonModel {
    /// What is called.
    pub(crate) callables: Arc<Callables>,
    /// Names and start values.
    pub(crate) parameters: Vec<Parameter>,
    /// Bounds of parameters.
    pub(crate) bounds: Vec<Bound>,
}

impl Model for PythonModel {
    fn parameters(&self) -> Vec<Parameter> {
        self.parameters.clone()
    }

    fn dim_state(&self) -> usize {
        self.callables.values()
    }

    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, self.parameters.len())?;
        self.callables.state(theta).map(State::new)
    }

    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Jacobian>, ModelError> {
        let state = self.state(theta)?;
        let (k, p) = (self.callables.values(), self.parameters.len());
        let stored = |values: Vec<f64>, at: fn(usize, usize, usize, usize) -> usize| -> Jacobian {
            Box::new(Mat::from_fn(k, p, |i, j| values[at(i, j, k, p)]))
        };
        let jacobian: Jacobian = if self.callables.has_matrix() {
            stored(self.callables.matrix(theta)?, |i, j, _, p| i * p + j)
        } else if self.callables.has_adjoint() {
            Box::new(Products { callables: self.callables.clone(), theta: theta.to_vec() })
        } else {
            let units: Vec<f64> = (0..p * p).map(|i| if i / p == i % p { 1.0 } else { 0.0 }).collect();
            stored(self.callables.products(theta, &units)?, |i, j, k, _| j * k + i)
        };
        Ok(Linearization { state, jacobian })
    }

    fn solve_counts(&self) -> SolveCounts {
        self.callables.counts()
    }

    fn bounds(&self) -> Vec<Bound> {
        self.bounds.clone()
    }
}

/// Z at θ by the model's products. Where they raise, NaN comes out, and the exception is kept.
struct Products {
    callables: Arc<Callables>,
    theta: Vec<f64>,
}

/// Columns in a row.
fn rows(x: MatRef<'_, f64>) -> Vec<f64> {
    (0..x.ncols()).flat_map(|j| (0..x.nrows()).map(move |i| x[(i, j)])).collect()
}

/// Rows into columns; NaN where there are none.
fn put(mut out: MatMut<'_, f64>, rows: Result<Vec<f64>, ModelError>) {
    let n = out.nrows();
    match rows {
        Ok(rows) => (0..out.ncols()).for_each(|j| (0..n).for_each(|i| out[(i, j)] = rows[j * n + i])),
        Err(_) => out.fill(f64::NAN),
    }
}

impl LinearOp for Products {
    fn nrows(&self) -> usize {
        self.callables.values()
    }

    fn ncols(&self) -> usize {
        self.theta.len()
    }

    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        put(out, self.callables.products(&self.theta, &rows(x)));
    }

    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        put(out, self.callables.transposed(&self.theta, &rows(y)));
    }
}
