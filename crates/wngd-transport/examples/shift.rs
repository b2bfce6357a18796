//! The distance between a histogram on a 2-D grid and its shifted copy, which is the length of the shift.
//!
//! `cargo run --release -p wngd-transport --example shift`
#![allow(clippy::print_stdout)]

use wngd_transport::{Options, TransportError, half_squared_wasserstein};

fn main() -> Result<(), TransportError> {
    let (cells, spacing, shift) = ([40, 30], [0.25, 0.5], [9, 6]);
    // A crescent of mass, `rows` further down and `columns` further right.
    let histogram = |[rows, columns]: [usize; 2]| -> Vec<f64> {
        let mass = |row: usize, column: usize| -> f64 {
            let (x, y) = (row as f64 - rows as f64 - 14.0, column as f64 - columns as f64 - 11.0);
            let radius = x.hypot(y);
            if radius < 10.0 && y < 3.0 { (-(radius - 7.0).powi(2)).exp() } else { 0.0 }
        };
        (0..cells[0] * cells[1]).map(|cell| mass(cell / cells[1], cell % cells[1])).collect()
    };
    let transport =
        half_squared_wasserstein(&cells, &spacing, &histogram([0, 0]), &histogram(shift), &Options::default())?;

    let expected = (shift[0] as f64 * spacing[0]).hypot(shift[1] as f64 * spacing[1]);
    let distance = (2.0 * transport.half_squared_distance).sqrt();
    println!("W2 = {distance}, the shift is {expected} long");
    println!("primal and dual values agree to {:.0e}, {} pivots", transport.relative_gap, transport.pivots);
    assert!((distance - expected).abs() < 1e-12 && transport.relative_gap < 1e-12);
    Ok(())
}
