//! Parameters of Lorenz' system from points on its attractor, without a file.
//!
//! `cargo run --release -p wngd --example identify`
#![allow(clippy::print_stdout)]

use std::error::Error;

use wngd::identify::{Problem, Settings, identify, simulate};
use wngd::models::box_of;
use wngd::models::flow::{System, system};
use wngd::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    // The data: points at parameters that are to be found again. Any array of points will do.
    let System { field, theta: truth, start, .. } = system("lorenz63").ok_or("no such system")?;
    let points = simulate(field.as_ref(), &truth, &start, 0.05, 100_000, 50.0)?;

    // ANCHOR: identify
    let (lower, upper) = box_of(&points, 3, 0.1)?;
    let grid = Grid::new(&lower, &upper, &[16, 16, 16])?;
    let problem = Problem::new(field, vec![8.0, 24.0, 2.0], None)?;
    let settings = Settings { dt: Some(0.05), ..Settings::default() };
    let found = identify(&problem, &points, grid, &settings, &KeepNothing, &mut |_| {})?;
    let errors = found.standard_errors.ok_or("the corrections did not end in noise")?;
    for (j, name) in problem.names().iter().enumerate() {
        println!("{name} = {:.3} ± {:.3}; the grid alone gives {:.3}", found.theta[j], errors[j], found.raw[j]);
    }
    // ANCHOR_END: identify
    assert!(found.theta.iter().zip(&truth).all(|(theta, truth)| (theta / truth - 1.0).abs() < 0.01));
    Ok(())
}
