use std::error::Error;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};
use wngd::linalg::dense::dot;
use wngd::linalg::faer::Mat;
use wngd::linalg::operator::apply_transpose_vec;
use wngd::models::flow::{Discretisation, HatPerturbation, Lorenz63, StationaryDensity, VelocityField};
use wngd::opt::{Estimator, MatrixFree, Metric, Point};
use wngd::prelude::*;

use super::options::Bench;
use super::process::{peak_megabytes, run};
use super::session::Session;

/// Cells and hats per axis: p = 192, 1029, 5184; the last only without --quick.
const PROBLEMS: [(usize, usize); 4] = [(24, 4), (24, 7), (24, 12), (32, 12)];
/// Damping relative to the largest eigenvalue.
const DAMPING: f64 = 1e-4;
/// Error of the directions that are timed, in the norm of the damped G.
const ERROR: f64 = 1e-6;
/// Most parameters of the estimators whose cost grows with p.
const FEW: usize = 400;
/// Right-hand sides of the block adjoint solves.
const BLOCK: usize = 64;

#[derive(Args)]
pub(crate) struct MeasureEstimators {
    #[arg(long)]
    cells: usize,
    #[arg(long)]
    nodes: usize,
    #[arg(long)]
    threads: usize,
    /// Block adjoint solves only.
    #[arg(long)]
    solves_only: bool,
}

#[derive(Serialize, Deserialize)]
struct Row {
    metric: String,
    estimator: String,
    probes: usize,
    iterations: usize,
    solves: usize,
    seconds: f64,
    /// Share of the exact direction's decrease of the damped model.
    decrease: f64,
    error: f64,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct Figures {
    parameters: usize,
    adjoints_per_second: f64,
    rows: Vec<Row>,
    peak_mb: f64,
}

/// Prints solves per second, then times to a direction.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    let measure = |(cells, nodes): (usize, usize), threads: usize, extra: &[&str]| -> Result<Figures, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("measure-estimators").args(extra).args(["--cells", &cells.to_string()]);
        run(command.args(["--nodes", &nodes.to_string(), "--threads", &threads.to_string()]))
    };
    println!("\nLorenz with free hats, Scharfetter-Gummel, D = 10: adjoint solves a second in blocks of {BLOCK}");
    for cells in [24, 32] {
        let (one, two) = (measure((cells, 4), 1, &["--solves-only"])?, measure((cells, 4), 2, &["--solves-only"])?);
        let (one, two) = (one.adjoints_per_second, two.adjoints_per_second);
        println!("  {cells}^3: {one:.0} with 1 thread, {two:.0} with 2, ratio {:.2}", two / one);
    }
    println!(
        "\nTime to a direction, damping {DAMPING:e} of the largest eigenvalue, to {ERROR:e} where the estimator can; {} threads",
        bench.threads
    );
    println!(
        "{:>6} {:>5} {:>11} {:>14} {:>6} {:>5} {:>6} {:>8} {:>9} {:>8} {:>7}",
        "cells", "p", "metric", "estimator", "probes", "steps", "solves", "seconds", "decrease", "error", "vs best"
    );
    for problem in PROBLEMS.into_iter().filter(|p| !bench.quick || p.1 < 12) {
        let figures = measure(problem, bench.threads, &[])?;
        for row in &figures.rows {
            let arrived = |r: &&Row| r.metric == row.metric && r.error <= 4.0 * ERROR;
            let best = figures.rows.iter().filter(arrived).map(|r| r.seconds).fold(f64::INFINITY, f64::min);
            let ratio = if row.error <= 4.0 * ERROR { format!("{:.2}", row.seconds / best) } else { String::new() };
            let name = format!("estimators/{}/{}/{}/{}", problem.0, figures.parameters, row.metric, row.estimator);
            session.note(name, vec![row.seconds], None, figures.peak_mb);
            println!(
                "{:>6} {:>5} {:>11} {:>14} {:>6} {:>5} {:>6} {:>8.3} {:>9.6} {:>8.1e} {ratio:>7}",
                format!("{}^3", problem.0),
                figures.parameters,
                row.metric,
                row.estimator,
                row.probes,
                row.iterations,
                row.solves,
                row.seconds,
                row.decrease,
                row.error,
            );
            if row.estimator == "auto" {
                println!("       {}", row.reason);
            }
        }
        println!("       peak memory {:.0} MB", figures.peak_mb);
    }
    Ok(())
}

impl MeasureEstimators {
    /// Every estimator for both metrics, each timed once after the reference has warmed everything up.
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[self.cells; 3])?;
        let base = vec![10.0, 28.0, 8.0 / 3.0];
        let field = HatPerturbation::new(Arc::new(Lorenz63), base, 10.0, self.nodes, &grid)?;
        let p = field.dim_param();
        let theta = vec![0.0; p];
        let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
        let model = StationaryDensity::new(Arc::new(field), grid.clone(), scheme, None, theta.clone())?;
        let linear = model.linearize(&theta)?;
        let h = Mat::from_fn(grid.len(), BLOCK, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
        let mut best = f64::INFINITY;
        for _ in 0..3 {
            let clock = Instant::now();
            std::hint::black_box(linear.jacobian.adjoint(h.as_ref()));
            best = best.min(clock.elapsed().as_secs_f64());
        }
        let mut figures =
            Figures { parameters: p, adjoints_per_second: BLOCK as f64 / best, rows: Vec::new(), peak_mb: 0.0 };
        if !self.solves_only {
            let truth: Vec<f64> = (0..p).map(|i| 0.05 * (1.7 * i as f64).sin()).collect();
            let objective = LeastSquaresMisfit::new(&grid, model.state(&truth)?.values)?;
            let (_, u) = objective.derivative(&linear.state)?;
            let plan = Arc::new(LaplacianPlan::new(&grid)?);
            for metric in [Box::new(L2) as Box<dyn Metric>, Box::new(Wasserstein2::new(plan))] {
                let point = Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] };
                compare(metric, &point, &linear.jacobian, &u, grid.cell_volume(), &mut figures.rows)?;
            }
        }
        figures.peak_mb = peak_megabytes()?;
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}

fn compare<J: LinearOp>(
    metric: Box<dyn Metric>,
    point: &Point<'_>,
    z: &J,
    u: &[f64],
    weight: f64,
    rows: &mut Vec<Row>,
) -> Result<(), Box<dyn Error>> {
    let p = z.ncols();
    let mut solver = MatrixFree { damping: DAMPING, ..MatrixFree::new(metric) };
    // The reference: Krylov to rounding.
    (solver.estimator, solver.tolerance) = (Estimator::Krylov, 1e-11);
    let (exact, mu) = {
        let direction = solver.prepare(point, z, u, weight)?.direction(DAMPING)?;
        let report = direction.estimate.ok_or("no report")?;
        (direction.eta, report.mu)
    };
    solver.reference = Some(mu / DAMPING);
    solver.tolerance = ERROR;
    let gradient = apply_transpose_vec(z, u);
    for estimator in Estimator::ALL {
        let costly = matches!(estimator, Estimator::Preconditioned | Estimator::Exact);
        if costly && p > FEW {
            continue;
        }
        solver.estimator = estimator;
        // Sketches alone never arrive: as many probes as an eighth of the tangents, to see where they are.
        let sketch = matches!(estimator, Estimator::Sketched | Estimator::SketchedGram | Estimator::Hutchinson);
        solver.probes = sketch.then(|| (p / 8).clamp(32, 256));
        let clock = Instant::now();
        let prepared = solver.prepare(point, z, u, weight)?;
        let direction = prepared.direction(DAMPING)?;
        let seconds = clock.elapsed().as_secs_f64();
        let report = direction.estimate.ok_or("no report")?;
        let square = |eta: &[f64]| prepared.curvature(eta) / weight + mu * dot(eta, eta);
        let decrease = |eta: &[f64]| -dot(&gradient, eta) - 0.5 * square(eta);
        let gap: Vec<f64> = exact.iter().zip(&direction.eta).map(|(a, b)| a - b).collect();
        rows.push(Row {
            metric: solver.metric.name().to_string(),
            estimator: estimator.name().to_string(),
            probes: report.probes,
            iterations: report.iterations,
            solves: report.solves(),
            seconds,
            decrease: decrease(&direction.eta) / decrease(&exact),
            error: (square(&gap) / square(&exact)).sqrt(),
            reason: report.reason.unwrap_or_default(),
        });
    }
    Ok(())
}
