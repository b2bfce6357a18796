//! A figure from arrays: level sets of a function and a path over them.
//!
//! `cargo run --release -p wngd-figures --example bowl` writes `landscape.svg` and `landscape.png` into `target/bowl`.

use std::path::Path;

use wngd_figures::{Figure, FigureError, Landscape, Trace};

fn main() -> Result<(), FigureError> {
    let x: Vec<f64> = (0..41).map(|i| -2.0 + 0.1 * f64::from(i)).collect();
    let y: Vec<f64> = (0..31).map(|j| -1.5 + 0.1 * f64::from(j)).collect();
    let values = y.iter().flat_map(|b| x.iter().map(move |a| a * a + 4.0 * b * b + a * b)).collect();
    // Gradient steps of a fixed length factor from one corner.
    let mut points = vec![[-1.7, 1.2]];
    for k in 0..30 {
        let [a, b] = points[k];
        points.push([a - 0.1 * (2.0 * a + b), b - 0.1 * (8.0 * b + a)]);
    }
    let traces = vec![Trace { label: "gradient".into(), points }];
    let (x_name, y_name, title) = ("a".into(), "b".into(), "A bowl".into());
    let figure =
        Landscape { x_name, y_name, x, y, values, traces, truth: Some([0.0, 0.0]), title, ..Landscape::default() };
    figure.save(Path::new("target/bowl"))
}
