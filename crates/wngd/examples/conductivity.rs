//! A model with a constraint and a parameter per cell: conductivities from the steady state they give.
//!
//! `cargo run --release -p wngd --example conductivity`
#![allow(clippy::print_stdout)]

use std::error::Error;

use wngd::adjoint::{Gram, Implicit, estimate_trace};
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

    // ANCHOR: trace
    // What the data say of the conductivities: trace and diagonal of G = ZᵀZ, without the k columns of Z.
    let z = model.linearize(&last.theta)?.jacobian;
    let found = estimate_trace(&Gram(&z), 24, 1);
    let (trace, edge, corner) = (found.trace, found.diagonal[14], found.diagonal[0]);
    println!("tr G = {:.2e} ± {:.0e} from {} products with G", trace.value, trace.error, found.products);
    println!(
        "middle of an edge {:.1e} ± {:.0e}, corner {:.1e} ± {:.0e}",
        edge.value, edge.error, corner.value, corner.error
    );
    // ANCHOR_END: trace
    let columns = z.into_dense();
    let exact: f64 = columns.col_iter().map(|z| z.squared_norm_l2()).sum();
    assert!((trace.value - exact).abs() < 4.0 * trace.error && trace.error < 0.02 * exact);
    Ok(())
}
