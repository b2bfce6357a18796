//! A dynamical system of one's own: its stationary density as a model.
//!
//! `cargo run --release -p wngd --example own_flow`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;

use wngd::models::flow::{Discretisation, StationaryDensity, VelocityField, check_field};
use wngd::opt::L2;
use wngd::prelude::*;

// ANCHOR: field
/// A damped oscillator with two wells: x' = y, y' = αx − βx³ − γy.
struct Duffing;

impl VelocityField for Duffing {
    fn name(&self) -> &str {
        "duffing"
    }
    fn dim(&self) -> usize {
        2
    }
    fn parameter_names(&self) -> Vec<String> {
        ["alpha", "beta", "gamma"].map(String::from).to_vec()
    }
    fn velocity(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out[0] = x[1];
        out[1] = theta[0] * x[0] - theta[1] * x[0].powi(3) - theta[2] * x[1];
    }
    /// 2 x 2, row by row.
    fn jacobian_x(&self, x: &[f64], theta: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, 1.0, theta[0] - 3.0 * theta[1] * x[0] * x[0], -theta[2]]);
    }
    /// 2 x 3, row by row.
    fn jacobian_theta(&self, x: &[f64], _: &[f64], out: &mut [f64]) {
        out.copy_from_slice(&[0.0, 0.0, 0.0, x[0], -x[0].powi(3), -x[1]]);
    }
}
// ANCHOR_END: field

fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: fit
    assert!(check_field(&Duffing, &[0.7, -0.4], &[1.0, 0.8, 0.5]).is_exact());

    let grid = Grid::new(&[-3.0, -3.0], &[3.0, 3.0], &[48, 48])?;
    let noise = Discretisation::ScharfetterGummel { diffusion: 0.3, restart: 1e-3 };
    let (truth, start) = ([1.0, 0.8, 0.5], [1.5, 1.2, 0.8]);
    let model = StationaryDensity::new(Arc::new(Duffing), grid.clone(), noise, None, start.to_vec())?;
    assert!(taylor_test(&model, &start, &[0.3, -0.2, 0.1])?.rate > 1.9);

    let objective = LeastSquaresMisfit::new(&grid, model.state(&truth)?.values)?;
    let direction = Natural::new(L2);
    let stop = Stop { relative_objective: 0.0, relative_step: 1e-9, ..Stop::default() };
    let fit = Descent::new(&model, &objective).direction(&direction).stop(stop).run_with(
        &start,
        &mut Armijo::new(1.0, 1e-4),
        &mut Silent,
    )?;
    println!("{} after {} iterations: {:.6?}", fit.status.name(), fit.last().iteration, fit.last().theta);
    // ANCHOR_END: fit
    assert!(fit.last().theta.iter().zip(truth).all(|(found, truth)| (found - truth).abs() < 1e-6));
    Ok(())
}
