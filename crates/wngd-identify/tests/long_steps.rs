//! Steps over which noise grows beyond any linear law: what is held against a model there, and what is not.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample};
use wngd_identify::{Answer, Question, SimulateError, Trajectory, Verdict, answer};
use wngd_models::flow::{Equations, ExpressionField};

/// Estimators that take less than a second.
fn quick() -> Question {
    let names = ["weak-stationary", "shooting"];
    Question { estimators: Some(names.map(String::from).to_vec()), ..Question::default() }
}

/// Lorenz' system 1000 times half a time unit apart, with noise of a fifth of the scatter.
fn right(seed: u64) -> Answer {
    let lorenz = entry("lorenz63");
    let (data, _) = noisy(points(lorenz, 1000, 0.5, seed), 0.2, seed);
    answer(&dynamics(lorenz), &sample(data, 3, Some(0.5)), &quick()).unwrap()
}

/// The same, driven, without a word of it.
fn driven(diffusion: f64, noise: f64, dt: f64, seed: u64) -> Answer {
    let field = ExpressionField::new(&Equations {
        name: "driven".into(),
        variables: ["x", "y", "z"].map(String::from).to_vec(),
        equations: ["s*(y - x)", "x*(r - z) - y", "x*y - b*z"].map(String::from).to_vec(),
        diffusion: vec![Some("D".into()); 3],
        parameters: vec![("s".into(), 10.0), ("r".into(), 28.0), ("b".into(), 8.0 / 3.0), ("D".into(), diffusion)],
        ..Equations::default()
    })
    .unwrap();
    let theta = [10.0, 28.0, 8.0 / 3.0, diffusion];
    let mut motion = Trajectory::new(&field, &theta, &[1.0, 2.0, 20.0], dt).unwrap();
    motion = motion.driven(field.diffusion().unwrap(), seed).unwrap();
    motion.skip(50.0).unwrap();
    let mut data = Vec::new();
    let keep = |x: &[f64]| -> Result<(), SimulateError> {
        data.extend_from_slice(x);
        Ok(())
    };
    motion.advance(4000, keep).unwrap();
    let data = if noise > 0.0 { noisy(data, noise, seed).0 } else { data };
    answer(&dynamics(entry("lorenz63")), &sample(data, 3, Some(dt)), &quick()).unwrap()
}

#[test]
fn noise_that_grows_is_no_motion() {
    // The second was taken for one that is driven.
    for seed in [2, 11] {
        let found = right(seed);
        assert_eq!(found.verdict, Verdict::Fits, "{seed}: {:?}", found.remarks);
    }
}

#[test]
fn motion_beyond_the_model_is_seen_in_noise_that_grows() {
    for (dt, seed) in [(0.2, 2), (0.5, 4)] {
        let found = driven(8.0, 0.2, dt, seed);
        assert_eq!(found.verdict, Verdict::Misfit, "{dt}: {:?}", found.remarks);
        assert!(found.remarks[0].contains("driven by noise"), "{dt}: {:?}", found.remarks);
    }
}

/// `cargo test --release -p wngd-identify --test long_steps -- --ignored --nocapture` prints the counts of the book.
#[test]
#[ignore = "takes minutes"]
fn counts() {
    let fits = |found: &Answer| found.verdict == Verdict::Fits;
    println!("right: {} of 40 fit", (1..=40).filter(|seed| fits(&right(*seed))).count());
    for (diffusion, noise, dt) in [(8.0, 0.2, 0.5), (8.0, 0.2, 0.2), (8.0, 0.1, 0.2), (2.0, 0.2, 0.2)] {
        let count = (1..=6).filter(|seed| fits(&driven(diffusion, noise, dt, *seed))).count();
        println!("driven by D = {diffusion}, noise {noise}, dt {dt}: {count} of 6 fit");
    }
}
