//! Times of factorisation, forward and adjoint solves for the Lorenz flow, direct and Krylov.
//!
//! `cargo run --release -p wngd-models --example flow_timing [-- 16 24 32 48 100]`: cells per axis;
//! beyond 48 Krylov only, with one adjoint.
#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use wngd_adjoint::{ForwardModel, LinearOp};
use wngd_linalg::Grid;
use wngd_linalg::faer::Mat;
use wngd_models::flow::{Discretisation, Lorenz63, Solver, StationaryDensity};

/// Largest grid, in cells per axis, that is factored directly.
const DIRECT: usize = 48;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes = std::env::args().skip(1).map(|a| a.parse()).collect::<Result<Vec<usize>, _>>()?;
    if sizes.is_empty() {
        sizes = vec![16, 24, 32, 48, 100];
    }
    let theta = vec![10.0, 28.0, 8.0 / 3.0];
    let finite_volume = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
    let transfer = Discretisation::SemiLagrangian { time: 0.2, step: 0.01, points: 2, restart: 1e-6 };
    for n in sizes {
        for (name, scheme) in [("sg", finite_volume), ("sl", transfer)] {
            for solver in [Solver::Direct, Solver::Krylov] {
                let slow = match (solver, name) {
                    (Solver::Direct, "sg") => n > DIRECT,
                    (Solver::Direct, _) => n > 12,
                    _ => name == "sl" && n > DIRECT,
                };
                if slow {
                    continue;
                }
                let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[n; 3])?;
                let model =
                    StationaryDensity::new(Arc::new(Lorenz63), grid, scheme, None, theta.clone())?.with_solver(solver);
                let start = Instant::now();
                model.generator(&theta)?;
                let assembly = start.elapsed();
                let start = Instant::now();
                let (_, first) = model.state_with_report(&theta)?;
                let state = start.elapsed();
                let start = Instant::now();
                let at = model.linearize(&theta)?;
                let linearise = start.elapsed();
                let columns = if n > DIRECT { 1 } else { 16 };
                let h = Mat::from_fn(n * n * n, columns, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
                let mut out = Mat::zeros(3, columns);
                let start = Instant::now();
                at.jacobian.apply_transpose(out.as_mut(), h.as_ref());
                let adjoint = start.elapsed();
                let start = Instant::now();
                if n <= DIRECT {
                    at.jacobian.to_dense();
                }
                let tangent = start.elapsed();
                let report = at.jacobian.factor().report();
                println!(
                    "{n:>3}^3 {name} {}: assembly {assembly:.2?}, state {state:.2?}, linearise {linearise:.2?}, \
                     {columns} adjoints {adjoint:.2?}, 3 tangents {tangent:.2?}; nnz {}, fill {:?}, iterations {:?} and {:?}",
                    report.solver,
                    report.nonzeros,
                    report.fill,
                    first.krylov.map(|k| k.iterations),
                    report.krylov.map(|k| k.iterations),
                );
            }
        }
    }
    Ok(())
}
