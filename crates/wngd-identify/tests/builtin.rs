//! Every built-in system of three coordinates is simulated and identified.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use rayon::prelude::*;
use wngd_identify::{Dynamics, Question, Sample, answer, simulate, time_scale};
use wngd_models::flow::{SYSTEM_NAMES, system};

/// Points, and the time between them in time scales of the system.
const POINTS: usize = 40_000;
const APART: f64 = 0.35;
/// Largest relative error of a parameter.
const WITHIN: f64 = 0.005;

/// Systems that are left to `--ignored`: with thirteen to fifteen parameters, in which v is not affine, or a switch much faster than
/// all else, they take minutes each.
const LONG: &[&str] =
    &["beer-rnn", "belousov-zhabotinsky", "ca-two-plus", "ca-two-plus-quasiperiodic", "multi-chua", "windmi-reduced"];

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
    let written = it.written().unwrap();
    let dynamics = Dynamics::written(&written, start, None).unwrap();
    let by = |names: &[&str]| {
        let estimators = Some(names.iter().map(|name| name.to_string()).collect());
        answer(&dynamics, &sample, &Question { estimators, ..Question::default() }).map_err(|e| told(&e))
    };
    // Where v is not affine in θ moments take many passes over the data.
    let both = ["weak-stationary", "shooting"];
    let answered = match by(if written.is_affine() { &both } else { &both[1..] }) {
        Ok(found) if found.estimate().fits() || written.is_affine() => found,
        // Kinks of a field may not let the flow be followed to ten digits.
        _ => by(&both[..1])?,
    };
    let estimate = answered.estimate();
    let size = |theta: &[f64]| {
        theta.iter().zip(&it.theta).fold(0.0, |most: f64, (t, truth)| most.max((t / truth - 1.0).abs()))
    };
    let errors: Vec<String> =
        answered.estimates.iter().map(|e| format!("{} {:.2e}", e.estimator, size(&e.theta))).collect();
    let words = format!(
        "{name}: {} by {}, {:?} {:?}",
        errors.join(", "),
        estimate.estimator,
        answered.verdict,
        answered.remarks.first()
    );
    Ok((estimate.estimator.to_string(), size(&estimate.theta), words))
}

/// `cargo test --release -p wngd-identify --test builtin -- --nocapture` prints them.
#[test]
fn every_parameter_of_every_system_is_found() {
    let short = |name: &&str| system(name).unwrap().field.dim() == 3 && !LONG.contains(name);
    let names: Vec<&str> = SYSTEM_NAMES.iter().copied().filter(short).collect();
    check(&names);
}

/// The others.
#[test]
#[ignore = "takes minutes; run with --ignored --nocapture"]
fn long_ones_are_tried() {
    check(LONG);
}

fn check(names: &[&str]) {
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
