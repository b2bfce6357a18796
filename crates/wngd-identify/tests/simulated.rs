//! Simulated moments on systems with known parameters.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample, shuffled, truth, written};
use wngd_identify::{Dynamics, Estimate, SimulatedMoments};

fn shown(found: &Estimate, truth: &[f64]) -> String {
    let errors = found.standard_errors.clone().unwrap();
    let z: Vec<f64> =
        found.theta.iter().zip(truth).zip(&errors).map(|((t, truth), e)| (t - truth) / e.unwrap_or(f64::NAN)).collect();
    format!(
        "{:.4?} ± {errors:.4?}, z {z:.2?}, {:?}, {:.2} s, noise {:.4?}, {:?}",
        found.theta, found.misfit, found.seconds, found.noise, found.remarks
    )
}

/// Fits, and lies within `most` standard errors and `share` of the truth.
fn right(found: &Estimate, truth: &[f64], most: f64, share: f64) {
    let errors = found.standard_errors.as_ref().unwrap();
    for ((t, truth), e) in found.theta.iter().zip(truth).zip(errors) {
        let near = (t - truth).abs() < most * e.unwrap() && (t / truth - 1.0).abs() < share;
        assert!(near, "{}", shown(found, &[10.0, 28.0, 8.0 / 3.0]));
    }
    assert!(found.fits(), "{}", shown(found, &[10.0, 28.0, 8.0 / 3.0]));
}

/// The columns that are named.
fn some(points: &[f64], columns: &[usize]) -> Vec<f64> {
    points.chunks_exact(3).flat_map(|row| columns.iter().map(|c| row[*c])).collect()
}

#[test]
fn points_in_any_order_and_noise_that_nobody_declared() {
    let lorenz = entry("lorenz63");
    let (data, deviations) = noisy(shuffled(&points(lorenz, 20_000, 0.5, 3), 3, 1), 0.1, 1);
    let found =
        SimulatedMoments::default().estimate(&dynamics(lorenz), &sample(data, 3, None), &[9.0, 26.0, 2.9]).unwrap();
    println!("{}", shown(&found, &truth(lorenz)));
    right(&found, &truth(lorenz), 4.0, 0.05);
    for (noise, exact) in found.noise.iter().zip(&deviations) {
        assert!((noise / exact - 1.0).abs() < 0.3, "{:?} {deviations:?}", found.noise);
    }
}

#[test]
fn hidden_variables_with_order_and_without() {
    let lorenz = entry("lorenz63");
    let data = points(lorenz, 20_000, 0.05, 3);
    let moments = SimulatedMoments { observed: Some(vec![0]), ..Default::default() };
    let found =
        moments.estimate(&dynamics(lorenz), &sample(some(&data, &[0]), 1, Some(0.05)), &[9.0, 26.0, 2.9]).unwrap();
    println!("{}", shown(&found, &truth(lorenz)));
    right(&found, &truth(lorenz), 4.0, 0.1);
    let data = shuffled(&points(lorenz, 20_000, 0.5, 3), 3, 1);
    let moments = SimulatedMoments { noise: Some(vec![0.0; 2]), observed: Some(vec![0, 2]), seed: 1 };
    let found = moments.estimate(&dynamics(lorenz), &sample(some(&data, &[0, 2]), 2, None), &[9.0, 26.0, 2.9]).unwrap();
    println!("{}", shown(&found, &truth(lorenz)));
    right(&found, &truth(lorenz), 4.0, 0.1);
}

#[test]
fn a_wrong_term_is_noticed_and_threads_change_nothing() {
    let lorenz = entry("lorenz63");
    let data = sample(points(lorenz, 10_000, 0.1, 3), 3, Some(0.1));
    let parameters = [("s", 10.0), ("r", 28.0), ("b", 2.7)];
    let other = written("other", &["x", "y", "z"], &["s*(y - x)", "x*(r - 0.8*z) - y", "x*y - b*z"], &parameters);
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    let moments = SimulatedMoments { noise: Some(vec![0.0; 3]), ..Default::default() };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| moments.estimate(&other, &data, &[10.0, 28.0, 2.7]).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert!(!one.passes(), "{}", shown(&one, &[10.0, 28.0, 2.7]));
    assert_eq!((one.theta, one.covariance), (three.theta, three.covariance));
}

/// `cargo test --release -p wngd-identify --test simulated -- --ignored --nocapture rows` prints how large errors are in standard
/// errors, on the records of twenty that fit.
#[test]
#[ignore = "takes minutes"]
fn rows() {
    let lorenz = entry("lorenz63");
    let truth = truth(lorenz);
    for (name, columns, dt, order) in [
        ("all, no order", vec![0, 1, 2], 0.5, false),
        ("x alone, in order", vec![0], 0.1, true),
        ("all, in order", vec![0, 1, 2], 0.1, true),
    ] {
        let (mut squares, mut relative, mut rejected) = ([0.0; 3], [0.0; 3], 0u32);
        for seed in 0..20 {
            let data = points(lorenz, 10_000, dt, seed);
            let data = if order { data } else { shuffled(&data, 3, seed) };
            let data = sample(some(&data, &columns), columns.len(), order.then_some(dt));
            let moments = SimulatedMoments {
                noise: Some(vec![0.0; columns.len()]),
                observed: Some(columns.clone()),
                seed: seed + 1,
            };
            let found = moments.estimate(&dynamics(lorenz), &data, &[9.0, 26.0, 2.9]).unwrap();
            println!("{name}: {}", shown(&found, &truth));
            // What ends in another minimum is rejected, and stands for nothing.
            if !found.fits() {
                rejected += 1;
                continue;
            }
            let errors = found.standard_errors.clone().unwrap();
            for j in 0..3 {
                squares[j] += ((found.theta[j] - truth[j]) / errors[j].unwrap()).powi(2) / 20.0;
                relative[j] += (found.theta[j] / truth[j] - 1.0).powi(2) / 20.0;
            }
        }
        let kept = f64::from(20 - rejected) / 20.0;
        squares.iter_mut().chain(&mut relative).for_each(|v| *v /= kept);
        println!(
            "{name}: normalised {:.2?}, in per cent {:.3?}, rejected {rejected}",
            squares.map(f64::sqrt),
            relative.map(|v| 100.0 * v.sqrt())
        );
        // They are known to be too wide, and may not be too narrow.
        assert!(squares.iter().all(|v| (0.2..1.5).contains(&v.sqrt())), "{name}: {squares:?}");
        assert!(rejected <= 2, "{name}: {rejected} of 20 rejected");
    }
}
