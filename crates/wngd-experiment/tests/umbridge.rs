//! A model behind UM-Bridge descends as the same model in Rust does: same bits, no more calls.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/umbridge.rs"]
mod umbridge;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use umbridge::{Model, Server, decays};
use wngd::adjoint::{Linearization, State};
use wngd::linalg::LinearOp;
use wngd::linalg::faer::{MatMut, MatRef};
use wngd::opt::Descent;
use wngd::prelude::{ForwardModel, ModelError};
use wngd_experiment::{Experiment, Source};

/// The same model in this process, with its calls counted: evaluations, Jv, vᵀJ.
struct Own {
    model: Model,
    calls: Arc<[AtomicUsize; 3]>,
}

impl Own {
    fn count(&self, which: usize) {
        self.calls[which].fetch_add(1, Ordering::Relaxed);
    }
}

struct Products {
    model: Model,
    theta: Vec<f64>,
    calls: Arc<[AtomicUsize; 3]>,
}

impl LinearOp for Products {
    fn nrows(&self) -> usize {
        self.model.outputs
    }
    fn ncols(&self) -> usize {
        self.theta.len()
    }
    fn apply(&self, mut out: MatMut<'_, f64>, x: MatRef<'_, f64>) {
        for j in 0..x.ncols() {
            let v: Vec<f64> = (0..x.nrows()).map(|i| x[(i, j)]).collect();
            self.calls[1].fetch_add(1, Ordering::Relaxed);
            let found = self.model.apply.as_ref().unwrap()(&self.theta, &v);
            found.into_iter().enumerate().for_each(|(i, v)| out[(i, j)] = v);
        }
    }
    fn apply_transpose(&self, mut out: MatMut<'_, f64>, y: MatRef<'_, f64>) {
        for j in 0..y.ncols() {
            let s: Vec<f64> = (0..y.nrows()).map(|i| y[(i, j)]).collect();
            self.calls[2].fetch_add(1, Ordering::Relaxed);
            let found = self.model.gradient.as_ref().unwrap()(&self.theta, &s);
            found.into_iter().enumerate().for_each(|(i, v)| out[(i, j)] = v);
        }
    }
}

impl ForwardModel for Own {
    type Jacobian = Box<dyn LinearOp>;
    fn dim_param(&self) -> usize {
        self.model.inputs
    }
    fn dim_state(&self) -> usize {
        self.model.outputs
    }
    fn state(&self, theta: &[f64]) -> Result<State, ModelError> {
        self.count(0);
        Ok(State::new((self.model.evaluate)(theta)))
    }
    fn linearize(&self, theta: &[f64]) -> Result<Linearization<Self::Jacobian>, ModelError> {
        let state = self.state(theta)?;
        let products = Products { model: self.model.clone(), theta: theta.to_vec(), calls: Arc::clone(&self.calls) };
        Ok(Linearization { state, jacobian: Box::new(products) })
    }
}

#[test]
fn the_same_bits_without_more_calls() {
    let (p, k) = (40, 300);
    let truth: Vec<f64> = (0..p).map(|i| 0.3 + 0.4 * (i as f64).sin()).collect();
    for requests in [1, 4] {
        let folder = tempfile::tempdir().unwrap();
        let values: Vec<String> = (decays(p, k).evaluate)(&truth).iter().map(|v| format!("{v:?}")).collect();
        std::fs::write(folder.path().join("v.csv"), format!("v\n{}\n", values.join("\n"))).unwrap();
        let server = Server::of(decays(p, k));
        let start = vec!["0.5"; p].join(", ");
        let text = format!(
            "name = \"remote\"\n[model]\nkind = \"um-bridge\"\nurl = \"{}\"\nname = \"forward\"\nstart = [{start}]\n\
             requests = {requests}\n[data]\nvalues = \"v.csv\"\n[[method]]\nmetric = \"l2\"\nsolver = \"krylov\"\n\
             damping = 1e-6\n",
            server.url()
        );
        let source = Source::parse("x.toml".into(), Some(folder.path().to_path_buf()), text).unwrap();
        let experiment = Experiment::build(&source).unwrap();
        // What it takes to know that the server can be used: sizes, the start, and the test of derivatives.
        let before = ["Evaluate", "ApplyJacobian", "Gradient"].map(|endpoint| server.calls(endpoint));
        assert!(before.iter().sum::<usize>() <= 9, "{before:?}");
        let remote = experiment.descent(0, 0).iterations(6).run(&experiment.theta0).unwrap();
        let own = Own { model: decays(p, k), calls: Arc::default() };
        let descent = Descent::new(&own, experiment.objective.as_ref()).direction(experiment.direction(0));
        let local = descent.stop(experiment.descent(0, 0).stop).iterations(6).run(&experiment.theta0).unwrap();
        let thetas =
            |outcome: &wngd::opt::Outcome| outcome.trace.iter().map(|row| row.theta.clone()).collect::<Vec<_>>();
        assert_eq!(thetas(&remote), thetas(&local));
        assert!(remote.last().objective < 1e-3 * remote.trace[0].objective, "{:?}", remote.last());
        for (i, endpoint) in ["Evaluate", "ApplyJacobian", "Gradient"].into_iter().enumerate() {
            let (asked, counted) = (server.calls(endpoint) - before[i], own.calls[i].load(Ordering::Relaxed));
            assert!(asked <= counted, "{endpoint}: {asked} calls, {counted} in Rust");
            assert!(counted > 6, "{endpoint}: {counted}");
        }
    }
}
