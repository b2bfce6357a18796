//! Solves, seconds and quality of every matrix-free estimator on the Lorenz flow with p free hats.
//!
//! `cargo run --release -p wngd --example matrix_free_timing [-- cells nodes damping tolerance]`
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use wngd::linalg::LaplacianPlan;
use wngd::models::flow::{Discretisation, HatPerturbation, Lorenz63, StationaryDensity, VelocityField};
use wngd::opt::{Estimator, MatrixFree, Metric, Point};
use wngd::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<f64> = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<_, _>>()?;
    let value = |i: usize, default: f64| arguments.get(i).copied().unwrap_or(default);
    let (cells, nodes) = (value(0, 16.0) as usize, value(1, 4.0) as usize);
    let (damping, tolerance) = (value(2, 1e-4), value(3, 1e-2));
    let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[cells; 3])?;
    let base = vec![10.0, 28.0, 8.0 / 3.0];
    let field = HatPerturbation::new(Arc::new(Lorenz63), base, 10.0, nodes, &grid)?;
    let p = field.dim_param();
    let theta = vec![0.0; p];
    let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
    let model = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, theta.clone())?;
    let truth: Vec<f64> = (0..p).map(|i| 0.05 * (1.7 * i as f64).sin()).collect();
    let data = model.state(&truth)?.values;
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    let objective = LeastSquaresMisfit::new(&grid, data)?;
    println!("{cells}^3 cells, p = {p}, damping {damping:e}, tolerance {tolerance:e}");
    for metric in [Box::new(L2) as Box<dyn Metric>, Box::new(Wasserstein2::new(plan))] {
        println!("{}", metric.name());
        let (mut best, mut reference): (Option<(f64, Vec<f64>)>, Option<f64>) = (None, None);
        let mut solver = MatrixFree { damping, ..MatrixFree::new(metric) };
        let linear = model.linearize(&theta)?;
        let (_, u) = objective.derivative(&linear.state)?;
        let point = Point { theta: &theta, state: &linear.state, iteration: 0 };
        // The reference: Krylov to rounding.
        for (estimator, accuracy) in
            std::iter::once((Estimator::Krylov, 1e-11)).chain(Estimator::ALL.into_iter().map(|e| (e, tolerance)))
        {
            if matches!(estimator, Estimator::Preconditioned) && p > 400 || estimator == Estimator::Exact && p > 500 {
                continue;
            }
            solver.estimator = estimator;
            solver.probes = (estimator == Estimator::Nystrom && arguments.len() > 4).then(|| arguments[4] as usize);
            solver.tolerance = accuracy;
            solver.reference = reference;
            let again = model.linearize(&theta)?;
            let clock = Instant::now();
            let prepared = solver.prepare(&point, again.jacobian, &u, grid.cell_volume())?;
            let direction = prepared.direction(damping)?;
            let seconds = clock.elapsed().as_secs_f64();
            let Some(report) = direction.estimate else { continue };
            // Decrease of the damped model: -gᵀη − ½ηᵀ(G + μ)η.
            let z = &linear.jacobian;
            let g = wngd::linalg::operator::apply_transpose_vec(z, &u);
            let decrease = |eta: &[f64]| -> f64 {
                let slope: f64 = g.iter().zip(eta).map(|(g, e)| g * e).sum();
                let square: f64 = eta.iter().map(|e| e * e).sum();
                -slope - 0.5 * prepared.curvature(eta) / grid.cell_volume() - 0.5 * report.mu * square
            };
            let gained = decrease(&direction.eta);
            if best.is_none() {
                reference = Some(report.mu / damping);
                best = Some((gained, direction.eta.clone()));
            }
            let Some((full, exact)) = &best else { continue };
            let gap: Vec<f64> = exact.iter().zip(&direction.eta).map(|(a, b)| a - b).collect();
            let square: f64 = gap.iter().map(|e| e * e).sum();
            let energy = (prepared.curvature(&gap) / grid.cell_volume() + report.mu * square).sqrt()
                / (prepared.curvature(exact) / grid.cell_volume()
                    + report.mu * exact.iter().map(|e| e * e).sum::<f64>())
                .sqrt();
            println!(
                "  {:14} {:4} probes {:3} steps {:5} solves {seconds:8.3} s  decrease {:9.6}  error {energy:.1e} (estimated {:.1e}) {}",
                report.estimator.name(),
                report.probes,
                report.iterations,
                report.solves(),
                gained / full,
                report.error,
                report.reason.unwrap_or_default()
            );
        }
    }
    Ok(())
}
