//! Studies by simulation, minutes each: `cargo test --release -p wngd-fit --test studies -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)]

use wngd_fit::{Components, Family, Mixture, Options, Samples, fit};

fn truth(dim: usize) -> Mixture {
    match dim {
        1 => Mixture::new(vec![0.6, 0.4], vec![vec![0.0], vec![3.0]], vec![vec![vec![1.0]], vec![vec![0.5]]]),
        2 => Mixture::new(
            vec![0.6, 0.4],
            vec![vec![0.0, 0.0], vec![3.0, 1.0]],
            vec![vec![vec![1.0, 0.3], vec![0.3, 0.8]], vec![vec![0.5, -0.1], vec![-0.1, 0.6]]],
        ),
        _ => {
            let row = |a: usize, s: f64| (0..3).map(|b| if a == b { s } else { 0.2 * s }).collect::<Vec<f64>>();
            let matrix = |s: f64| (0..3).map(|a| row(a, s)).collect::<Vec<_>>();
            Mixture::new(vec![0.6, 0.4], vec![vec![0.0; 3], vec![2.5; 3]], vec![matrix(1.0), matrix(0.6)])
        }
    }
    .unwrap()
}

/// Standard errors over the scatter of 400 estimates (whose own error is 4 %), and how often ± 2 of them cover the truth.
#[test]
#[ignore = "minutes"]
fn standard_errors_are_the_scatter_of_estimates() {
    let truth = truth(2);
    let values = [0.6, 0.0, 0.0, 3.0, 1.0, 1.0, 0.3, 0.8, 0.5, -0.1, 0.6];
    let options = Options {
        components: Components::Exactly(2),
        family: Family::Full,
        goodness: false,
        starts: 4,
        ..Options::default()
    };
    let (mut sum, mut square, mut error, mut cover) = ([0.0; 11], [0.0; 11], [0.0; 11], [0; 11]);
    for seed in 0..400 {
        let found = fit(&Samples::new(2, truth.sample(1000, 1000 + seed)).unwrap(), &options).unwrap();
        for (i, e) in found.standard_errors().iter().enumerate() {
            let (e, off) = (e.unwrap(), found.theta[i] - values[i]);
            sum[i] += off;
            square[i] += off * off;
            error[i] += e;
            cover[i] += usize::from(off.abs() < 2.0 * e);
        }
    }
    let mut covered = 0;
    for i in 0..11 {
        let scatter = (square[i] / 400.0 - (sum[i] / 400.0f64).powi(2)).sqrt();
        let ratio = error[i] / 400.0 / scatter;
        println!("parameter {i}: mean error over scatter {ratio:.3}, covered {} of 400", cover[i]);
        assert!((0.85..=1.2).contains(&ratio), "{i}: {ratio}");
        covered += cover[i];
    }
    println!("covered in all: {:.1} %", covered as f64 / 44.0);
    assert!((0.92..=0.98).contains(&(covered as f64 / 4400.0)));
}

/// How many of 500 fits of the right mixture have p < 0.01: 5 are due.
#[test]
#[ignore = "minutes"]
fn goodness_of_fit_seldom_cries_wolf() {
    for dim in 1..=3 {
        let truth = truth(dim);
        let options = Options { components: Components::Exactly(2), starts: 4, errors: false, ..Options::default() };
        let (mut below, mut tenth) = (0, 0);
        for seed in 0..500 {
            let found = fit(&Samples::new(dim, truth.sample(500, 5000 + seed)).unwrap(), &options).unwrap();
            let p = found.goodness.unwrap().p_value;
            below += usize::from(p < 0.01);
            tenth += usize::from(p < 0.1);
        }
        println!("{dim}-D: {below} of 500 below 0.01, {tenth} below 0.1");
        assert!((1..=9).contains(&below), "{dim}-D: {below}");
    }
}

/// A uniform density is told from a Gaussian.
#[test]
fn what_is_no_mixture_is_told() {
    let uniform: Vec<f64> = (0..2000).map(|i| (f64::from(i) * 0.618_033_988_749_895).fract()).collect();
    let options = Options { components: Components::Exactly(1), ..Options::default() };
    let found = fit(&Samples::new(1, uniform).unwrap(), &options).unwrap();
    assert!(found.goodness.unwrap().p_value < 1e-6);
}
