//! Products of a Jacobian that fail end a descent with why they did, and no iterate is told that they spoiled.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wngd_adjoint::{ForwardModel, Linearization, ModelError, State};
use wngd_linalg::LinearOp;
use wngd_linalg::faer::{MatMut, MatRef};
use wngd_opt::{Armijo, Descent, DescentError, Iteration, L2, LeastSquaresMisfit, MatrixFree};

/// ρᵢ = exp(θᵢ), whose products fail from one of them on.
struct Failing {
    products: Arc<AtomicUsize>,
    most: usize,
}

struct Products {
    slopes: Vec<f64>,
    products: Arc<AtomicUsize>,
    most: usize,
}

impl Products {
    fn make(&self, mut out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        for j in 0..x.ncols() {
            let failed = self.products.fetch_add(1, Ordering::Relaxed) >= self.most;
            for (i, slope) in self.slopes.iter().enumerate() {
                out[(i, j)] = if failed { f64::NAN } else { slope * x[(i, j)] };
            }
        }
    }
}

impl LinearOp for Products {
    fn nrows(&self) -> usize {
        self.slopes.len()
    }
    fn ncols(&self) -> usize {
        self.slopes.len()
    }
    fn apply(&self, out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        self.make(out, x);
    }
    fn apply_transpose(&self, out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        self.make(out, y);
    }
}

impl ForwardModel for Failing {
    type Jacobian = Products;
    fn dim_param(&self) -> usize {
        3
    }
    fn dim_state(&self) -> usize {
        3
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        ModelError::check_theta(theta, 3)?;
        Ok(State::new(theta.iter().map(|t| t.exp()).collect()))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Products>, ModelError> {
        let state = self.state(theta)?;
        let (slopes, products) = (state.values.clone(), Arc::clone(&self.products));
        Ok(Linearization { state, jacobian: Products { slopes, products, most: self.most } })
    }
    fn failure(&self) -> Option<ModelError> {
        let failed = self.products.load(Ordering::Relaxed) > self.most;
        failed.then(|| ModelError::Model("the cable is cut".into()))
    }
}

#[test]
fn a_descent_ends_with_what_made_products_fail() {
    let objective = LeastSquaresMisfit::plain(vec![1.0, 2.0, 3.0]).unwrap();
    let rule = MatrixFree::new(L2);
    let mut least = usize::MAX;
    for most in 0..60 {
        let model = Failing { products: Arc::default(), most };
        let mut seen: Vec<Iteration> = Vec::new();
        let mut observer = |row: &Iteration| {
            seen.push(row.clone());
            ControlFlow::Continue(())
        };
        let descent = Descent::new(&model, &objective).direction(&rule);
        let ended = descent.run_with(&[0.1, 0.2, 0.3], &mut Armijo::expanding(1e-4), &mut observer);
        assert!(seen.iter().all(|row| row.gradient_norm.is_finite() && row.objective.is_finite()), "{most}");
        match ended {
            Err(DescentError::Model(error)) => assert!(error.to_string().contains("the cable is cut"), "{error}"),
            Err(error) => panic!("{most}: {error}"),
            Ok(_) => least = least.min(most),
        }
    }
    assert!((5..60).contains(&least), "{least}: the descent ends by itself after some products");
}
