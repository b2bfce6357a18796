//! What the choice between a factor and multigrid rests on: seconds of both, and of a column whitened by each.

use std::error::Error;

use wngd::linalg::faer::Mat;
use wngd::linalg::{FaceMean, WeightedLaplacian, face_densities};
use wngd::prelude::*;

use super::options::Bench;
use super::process::timed;
use super::session::Session;
use crate::problem::Problem;

/// Columns that are whitened at once: a panel of the factor, and two of multigrid.
const COLUMNS: usize = 16;

/// Prints the table.
pub(super) fn table(bench: &Bench, session: &mut Session) -> Result<(), Box<dyn Error>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(bench.threads).build()?;
    println!("\nFactor or multigrid, {} threads, best of {}", bench.threads, bench.repeat);
    println!("{:>8} {:>12} {:>12} {:>12} {:>12}", "cells", "factor", "per column", "levels", "per column");
    for n in if bench.quick { vec![512] } else { vec![512, 1024] } {
        let row = pool.install(|| measured(n, bench.repeat).map_err(|error| error.to_string()))?;
        let best = row.each_ref().map(|all| all.iter().copied().fold(f64::INFINITY, f64::min));
        println!("{n:>7}² {:>12.4} {:>12.4} {:>12.4} {:>12.4}", best[0], best[1], best[2], best[3]);
        for (name, seconds) in ["factor", "factor-column", "levels", "levels-column"].into_iter().zip(row) {
            session.note(format!("choice/{n}/{name}"), seconds, None, 0.0);
        }
    }
    Ok(())
}

fn measured(n: usize, repeat: usize) -> Result<[Vec<f64>; 4], Box<dyn Error>> {
    let problem = Problem::new(n, 2)?;
    let density = problem.model.state(&problem.theta)?.values;
    let grid = problem.plan.grid();
    let faces = face_densities(grid, &density, FaceMean::Arithmetic, 0.0)?;
    let tangent = |i: usize, j: usize| {
        let [x, y, _] = grid.center(i);
        density[i] * ((j + 1) as f64 * 0.1 * x + 0.2 * y).sin()
    };
    let z = Mat::from_fn(grid.len(), COLUMNS, tangent);
    let [by_factor, by_levels] = [usize::MAX, 1].map(|columns| problem.plan.factor_for(&density, &faces, columns));
    let (by_factor, by_levels) = (by_factor?, by_levels?);
    let (WeightedLaplacian::Factored(factored), WeightedLaplacian::Iterative(iterative)) = (&by_factor, &by_levels)
    else {
        return Err("the grid is not one of both ways".into());
    };
    let per_column = |seconds: Vec<f64>| seconds.into_iter().map(|s| s / COLUMNS as f64).collect();
    let made = |columns: usize| timed(repeat, || Ok(problem.plan.factor_for(&density, &faces, columns)?));
    Ok([
        made(usize::MAX)?,
        per_column(timed(repeat, || Ok(factored.whiten(z.clone())))?),
        made(1)?,
        per_column(timed(repeat, || Ok(iterative.whiten(z.clone())))?),
    ])
}
