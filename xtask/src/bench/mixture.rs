use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use wngd::linalg::{LeastSquares, PivotedQr, WeightedLaplacian, dense};
use wngd::opt::{Objective, Point};
use wngd::prelude::*;

use super::options::Bench;
use super::process::{peak_megabytes, peer, run, timed};
use super::session::Session;
use crate::problem::Problem;

/// Largest relative difference of η from the peer's.
const AGREEMENT: f64 = 1e-6;

#[derive(Args)]
pub(crate) struct Measure {
    #[arg(long)]
    grid: usize,
    #[arg(long)]
    p: usize,
    #[arg(long)]
    threads: usize,
    #[arg(long)]
    repeat: usize,
    #[arg(long)]
    route: By,
}

/// How the least-squares problem is solved, on both sides.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    Information,
    Qr,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            By::Information => "information",
            By::Qr => "qr",
        }
    }
}

/// One side's figures for one p and route: wall seconds, best of the repetitions.
#[derive(Serialize, Deserialize)]
struct Figures {
    /// The whole direction; the symbolic analysis is made once per grid and not counted.
    total: f64,
    /// Of every repetition; the peer tells its best alone.
    #[serde(default)]
    all: Vec<f64>,
    /// Its parts.
    stages: BTreeMap<String, f64>,
    /// Peak memory of the process, MB.
    peak_mb: f64,
    eta: Vec<f64>,
}

/// Prints the table of W₂ directions.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    println!("W2 direction, {0} x {0} cells, {1} threads, best of {2}", bench.grid, bench.threads, bench.repeat);
    println!(
        "{:>5} {:>12} {:>9} {:>9} {:>7} {:>9} {:>9}  stages",
        "p", "route", "s", "peer s", "ratio", "MB", "peer MB"
    );
    for &p in &bench.p {
        for route in [By::Information, By::Qr] {
            // A process of its own, so that peaks of memory do not mix.
            let ours = figures(bench, Command::new(std::env::current_exe()?).arg("measure"), p, route)?;
            let stages: Vec<String> = ours.stages.iter().map(|(name, s)| format!("{name} {s:.4}")).collect();
            let mut beside = None;
            let (other, ratio, memory) = match &bench.peer {
                Some(python) => {
                    let peer = figures(bench, &mut peer(python, Path::new("bench_mixture.py")), p, route)?;
                    agree(&ours.eta, &peer.eta)?;
                    beside = Some(peer.total);
                    (
                        format!("{:.4}", peer.total),
                        format!("{:.2}", peer.total / ours.total),
                        format!("{:.0}", peer.peak_mb),
                    )
                }
                None => Default::default(),
            };
            session.note(format!("w2/{}/{p}/{}", bench.grid, route.name()), ours.all, beside, ours.peak_mb);
            println!(
                "{p:>5} {:>12} {:>9.4} {other:>9} {ratio:>7} {:>9.0} {memory:>9}  {}",
                route.name(),
                ours.total,
                ours.peak_mb,
                stages.join(", ")
            );
        }
    }
    Ok(())
}

fn figures(bench: &Bench, command: &mut Command, p: usize, route: By) -> Result<Figures, Box<dyn Error>> {
    let number = |n: usize| n.to_string();
    command.args(["--grid", &number(bench.grid), "--p", &number(p), "--threads", &number(bench.threads)]);
    run(command.args(["--repeat", &number(bench.repeat), "--route", route.name()]))
}

/// Seconds of directions by the information matrix on a square grid.
pub(super) fn seconds(grid: usize, p: usize, repeat: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let problem = Problem::new(grid, p)?;
    timed(repeat, || problem.direction(Route::Information))
}

/// Both sides must have solved the same problem.
fn agree(ours: &[f64], peer: &[f64]) -> Result<(), Box<dyn Error>> {
    let difference: Vec<f64> = ours.iter().zip(peer).map(|(a, b)| a - b).collect();
    let relative = dense::norm(&difference) / dense::norm(peer);
    let first = difference.iter().zip(peer).take(3).all(|(d, b)| d.abs() <= AGREEMENT * b.abs());
    if ours.len() == peer.len() && relative <= AGREEMENT && first {
        return Ok(());
    }
    Err(format!("directions differ from the peer's: {relative:e}, {:?} against {:?}", &ours[..2], &peer[..2]).into())
}

impl Measure {
    pub(crate) fn run(&self) -> Result<(), Box<dyn Error>> {
        rayon::ThreadPoolBuilder::new().num_threads(self.threads).build_global()?;
        let problem = Problem::new(self.grid, self.p)?;
        let route = match self.route {
            By::Information => Route::Information,
            By::Qr => Route::Qr,
        };
        let mut eta = Vec::new();
        let all = timed(self.repeat, || {
            eta = problem.direction(route)?;
            Ok(())
        })?;
        let total = all.iter().copied().fold(f64::INFINITY, f64::min);
        let peak_mb = peak_megabytes()?;
        let mut stages = BTreeMap::new();
        for _ in 0..self.repeat {
            self.stages(&problem, &mut stages)?;
        }
        println!("{}", serde_json::to_string(&Figures { total, all, stages, peak_mb, eta })?);
        Ok(())
    }

    /// The parts of the direction, one by one.
    fn stages(&self, problem: &Problem, best: &mut BTreeMap<String, f64>) -> Result<(), Box<dyn Error>> {
        let mut clock = Instant::now();
        let mut stage = |name: &str| {
            let seconds = clock.elapsed().as_secs_f64();
            best.entry(name.into()).and_modify(|s| *s = s.min(seconds)).or_insert(seconds);
            clock = Instant::now();
        };
        let Linearization { state, jacobian } = problem.model.linearize(&problem.theta)?;
        let (_, u) = problem.objective.derivative(&state)?;
        stage("1 model");
        let point = Point { theta: &problem.theta, state: &state, iteration: 0, rounding: &[] };
        let laplacian = Wasserstein2::new(problem.plan.clone()).laplacian_at(&point)?;
        stage("2 factor");
        if let (By::Information, Some(factored), Some(rows), None) =
            (self.route, laplacian.factored(), jacobian.as_rows(), jacobian.as_dense())
        {
            let b = factored.whiten_derivative(&u);
            let sums = factored.whitened_sums(rows, jacobian.ncols(), &b);
            let (sums, _) = sums.ok_or("the benchmark's density has no valleys")?;
            stage("3 whiten and gram, by rows");
            wngd::linalg::solve_information(sums.gram.as_ref(), &sums.product, None)?;
            stage("4 solve");
            return Ok(());
        }
        let jacobian = jacobian.into_dense();
        let (b, (x, _)) = match &laplacian {
            WeightedLaplacian::Factored(factored) => (factored.whiten_derivative(&u), factored.whiten(jacobian)),
            WeightedLaplacian::Iterative(levels) => (levels.whiten_derivative(&u), levels.whiten(jacobian)),
        };
        stage("3 whiten");
        match self.route {
            By::Information => {
                let g = dense::gram(x.as_ref());
                stage("4 gram");
                let rhs = wngd::linalg::operator::apply_transpose_vec(&x, &b);
                wngd::linalg::solve_information(g.as_ref(), &rhs, None)?;
                stage("5 solve");
            }
            By::Qr => {
                PivotedQr::default().solve(&x, &b, None)?;
                stage("4 least squares");
            }
        }
        Ok(())
    }
}
