//! Probes, sketches and matrix-free directions against exact ones, on synthetic problems and on the
//! Lorenz flow with many parameters.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../../../tests/common/hidden.rs"]
mod hidden;

use std::sync::Arc;

use hidden::Hidden;
use wngd::adjoint::{Gram, Implicit, ProbeKind, Probes, Sketch, estimate_trace};
use wngd::linalg::dense::{dot, norm};
use wngd::linalg::faer::Mat;
use wngd::linalg::operator::{apply_transpose_vec, apply_vec};
use wngd::linalg::{LeastSquares, PivotedQr};
use wngd::models::Diffusion;
use wngd::models::flow::{Discretisation, HatPerturbation, Lorenz63, StationaryDensity, VelocityField};
use wngd::opt::{Direction, EstimateReport, Estimator, MatrixFree, Metric, Point};
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    Probes { kind: ProbeKind::Gaussian, seed, iteration: 99 }.block(rows, 0, columns)
}

/// k x p with singular values from 1 down to 1/`condition`, and its right singular vectors.
fn conditioned(k: usize, p: usize, condition: f64) -> Mat<f64> {
    let (u, v) = (random(k, p, 1).qr().compute_thin_Q(), random(p, p, 2).qr().compute_thin_Q());
    let scaled = Mat::from_fn(k, p, |i, j| u[(i, j)] * condition.powf(-(j as f64) / (p - 1) as f64));
    &scaled * v.transpose()
}

fn estimate(solver: &MatrixFree<L2>, z: &Hidden, u: &[f64]) -> Result<(Direction, EstimateReport), Any> {
    let state = State::new(vec![1.0; z.nrows()]);
    let theta = vec![0.0; z.ncols()];
    let point = Point { theta: &theta, state: &state, iteration: 0, rounding: &[] };
    let direction = solver.prepare(&point, z.clone(), u, 1.0)?.direction(solver.damping)?;
    let report = direction.estimate.clone().ok_or("no report")?;
    Ok((direction, report))
}

#[test]
fn sketch_to_precondition_is_accurate_at_any_condition_number() -> Result<(), Any> {
    precondition(&[(200, 4000, 1e4), (200, 4000, 1e8), (800, 6000, 1e8)])
}

#[test]
#[ignore = "half a minute of matrix products"]
fn sketch_to_precondition_with_two_thousand_parameters() -> Result<(), Any> {
    precondition(&[(2000, 9000, 1e8)])
}

fn precondition(problems: &[(usize, usize, f64)]) -> Result<(), Any> {
    for &(p, k, condition) in problems {
        let z = Hidden(Arc::new(conditioned(k, p, condition)));
        // Random data, mostly outside the range, and data within reach of every direction.
        let inside = apply_vec(&z, &(0..p).map(|i| (0.3 * i as f64).sin()).collect::<Vec<_>>());
        let outside = Probes { kind: ProbeKind::Gaussian, seed: 6, iteration: 0 }.block(k, 0, 1);
        for (what, u) in [("random", outside.col_as_slice(0).to_vec()), ("reachable", inside)] {
            let solver = MatrixFree {
                estimator: Estimator::Preconditioned,
                damping: 0.0,
                tolerance: 3e-8,
                probes: Some(4 * p),
                ..MatrixFree::new(L2)
            };
            let (direction, report) = estimate(&solver, &z, &u)?;
            let exact = PivotedQr::default().solve(&*z.0, &u, None)?.x;
            let gap: Vec<f64> = exact.iter().zip(&direction.eta).map(|(e, d)| e + d).collect();
            let energy = norm(&apply_vec(&z, &gap)) / norm(&apply_vec(&z, &exact));
            let euclidean = norm(&gap) / norm(&exact);
            println!("p = {p}, condition {condition:e}, {what}: {energy:.1e}, {euclidean:.1e}, {report:?}");
            assert!(energy <= 1e-7 && energy <= 4.0 * report.error, "{energy:e}");
            // Directions that the data hardly excite may be off by up to the condition number more.
            assert!(what == "reachable" || euclidean <= 1e-7, "{euclidean:e}");
            assert!(report.iterations <= 25 && report.probes == 4 * p && report.reached);
            assert_eq!(report.adjoint, 4 * p + report.iterations + 1);
        }
    }
    Ok(())
}

#[test]
fn hutchinson_as_published_has_the_direction_and_loses_the_length() -> Result<(), Any> {
    // Against the sketched problem with the same probes, min ‖Hᵀ(u + Zη)‖.
    for (k, p, m) in [(5000, 10, 60), (2000, 20, 200), (1000, 5, 40)] {
        let z = Hidden(Arc::new(random(k, p, 3)));
        let u = apply_vec(&z, &(1..=p).map(|i| 1.0 / i as f64).collect::<Vec<_>>());
        let (mut ratios, mut cosines) = (Vec::new(), Vec::new());
        for seed in 0..20 {
            let solver = |estimator| MatrixFree {
                estimator,
                damping: 0.0,
                probes: Some(m),
                seed,
                kind: ProbeKind::Rademacher,
                ..MatrixFree::new(L2)
            };
            let published = estimate(&solver(Estimator::Hutchinson), &z, &u)?.0.eta;
            let sketched = estimate(&solver(Estimator::Sketched), &z, &u)?.0.eta;
            ratios.push(norm(&published) / norm(&sketched));
            cosines.push(dot(&published, &sketched) / norm(&published) / norm(&sketched));
        }
        ratios.sort_by(f64::total_cmp);
        let (median, factor) = (ratios[10], m as f64 / (m + k) as f64);
        println!("k = {k}, p = {p}, m = {m}: length {median:.4} against m/(m + k) = {factor:.4}");
        assert!((median / factor - 1.0).abs() < 0.1, "{median} against {factor}");
        assert!(cosines.iter().all(|c| *c > 0.9), "{cosines:?}");
    }
    Ok(())
}

/// The Lorenz flow with a free hat per node and component, data from hats at random.
struct Flow {
    grid: Grid,
    model: StationaryDensity,
    objective: LeastSquaresMisfit,
    theta: Vec<f64>,
}

fn flow(cells: usize, nodes: usize) -> Result<Flow, Any> {
    let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[cells; 3])?;
    let field = HatPerturbation::new(Arc::new(Lorenz63), vec![10.0, 28.0, 8.0 / 3.0], 10.0, nodes, &grid)?;
    let p = field.dim_param();
    let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
    let model = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, vec![0.0; p])?;
    let truth: Vec<f64> = (0..p).map(|i| 0.05 * (1.7 * i as f64).sin()).collect();
    let objective = LeastSquaresMisfit::new(&grid, model.state(&truth)?.values)?;
    Ok(Flow { grid, model, objective, theta: vec![0.0; p] })
}

/// Decrease of the damped local model for each direction, and the report.
fn decrease(flow: &Flow, solver: &MatrixFree<Box<dyn Metric>>) -> Result<(f64, EstimateReport), Any> {
    let linear = flow.model.linearize(&flow.theta)?;
    let (_, u) = flow.objective.derivative(&linear.state)?;
    let gradient = {
        // The gradient that the metric sees: with W₂ the mass-free part, which is all of it here.
        let z = flow.model.linearize(&flow.theta)?.jacobian;
        apply_transpose_vec(&z, &u)
    };
    let point = Point { theta: &flow.theta, state: &linear.state, iteration: 0, rounding: &[] };
    let c = flow.grid.cell_volume();
    let prepared = solver.prepare(&point, linear.jacobian, &u, c)?;
    let direction = prepared.direction(solver.damping)?;
    let report = direction.estimate.ok_or("no report")?;
    let eta = direction.eta;
    let value = -dot(&gradient, &eta) - 0.5 * prepared.curvature(&eta) / c - 0.5 * report.mu * dot(&eta, &eta);
    Ok((value, report))
}

fn metrics(grid: &Grid) -> Result<[Box<dyn Metric>; 2], Any> {
    Ok([Box::new(L2), Box::new(Wasserstein2::new(Arc::new(LaplacianPlan::new(grid)?)))])
}

#[test]
fn damped_directions_on_the_flow_reach_the_decrease_within_sixty_solves() -> Result<(), Any> {
    for (cells, nodes) in [(12, 4), (14, 8), (16, 12)] {
        let flow = flow(cells, nodes)?;
        for metric in metrics(&flow.grid)? {
            let name = metric.name();
            // The reference: to rounding.
            let mut solver = MatrixFree { estimator: Estimator::Krylov, tolerance: 1e-10, ..MatrixFree::new(metric) };
            let (best, report) = decrease(&flow, &solver)?;
            solver.reference = Some(report.mu / solver.damping);
            solver.tolerance = MatrixFree::new(L2).tolerance;
            solver.estimator = Estimator::Auto;
            let (reached, report) = decrease(&flow, &solver)?;
            println!("{name}, p = {}: {:.5} of {best:e}, {report:?}", flow.theta.len(), reached / best);
            assert!(reached >= 0.999 * best && reached <= best * (1.0 + 1e-9), "{name}: {}", reached / best);
            assert!(report.solves() <= 60 && report.reached, "{report:?}");
            solver.estimator = Estimator::Nystrom;
            let (reached, report) = decrease(&flow, &solver)?;
            assert!(reached >= 0.999 * best && report.reached, "{name}: {}", reached / best);
            // As published it does not, for W₂ not at any length.
            solver.estimator = Estimator::Hutchinson;
            let (reached, _) = decrease(&flow, &solver)?;
            assert!(reached < if name == "l2" { 0.5 } else { 1e-3 } * best, "{name}: {}", reached / best);
        }
    }
    Ok(())
}

#[test]
fn a_parameter_per_cell_descends_without_a_jacobian() -> Result<(), Any> {
    // Log-conductivities of 784 cells from the steady state they give.
    let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[28, 28])?;
    let k = grid.len();
    let model = Implicit::new(Diffusion::new(grid.clone(), vec![1.0; k])?);
    let bump = |i: usize| {
        let x = grid.center(i);
        0.8 * (-20.0 * ((x[0] - 0.4).powi(2) + (x[1] - 0.6).powi(2))).exp()
    };
    let truth: Vec<f64> = (0..k).map(bump).collect();
    let objective = LeastSquaresMisfit::new(&grid, model.state(&truth)?.values)?;
    let direction = MatrixFree { damping: 1e-5, ..MatrixFree::new(L2) };
    let stop = Stop { iterations: 8, ..Stop::default() };
    let fit = Descent::new(&model, &objective).direction(&direction).stop(stop);
    let fit = fit.run_with(&vec![0.0; k], &mut Armijo::new(1.0, 1e-4), &mut Silent)?;
    let (first, last) = (&fit.trace[0], fit.last());
    println!("f {:e} to {:e}, {:?}", first.objective, last.objective, last.solves);
    assert!(last.objective < 1e-6 * first.objective, "{:e}", last.objective / first.objective);
    assert!(last.solves.tangent < k && last.solves.adjoint < k, "{:?}", last.solves);
    let miss: f64 = last.theta.iter().zip(&truth).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    assert!(miss < 0.5 * norm(&truth), "{miss} of {}", norm(&truth));
    Ok(())
}

#[test]
fn krylov_and_exact_directions_agree_and_errors_are_honest() -> Result<(), Any> {
    let flow = flow(10, 3)?;
    for metric in metrics(&flow.grid)? {
        let mut solver = MatrixFree { estimator: Estimator::Exact, ..MatrixFree::new(metric) };
        let (best, report) = decrease(&flow, &solver)?;
        assert_eq!((report.tangent, report.adjoint), (81, 0));
        solver.reference = Some(report.mu / solver.damping);
        for tolerance in [1e-1, 1e-2, 1e-4, 1e-7] {
            solver.tolerance = tolerance;
            for estimator in [Estimator::Krylov, Estimator::Nystrom, Estimator::Preconditioned, Estimator::Sketched] {
                solver.estimator = estimator;
                let (reached, report) = decrease(&flow, &solver)?;
                // The gap in the objective is the square of the error in η.
                let error = (1.0 - reached / best).max(0.0).sqrt();
                assert!(error <= 4.0 * report.error + 1e-6, "{}: {error:e}, said {:e}", estimator.name(), report.error);
                assert!(report.reached || estimator == Estimator::Sketched, "{report:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn same_bits_for_any_threads_and_batches() -> Result<(), Any> {
    let flow = flow(8, 3)?;
    let run = |threads: usize| -> Vec<Vec<f64>> {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut all = Vec::new();
            for metric in metrics(&flow.grid).unwrap() {
                let mut solver = MatrixFree { tolerance: 1e-3, seed: 4, ..MatrixFree::new(metric) };
                for estimator in Estimator::ALL {
                    solver.estimator = estimator;
                    let linear = flow.model.linearize(&flow.theta).unwrap();
                    let (_, u) = flow.objective.derivative(&linear.state).unwrap();
                    let point = Point { theta: &flow.theta, state: &linear.state, iteration: 3, rounding: &[] };
                    let prepared = solver.prepare(&point, linear.jacobian, &u, flow.grid.cell_volume()).unwrap();
                    all.push(prepared.direction(solver.damping).unwrap().eta);
                }
            }
            all
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(8));
    // Sketches of the flow's Jacobian in one batch and in four.
    let z = flow.model.linearize(&flow.theta)?.jacobian;
    let probes = Probes { seed: 8, ..Probes::default() };
    let k = flow.grid.len();
    let whole = Sketch::new(&z, probes.block(k, 0, 20));
    let mut parts = Sketch::new(&z, probes.block(k, 0, 5));
    for batch in 1..4 {
        parts.extend(&z, probes.block(k, 5 * batch, 5));
    }
    assert_eq!(whole, parts);
    Ok(())
}

#[test]
fn the_trace_of_the_information_matrix_is_estimated_on_a_flow() -> Result<(), Any> {
    let flow = flow(8, 3)?;
    let z = flow.model.linearize(&flow.theta)?.jacobian;
    let dense = z.to_dense();
    let exact: f64 = (0..dense.ncols()).map(|j| dense.col(j).squared_norm_l2()).sum();
    let found = estimate_trace(&Gram(&z), 12, 5);
    assert_eq!(found.products, 24);
    assert!((found.trace.value - exact).abs() < 5.0 * found.trace.error + 1e-12 * exact);
    assert!(found.trace.error < 0.1 * exact);
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said() -> Result<(), Any> {
    let z = Hidden(Arc::new(random(700, 600, 4)));
    let u = vec![1.0; 700];
    let solver = MatrixFree { estimator: Estimator::Exact, ..MatrixFree::new(L2) };
    let error = estimate(&solver, &z, &u).unwrap_err().to_string();
    assert!(error.contains("600") && error.contains("krylov"), "{error}");
    let solver =
        MatrixFree { estimator: Estimator::SketchedGram, damping: 0.0, probes: Some(10), ..MatrixFree::new(L2) };
    let error = estimate(&solver, &z, &u).unwrap_err().to_string();
    assert!(error.contains("damping"), "{error}");
    Ok(())
}
