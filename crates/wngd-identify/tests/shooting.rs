//! Steps from point to point on systems with known parameters.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample, truth, written};
use wngd_identify::{Dynamics, Shooting};

fn worst(theta: &[f64], truth: &[f64]) -> f64 {
    theta.iter().zip(truth).map(|(t, truth)| (t / truth - 1.0).abs()).fold(0.0, f64::max)
}

/// `cargo test --release -p wngd-identify --test shooting -- --ignored --nocapture` prints the table of the book.
#[test]
#[ignore = "takes a minute"]
fn all_systems() {
    for entry in &systems::SYSTEMS {
        let data = sample(points(entry, 40_000, entry.4, 1), 3, Some(entry.4));
        let start: Vec<f64> =
            truth(entry).iter().enumerate().map(|(i, t)| t * if i % 2 == 0 { 1.02 } else { 0.98 }).collect();
        let found = Shooting.estimate(&dynamics(entry), &data, &start).unwrap();
        let errors: Vec<f64> =
            found.standard_errors.as_ref().unwrap().iter().zip(truth(entry)).map(|(e, t)| e.unwrap() / t).collect();
        println!(
            "{}: error {:.1e}, s.e. {:.1e}, {:?}, {} {:?} {:.2} s",
            entry.0,
            worst(&found.theta, &truth(entry)),
            errors.iter().fold(0.0, |a: f64, b| a.max(*b)),
            found.misfit,
            found.converged,
            found.remarks,
            found.seconds
        );
    }
}

#[test]
fn clean_steps_are_exact_at_any_time_step() {
    let lorenz = entry("lorenz63");
    for (dt, start) in [(0.05, [8.0, 24.0, 2.0]), (0.5, [10.05, 28.05, 2.66])] {
        let data = sample(points(lorenz, 5000, dt, 3), 3, Some(dt));
        let found = Shooting.estimate(&dynamics(lorenz), &data, &start).unwrap();
        assert!(worst(&found.theta, &truth(lorenz)) < 1e-6 && found.fits(), "{dt}: {found:?}");
    }
}

#[test]
fn scales_of_time_are_told_by_order() {
    let names = ["s", "r", "c", "d", "b", "e"];
    let values = [10.0, 28.0, 1.0, 1.0, 8.0 / 3.0, 1.0];
    let start = [9.0, 25.0, 0.9, 1.1, 2.5, 0.8];
    let parameters: Vec<(&str, f64)> = names.iter().copied().zip(start).collect();
    let all = written("all", &["x", "y", "z"], &["s*(y - x)", "r*x - c*x*z - d*y", "e*x*y - b*z"], &parameters);
    let all = Dynamics::written(&all, start.to_vec(), None).unwrap();
    let data = sample(points(entry("lorenz63"), 3000, 0.05, 3), 3, Some(0.05));
    let found = Shooting.estimate(&all, &data, &start).unwrap();
    assert!(worst(&found.theta, &values) < 1e-6 && found.fits(), "{found:?}");
}

#[test]
fn a_missing_term_and_noise_are_noticed() {
    let lorenz = entry("lorenz63");
    let data = points(lorenz, 8000, 0.05, 3);
    let other = written(
        "other",
        &["x", "y", "z"],
        &["s*(y - x)", "x*(r - 0.95*z) - y", "x*y - b*z"],
        &[("s", 10.0), ("r", 28.0), ("b", 2.7)],
    );
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    let found = Shooting.estimate(&other, &sample(data.clone(), 3, Some(0.05)), &[10.0, 28.0, 2.7]).unwrap();
    assert!(!found.passes(), "{found:?}");
    let (data, _) = noisy(data, 0.05, 1);
    let found = Shooting.estimate(&dynamics(lorenz), &sample(data, 3, Some(0.05)), &[10.0, 28.0, 2.7]).unwrap();
    assert!(!found.passes(), "{found:?}");
}

#[test]
fn windows_with_free_states_bear_noise() {
    let lorenz = entry("lorenz63");
    let (data, noise) = noisy(points(lorenz, 12_000, 0.05, 3), 0.05, 1);
    let found = Shooting
        .estimate_with_noise(&dynamics(lorenz), &sample(data, 3, Some(0.05)), &[10.05, 28.05, 2.66], &noise)
        .unwrap();
    let errors = found.standard_errors.as_ref().unwrap();
    for ((found, truth), error) in found.theta.iter().zip(truth(lorenz)).zip(errors) {
        assert!(
            (found / truth - 1.0).abs() < 0.003 && (found - truth).abs() < 4.0 * error.unwrap(),
            "{found} ± {error:?}"
        );
    }
    assert!(found.fits(), "{found:?}");
}
