use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde::{Deserialize, Serialize};
use wngd::linalg::dense;
use wngd::linalg::faer::Mat;
use wngd::models::flow::{Discretisation, Lorenz63, Solver, StationaryDensity};
use wngd::prelude::*;

use super::options::Bench;
use super::process::{peak_megabytes, peer, run, timed};
use super::session::Session;

/// Largest relative difference of density and adjoint product from the peer's.
const AGREEMENT: f64 = 1e-8;
/// Numbers of adjoint solves.
const ADJOINTS: [usize; 3] = [1, 16, 256];
/// Adjoint solves from which a factorisation pays, on grids of at most so many cells.
const MANY: usize = 150;
const FACTORED: usize = 150_000;
/// Cells per axis; the last ones only without --quick, and beyond 48 without peer.
const SIZES: [usize; 5] = [16, 24, 32, 48, 100];
/// Largest grid with --quick, and the largest for the peer.
const QUICK: usize = 32;
const PEER: usize = 48;

#[derive(Args)]
pub(crate) struct MeasureLorenz {
    #[arg(long)]
    cells: usize,
    #[arg(long, value_delimiter = ',')]
    adjoints: Vec<usize>,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    repeat: usize,
}

/// Wall seconds of one solver, best of the repetitions.
#[derive(Serialize, Deserialize)]
struct Solves {
    solver: String,
    /// Adjoint solves m.
    m: usize,
    /// Factorisation, where it is timed apart from the forward solve.
    factor: f64,
    forward: f64,
    adjoint: f64,
}

impl Solves {
    fn total(&self) -> f64 {
        self.factor + self.forward + self.adjoint
    }
}

#[derive(Serialize, Deserialize)]
struct Figures {
    solves: Vec<Solves>,
    density: Vec<f64>,
    /// hᵀZ for the first right-hand side.
    product: Vec<f64>,
    peak_mb: f64,
}

/// Prints the table of forward and adjoint solves.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    println!("Lorenz, Scharfetter-Gummel, D = 10, {} threads; seconds, the peer's assembly not counted", bench.threads);
    println!(
        "{:>6} {:>4} {:>30} {:>9} {:>9} {:>9} {:>9} {:>7} {:>7}",
        "cells", "m", "solver", "factor", "forward", "adjoint", "total", "ratio", "MB"
    );
    for n in SIZES.into_iter().filter(|&n| !bench.quick || n <= QUICK) {
        let adjoints: Vec<usize> = if n > PEER { vec![1] } else { ADJOINTS.to_vec() };
        let repeat = if n >= QUICK { 1 } else { bench.repeat };
        let figures = |command: &mut Command| -> Result<Figures, Box<dyn Error>> {
            let list = adjoints.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            command.args(["--cells", &n.to_string(), "--adjoints", &list]);
            run(command.args(["--threads", &bench.threads.to_string(), "--repeat", &repeat.to_string()]))
        };
        let ours = figures(Command::new(std::env::current_exe()?).arg("measure-lorenz"))?;
        let theirs = match &bench.peer {
            Some(python) if n <= PEER => Some(figures(&mut peer(python, Path::new("bench_lorenz.py")))?),
            _ => None,
        };
        if let Some(theirs) = &theirs {
            agree("densities", &ours.density, &theirs.density)?;
            agree("adjoint products", &ours.product, &theirs.product)?;
        }
        for solves in &ours.solves {
            row(n, solves, None, ours.peak_mb);
            let others = theirs.iter().flat_map(|t| &t.solves).filter(|other| other.m == solves.m);
            let beside = others.map(Solves::total).reduce(f64::min);
            session.note(format!("lorenz/{n}/{}", solves.m), vec![solves.total()], beside, ours.peak_mb);
            for other in theirs.iter().flat_map(|t| &t.solves).filter(|other| other.m == solves.m) {
                row(n, other, Some(solves.total()), theirs.as_ref().map_or(0.0, |t| t.peak_mb));
            }
        }
    }
    Ok(())
}

fn row(n: usize, s: &Solves, ours: Option<f64>, peak_mb: f64) {
    let factor = if s.factor > 0.0 { format!("{:.3}", s.factor) } else { String::new() };
    let ratio = ours.map_or(String::new(), |ours| format!("{:.1}", s.total() / ours));
    println!(
        "{:>6} {:>4} {:>30} {factor:>9} {:>9.3} {:>9.3} {:>9.3} {ratio:>7} {peak_mb:>7.0}",
        format!("{n}^3"),
        s.m,
        s.solver,
        s.forward,
        s.adjoint,
        s.total(),
    );
}

/// Seconds of a forward solve with everything before it and m adjoint products, on n³ cells.
pub(super) fn seconds(n: usize, m: usize, repeat: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let theta = vec![10.0, 28.0, 8.0 / 3.0];
    let h = Mat::from_fn(n * n * n, m, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
    timed(repeat, || {
        let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[n; 3])?;
        let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
        let model = StationaryDensity::new(Arc::new(Lorenz63), grid, scheme, None, theta.clone())?;
        let at = model.linearize(&theta)?;
        let mut product = Mat::zeros(3, m);
        at.jacobian.apply_transpose(product.as_mut(), h.as_ref());
        std::hint::black_box(product);
        Ok(())
    })
}

/// Both sides must have solved the same problem.
fn agree(what: &str, ours: &[f64], peer: &[f64]) -> Result<(), Box<dyn Error>> {
    let difference: Vec<f64> = ours.iter().zip(peer).map(|(a, b)| a - b).collect();
    let relative = dense::norm(&difference) / dense::norm(peer);
    if ours.len() == peer.len() && relative <= AGREEMENT {
        return Ok(());
    }
    Err(format!("{what} differ from the peer's by {relative:e}").into())
}

impl MeasureLorenz {
    /// The forward solve with everything before it, then m adjoint products, for each m.
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let (n, theta) = (self.cells, vec![10.0, 28.0, 8.0 / 3.0]);
        let mut figures = Figures { solves: Vec::new(), density: Vec::new(), product: Vec::new(), peak_mb: 0.0 };
        for &m in &self.adjoints {
            let grid = Grid::new(&[-25.0, -30.0, 0.0], &[25.0, 30.0, 50.0], &[n; 3])?;
            let scheme = Discretisation::ScharfetterGummel { diffusion: 10.0, restart: 2e-3 };
            let solver = if m >= MANY && grid.len() <= FACTORED { Solver::Direct } else { Solver::Auto };
            let model = StationaryDensity::new(Arc::new(Lorenz63), grid, scheme, None, theta.clone())?;
            let model = model.with_solver(solver);
            let h = Mat::from_fn(n * n * n, m, |i, j| ((i * (j + 1)) as f64 * 0.37).sin());
            let mut best =
                Solves { solver: String::new(), m, factor: 0.0, forward: f64::INFINITY, adjoint: f64::INFINITY };
            for _ in 0..self.repeat {
                let clock = Instant::now();
                let at = model.linearize(&theta)?;
                best.forward = best.forward.min(clock.elapsed().as_secs_f64());
                let mut product = Mat::zeros(3, m);
                let clock = Instant::now();
                at.jacobian.apply_transpose(product.as_mut(), h.as_ref());
                best.adjoint = best.adjoint.min(clock.elapsed().as_secs_f64());
                best.solver = at.jacobian.factor().report().solver.to_string();
                figures.product = dense::column(product.as_ref(), 0);
                figures.density = at.state.values;
            }
            figures.solves.push(best);
        }
        figures.peak_mb = peak_megabytes()?;
        println!("{}", serde_json::to_string(&figures)?);
        Ok(())
    }
}
