//! Chaotic systems as a user would write them, with the parameters that are to be found again.
#![allow(clippy::unwrap_used, dead_code)]

use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use rand_pcg::Pcg64;
use wngd_identify::{Dynamics, Sample, simulate};
use wngd_models::flow::{Equations, ExpressionField};

/// Name, right-hand sides, parameters, a point, time step, time left out first.
pub type Entry = (&'static str, [&'static str; 3], &'static [(&'static str, f64)], [f64; 3], f64, f64);

pub const SYSTEMS: [Entry; 19] = [
    (
        "lorenz63",
        ["s*(y - x)", "x*(r - z) - y", "x*y - b*z"],
        &[("s", 10.0), ("r", 28.0), ("b", 8.0 / 3.0)],
        [1.0, 1.0, 20.0],
        0.05,
        50.0,
    ),
    (
        "roessler",
        ["-y - z", "x + a*y", "b + z*(x - c)"],
        &[("a", 0.2), ("b", 0.2), ("c", 5.7)],
        [1.0, 1.0, 0.0],
        0.1,
        100.0,
    ),
    (
        "chen",
        ["a*(y - x)", "(c - a)*x - x*z + c*y", "x*y - b*z"],
        &[("a", 35.0), ("b", 3.0), ("c", 28.0)],
        [-3.0, 2.0, 20.0],
        0.05,
        50.0,
    ),
    (
        "halvorsen",
        ["-a*x - b*(y + z) - y^2", "-a*y - b*(z + x) - z^2", "-a*z - b*(x + y) - x^2"],
        &[("a", 1.4), ("b", 4.0)],
        [-8.68, -2.47, 0.07],
        0.05,
        50.0,
    ),
    (
        "rabinovich",
        ["y*(z - 1 + x^2) + g*x", "x*(3*z + 1 - x^2) + h*y", "-c*z - 2*x*y*z"],
        &[("g", 0.87), ("h", 0.87), ("c", 2.2)],
        [-1.82, 0.834, 0.2078],
        0.1,
        300.0,
    ),
    (
        "aizawa",
        ["x*z - b*x - 3.5*y", "3.5*x + y*(z - e)", "c + a*z - z^3/3 - x^2 - y^2 - 0.25*z*x^2 - 0.25*z*y^2 + 0.1*z*x^3"],
        &[("b", 0.7), ("e", 0.7), ("c", 0.6), ("a", 0.95)],
        [-0.78, -0.63, -0.18],
        0.1,
        300.0,
    ),
    (
        "dadras",
        ["y - p*x + o*y*z", "r*y - x*z + z", "c*x*y - e*z"],
        &[("p", 3.0), ("o", 2.7), ("r", 1.7), ("c", 2.0), ("e", 9.0)],
        [1.03, -3.53, -0.72],
        0.1,
        100.0,
    ),
    (
        "lorenz84",
        ["-a*x - y^2 - z^2 + F", "-y + x*y - b*x*z + G", "-z + c*x*y + x*z"],
        &[("a", 0.25), ("F", 2.0), ("b", 4.0), ("G", 1.0), ("c", 4.0)],
        [1.0, 1.0, 1.0],
        0.1,
        300.0,
    ),
    (
        "hindmarsh",
        ["y - x^3 + 3*x^2 - z + I", "1 - d*x^2 - y", "s*x + 0.0384 - 0.006*z"],
        &[("I", 3.25), ("d", 5.0), ("s", 0.024)],
        [-1.0, -3.0, 3.0],
        0.5,
        3000.0,
    ),
    (
        "rucklidge",
        ["-k*x + l*y - y*z", "x", "-c*z + y^2"],
        &[("k", 2.0), ("l", 6.7), ("c", 1.0)],
        [1.9, 3.2, 5.8],
        0.1,
        300.0,
    ),
    ("nosehoover", ["y", "-k*x + y*z", "a - y^2"], &[("k", 1.0), ("a", 1.5)], [-1.976, 0.2465, 0.790], 0.2, 300.0),
    (
        "sprottB",
        ["y*z", "a*x - b*y", "c - x*y"],
        &[("a", 1.0), ("b", 1.0), ("c", 1.0)],
        [1.69, 1.48, -0.54],
        0.2,
        300.0,
    ),
    (
        "sprottC",
        ["y*z", "a*x - b*y", "c - x^2"],
        &[("a", 1.0), ("b", 1.0), ("c", 1.0)],
        [-0.47, -0.27, 1.94],
        0.2,
        300.0,
    ),
    (
        "sprottE",
        ["y*z", "x^2 - b*y", "c - a*x"],
        &[("b", 1.0), ("c", 1.0), ("a", 4.0)],
        [0.617, 0.666, -1.657],
        0.2,
        300.0,
    ),
    (
        "sprottM",
        ["-z", "-x^2 - b*y", "c + a*x + y"],
        &[("b", 1.0), ("c", 1.7), ("a", 1.7)],
        [1.60, -1.60, -2.62],
        0.2,
        300.0,
    ),
    (
        "rikitake",
        ["-m*x + y*z", "-n*y + x*(z - a)", "c - x*y"],
        &[("m", 1.0), ("n", 1.0), ("a", 1.0), ("c", 1.0)],
        [1.5, 0.5, 1.2],
        0.2,
        300.0,
    ),
    (
        "finance",
        ["k*x + z + x*y", "-b*y - x^2", "-x - c*z"],
        &[("k", 4.999), ("b", 0.2), ("c", 1.1)],
        [-0.5, -3.96, 0.001],
        0.2,
        300.0,
    ),
    (
        "genesio",
        ["y", "z", "-c*x - b*y - a*z + x^2"],
        &[("c", 1.0), ("b", 1.1), ("a", 0.44)],
        [-0.054, -0.26, 0.335],
        0.2,
        300.0,
    ),
    ("thomas", ["sin(y) - b*x", "sin(z) - b*y", "sin(x) - b*z"], &[("b", 0.208_186)], [1.1, 1.1, -0.01], 0.5, 300.0),
];

/// A system of the table.
pub fn entry(name: &str) -> &'static Entry {
    SYSTEMS.iter().find(|entry| entry.0 == name).unwrap()
}

pub fn written(name: &str, variables: &[&str], equations: &[&str], parameters: &[(&str, f64)]) -> ExpressionField {
    ExpressionField::new(&Equations {
        name: name.into(),
        variables: variables.iter().map(|v| v.to_string()).collect(),
        equations: equations.iter().map(|v| v.to_string()).collect(),
        parameters: parameters.iter().map(|(n, v)| (n.to_string(), *v)).collect(),
        ..Equations::default()
    })
    .unwrap()
}

pub fn field(entry: &Entry) -> ExpressionField {
    written(entry.0, &["x", "y", "z"], &entry.1, entry.2)
}

/// The system with all parameters free, from a start that is a fifth off, up and down in turn.
pub fn dynamics(entry: &Entry) -> Dynamics {
    let start = truth(entry).iter().enumerate().map(|(i, v)| v * if i % 2 == 0 { 1.2 } else { 0.8 }).collect();
    Dynamics::written(&field(entry), start, None).unwrap()
}

pub fn truth(entry: &Entry) -> Vec<f64> {
    entry.2.iter().map(|(_, v)| *v).collect()
}

/// `count` points of a system, `dt` apart; `seed` moves the start.
pub fn points(entry: &Entry, count: usize, dt: f64, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64::seed_from_u64(seed);
    // The Nosé–Hoover system has a chaotic sea with islands.
    let apart = if entry.0 == "nosehoover" { 0.0 } else { 0.01 };
    let start: Vec<f64> = entry.3.iter().map(|x| x * (1.0 + apart * rng.sample::<f64, _>(StandardNormal))).collect();
    simulate(&field(entry), &truth(entry), &start, dt, count, entry.5 + seed as f64).unwrap()
}

pub fn noisy(points: Vec<f64>, share: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    noisy_of(points, 3, share, seed)
}

/// The same of any number of coordinates.
pub fn noisy_of(mut points: Vec<f64>, dim: usize, share: f64, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let mut rng = Pcg64::seed_from_u64(seed);
    let n = points.len() / dim;
    let deviations: Vec<f64> = (0..dim)
        .map(|axis| {
            let column = || points.iter().skip(axis).step_by(dim);
            let mean = column().sum::<f64>() / n as f64;
            (column().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt() * share
        })
        .collect();
    for row in points.chunks_exact_mut(dim) {
        row.iter_mut().zip(&deviations).for_each(|(x, s)| *x += s * rng.sample::<f64, _>(StandardNormal));
    }
    (points, deviations)
}

pub fn shuffled(points: &[f64], dim: usize, seed: u64) -> Vec<f64> {
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut rows: Vec<&[f64]> = points.chunks_exact(dim).collect();
    for i in (1..rows.len()).rev() {
        rows.swap(i, rng.random_range(0..=i));
    }
    rows.concat()
}

pub fn sample(points: Vec<f64>, dim: usize, dt: Option<f64>) -> Sample {
    let count = points.len() / dim;
    Sample::new(points, dim, vec![count], dt).unwrap()
}
