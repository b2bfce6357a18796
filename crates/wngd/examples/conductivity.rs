//! A model with a constraint and a parameter per cell: conductivities from the steady state they give.
//!
//! `cargo run --release -p wngd --example conductivity`
#![allow(clippy::print_stdout)]

use std::error::Error;

use wngd::adjoint::Implicit;
use wngd::models::Diffusion;
use wngd::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: fit
    let grid = Grid::new(&[0.0, 0.0], &[1.0, 1.0], &[28, 28])?;
    let k = grid.len();
    let model = Implicit::new(Diffusion::new(grid.clone(), vec![1.0; k])?);
    let bump = |i: usize| {
        let x = grid.center(i);
        0.8 * (-20.0 * ((x[0] - 0.4).powi(2) + (x[1] - 0.6).powi(2))).exp()
    };
    let truth: Vec<f64> = (0..k).map(bump).collect();
    let objective = LeastSquaresMisfit::new(&grid, model.state(&truth)?.values)?;

    // No Jacobian is stored: the direction comes from tangent and adjoint solves.
    let direction = MatrixFree { damping: 1e-5, ..MatrixFree::new(L2) };
    let stop = Stop { iterations: 8, ..Stop::default() };
    let fit = Descent::new(&model, &objective).direction(&direction).stop(stop).run_with(
        &vec![0.0; k],
        &mut Armijo::new(1.0, 1e-4),
        &mut Silent,
    )?;
    let (first, last) = (&fit.trace[0], fit.last());
    println!("{k} parameters, f from {:.1e} to {:.1e}", first.objective, last.objective);
    println!("{} tangent and {} adjoint solves", last.solves.tangent, last.solves.adjoint);
    // ANCHOR_END: fit
    // Eight directions for little more than the k solves of one Jacobian.
    assert!(last.objective < 1e-6 * first.objective && last.solves.tangent + last.solves.adjoint < 2 * k);
    Ok(())
}
