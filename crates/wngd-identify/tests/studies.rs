//! How often right models are rejected, and how often errors cover the truth.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample, truth};
use wngd_identify::{Question, Verdict, WeakStationary, answer};

/// How the points of a case come.
const WAYS: [&str; 4] = ["clean", "5 % noise", "no order", "sparse"];

/// Verdict and largest error in standard errors of one case.
fn case(name: &str, way: &str, count: usize, seed: u64) -> (Verdict, f64, String) {
    let entry = entry(name);
    let dt = if way == "sparse" || way == "no order" { 5.0 * entry.4 } else { entry.4 };
    let mut data = points(entry, count, dt, seed);
    if way == "5 % noise" {
        data = noisy(data, 0.05, seed).0;
    }
    let found =
        answer(&dynamics(entry), &sample(data, 3, (way != "no order").then_some(dt)), &Question::default()).unwrap();
    let estimate = found.estimate();
    let errors = estimate.standard_errors.as_ref();
    let far = errors.map_or(f64::NAN, |errors| {
        let each = estimate.theta.iter().zip(truth(entry)).zip(errors);
        each.map(|((t, truth), e)| (t - truth).abs() / e.unwrap_or(f64::NAN)).fold(0.0, f64::max)
    });
    (found.verdict, far, format!("{:?} by {}: {:?}", found.verdict, estimate.estimator, found.remarks))
}

#[test]
fn right_models_are_not_rejected() {
    for (name, way) in [
        ("lorenz63", "clean"),
        ("roessler", "no order"),
        ("rucklidge", "5 % noise"),
        ("sprottB", "sparse"),
        ("thomas", "clean"),
        ("halvorsen", "5 % noise"),
    ] {
        let (verdict, far, text) = case(name, way, 6000, 11);
        assert!(verdict == Verdict::Fits && far < 5.0, "{name}, {way}: {far:.1} s.e., {text}");
    }
}

/// `cargo test --release -p wngd-identify --test studies -- --ignored --nocapture two_hundred` prints the count of the book.
#[test]
#[ignore = "takes minutes"]
fn two_hundred_right_models() {
    let names = [
        "lorenz63",
        "roessler",
        "halvorsen",
        "rabinovich",
        "lorenz84",
        "rucklidge",
        "sprottB",
        "sprottE",
        "rikitake",
        "genesio",
    ];
    let (mut rejected, mut far_off, mut all) = (0, 0, 0);
    for name in names {
        for way in WAYS {
            for seed in 1..=5 {
                let (verdict, far, text) = case(name, way, 10_000, seed);
                all += 1;
                if verdict != Verdict::Fits {
                    rejected += 1;
                    println!("{name}, {way}, {seed}: {text}");
                }
                if far > 3.0 {
                    far_off += 1;
                    println!("{name}, {way}, {seed}: {far:.1} standard errors off, {text}");
                }
            }
        }
    }
    println!("{rejected} of {all} rejected, {far_off} more than three standard errors off");
    assert!(rejected <= 2, "{rejected} of {all}");
}

/// What came out of many draws.
struct Draws {
    /// Mean and scatter of J/dof.
    mean: f64,
    scatter: f64,
    /// Draws with p below 0.05.
    low: usize,
    /// Root mean squares of normalised and of relative errors.
    rms: Vec<f64>,
    relative: Vec<f64>,
    /// Parameters within 1.96 standard errors.
    covered: usize,
}

/// Independent points of Lorenz' system: misfit and normalised errors of many draws.
fn draws(count: usize, of: usize) -> Draws {
    let lorenz = entry("lorenz63");
    let truth = truth(lorenz);
    let (mut misfits, mut squares, mut relative) = (Vec::new(), vec![0.0; 3], vec![0.0; 3]);
    let (mut covered, mut low) = (0, 0);
    for seed in 0..of {
        let data = sample(points(lorenz, count, 3.0, seed as u64 + 50), 3, None);
        let found = WeakStationary::default().estimate(&dynamics(lorenz), &data).unwrap();
        let misfit = found.misfit.unwrap();
        misfits.push(misfit.statistic / misfit.degrees_of_freedom);
        low += usize::from(misfit.p_value < 0.05);
        for (j, e) in found.standard_errors.unwrap().into_iter().enumerate() {
            let z = (found.theta[j] - truth[j]) / e.unwrap();
            squares[j] += z * z / of as f64;
            relative[j] += (found.theta[j] / truth[j] - 1.0).powi(2) / of as f64;
            covered += usize::from(z.abs() < 1.96);
        }
    }
    let mean = misfits.iter().sum::<f64>() / of as f64;
    let scatter = (misfits.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (of - 1) as f64).sqrt();
    let root = |squares: Vec<f64>| squares.into_iter().map(f64::sqrt).collect();
    Draws { mean, scatter, low, rms: root(squares), relative: root(relative), covered }
}

#[test]
fn the_misfit_is_calibrated() {
    let Draws { mean, scatter, low, rms, covered, .. } = draws(4000, 12);
    // χ²/37: mean 1, scatter 0.23.
    assert!((mean - 1.0).abs() < 0.35 && scatter < 0.5 && low <= 4, "{mean} {scatter} {low}");
    assert!(rms.iter().all(|r| (0.4..1.5).contains(r)) && covered >= 31, "{rms:?} {covered}");
}

#[test]
fn a_thousand_points_are_enough() {
    let Draws { mean, low, rms, relative, covered, .. } = draws(1000, 20);
    assert!((mean - 1.0).abs() < 0.3 && low <= 4, "{mean} {low}");
    assert!(relative.iter().zip([0.01, 0.01, 0.025]).all(|(found, most)| *found < most), "{relative:?}");
    assert!(rms.iter().all(|r| (0.6..1.4).contains(r)) && (54..=60).contains(&covered), "{rms:?} {covered}");
}

/// `cargo test --release -p wngd-identify --test studies -- --ignored --nocapture coverage` prints the figures of the book.
#[test]
#[ignore = "takes a minute"]
fn coverage() {
    for count in [1000, 4000] {
        let Draws { mean, scatter, low, rms, relative, covered } = draws(count, 60);
        println!(
            "{count} independent points, 60 draws: J/dof {mean:.2} ± {scatter:.2}, p < 0.05 in {low}; rms of z {rms:.2?}, of relative errors {relative:.4?}; {covered} of 180 within 1.96"
        );
    }
}
