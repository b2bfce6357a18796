//! Every built-in system of three coordinates is simulated and identified.
#![allow(clippy::unwrap_used)]

use rayon::prelude::*;
use wngd_identify::{Dynamics, Question, Sample, answer, simulate, time_scale};
use wngd_models::flow::{SYSTEM_NAMES, system};

/// Points, and the time between them in time scales of the system.
const POINTS: usize = 40_000;
const APART: f64 = 0.35;
/// Largest relative error of a parameter.
const WITHIN: f64 = 0.005;

/// The answer's estimator, its largest relative error, and what it says.
fn found(name: &str) -> Result<(String, f64, String), String> {
    let told = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let it = system(name).unwrap();
    let field = it.field.as_ref();
    let guess = 1e-3 * it.lower.iter().zip(&it.upper).fold(f64::INFINITY, |least: f64, (a, b)| least.min(b - a));
    let rough = simulate(field, &it.theta, &it.start, guess.clamp(1e-4, 0.01), 20_000, 1.0).map_err(|e| told(&e))?;
    let scale = time_scale(field, &it.theta, &rough);
    let dt = APART * scale;
    let points = simulate(field, &it.theta, &it.start, dt, POINTS, 300.0 * scale).map_err(|e| told(&e))?;
    let sample = Sample::new(points, 3, vec![POINTS], Some(dt)).map_err(|e| told(&e))?;
    let start = it.theta.iter().enumerate().map(|(i, v)| v * if i % 2 == 0 { 1.1 } else { 0.9 }).collect();
    let dynamics = Dynamics::written(&it.written().unwrap(), start, None).unwrap();
    let estimators = ["weak-stationary", "shooting"].map(String::from).to_vec();
    let question = Question { estimators: Some(estimators), ..Question::default() };
    let answered = answer(&dynamics, &sample, &question).map_err(|e| told(&e))?;
    let estimate = answered.estimate();
    let pairs = estimate.theta.iter().zip(&it.theta);
    let worst = pairs.fold(0.0, |most: f64, (t, truth)| most.max((t / truth - 1.0).abs()));
    let of_moments = &answered.estimates[0];
    let pairs = of_moments.theta.iter().zip(&it.theta);
    let moments = pairs.fold(0.0, |most: f64, (t, truth)| most.max((t / truth - 1.0).abs()));
    let words = format!(
        "{name}: {} {:.2e}, {} {moments:.2e}, {:?} {:?}",
        estimate.estimator,
        worst,
        of_moments.estimator,
        answered.verdict,
        answered.remarks.first()
    );
    Ok((estimate.estimator.to_string(), worst, words))
}

/// `cargo test --release -p wngd-identify --test builtin -- --nocapture` prints them.
#[test]
fn every_parameter_of_every_system_is_found() {
    let names: Vec<&str> = SYSTEM_NAMES.iter().copied().filter(|name| system(name).unwrap().field.dim() == 3).collect();
    let all: Vec<_> = names.par_iter().map(|name| found(name)).collect();
    let mut wrong = Vec::new();
    for each in all {
        match each {
            Ok((_, worst, words)) => {
                println!("{words}");
                if !(worst < WITHIN) {
                    wrong.push(words);
                }
            }
            Err(error) => wrong.push(error),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), names.len(), wrong.join("\n"));
}
