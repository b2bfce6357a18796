//! Every stage of a W₂ direction, and the whole of it.
#![allow(missing_docs, clippy::unwrap_used)]

mod problem;

use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use problem::Problem;
use wngd::linalg::{LeastSquares, NormalEquations, PivotedQr};
use wngd::opt::Point;
use wngd::prelude::*;

/// The stages on 256 x 256 cells.
fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("stages-256");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    for p in [2, 100, 1000] {
        let problem = Problem::new(256, p).unwrap();
        let Linearization { state, jacobian } = problem.model.linearize(&problem.theta).unwrap();
        let jacobian = jacobian.into_dense();
        let point = Point { theta: &problem.theta, state: &state, iteration: 0, rounding: &[] };
        let metric = Wasserstein2::new(problem.plan.clone());
        group.bench_function(BenchmarkId::new("model", p), |b| {
            b.iter_with_large_drop(|| problem.model.linearize(&problem.theta).unwrap());
        });
        if p == 2 {
            group.bench_function("factor", |b| b.iter(|| metric.laplacian_at(&point).unwrap()));
        }
        let laplacian = metric.laplacian_at(&point).unwrap();
        let laplacian = laplacian.factored().expect("a grid of the plane");
        group.bench_function(BenchmarkId::new("whiten", p), |b| {
            b.iter_batched(|| jacobian.clone(), |z| laplacian.whiten(z), BatchSize::PerIteration);
        });
        let (_, u) = problem.objective.derivative(&state).unwrap();
        let rhs = laplacian.whiten_derivative(&u);
        let (x, _) = laplacian.whiten(jacobian);
        group.bench_function(BenchmarkId::new("least squares, qr", p), |b| {
            b.iter(|| PivotedQr::default().solve(&x, &rhs, None).unwrap());
        });
        group.bench_function(BenchmarkId::new("least squares, information", p), |b| {
            b.iter(|| NormalEquations::default().solve(&x, &rhs, None).unwrap());
        });
    }
}

/// The whole direction.
fn directions(c: &mut Criterion) {
    let mut group = c.benchmark_group("direction");
    group.sample_size(10).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    for (n, p) in [(84, 2), (256, 2), (256, 100), (256, 1000)] {
        let problem = Problem::new(n, p).unwrap();
        for (name, route) in [("qr", Route::Qr), ("information", Route::Information)] {
            group.bench_function(BenchmarkId::new(name, format!("{n}x{n}, p = {p}")), |b| {
                b.iter(|| problem.direction(route).unwrap());
            });
        }
    }
}

criterion_group!(benches, stages, directions);
criterion_main!(benches);
