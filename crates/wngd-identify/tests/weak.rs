//! The weak stationary equation on systems with known parameters.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, points, sample, shuffled, truth, written};
use wngd_identify::{Dynamics, Estimate, Question, Verdict, WeakStationary, answer};

/// Largest relative error, largest error in standard errors.
fn errors(found: &Estimate, truth: &[f64]) -> (f64, f64) {
    let errors = found.standard_errors.as_ref().unwrap();
    let each = found.theta.iter().zip(truth).zip(errors);
    each.fold((0.0, 0.0), |(worst, largest): (f64, f64), ((t, truth), e)| {
        (worst.max((t / truth - 1.0).abs()), largest.max((t - truth).abs() / e.unwrap_or(f64::NAN)))
    })
}

fn shown(name: &str, found: &Estimate, truth: &[f64]) -> String {
    let (worst, largest) = errors(found, truth);
    let misfit = found.misfit.unwrap();
    format!(
        "{name}: error {:.4} %, {largest:.1} s.e., J/dof {:.2}, p {:.3}, {:.2} s {:?} {:?} {:?}",
        100.0 * worst,
        misfit.statistic / misfit.degrees_of_freedom,
        misfit.p_value,
        found.seconds,
        found.objections,
        found.remarks,
        found.undetermined.iter().map(|u| &u.text).collect::<Vec<_>>()
    )
}

/// `cargo test --release -p wngd-identify --test weak -- --ignored --nocapture all_systems` prints the table of the book.
#[test]
#[ignore = "takes a minute"]
fn all_systems() {
    for entry in &systems::SYSTEMS {
        let (data, truth) = (points(entry, 40_000, entry.4, 1), truth(entry));
        for (how, dt, data) in [("ordered", Some(entry.4), data.clone()), ("shuffled", None, shuffled(&data, 3, 1))] {
            let found = WeakStationary::default().estimate(&dynamics(entry), &sample(data, 3, dt)).unwrap();
            println!("{}", shown(&format!("{} {how}", entry.0), &found, &truth));
        }
        if entry.0 == "thomas" {
            continue;
        }
        let (data, noise) = noisy(data, 0.05, 2);
        let weak = WeakStationary { noise, seed: 1 };
        let found = weak.estimate(&dynamics(entry), &sample(data, 3, Some(entry.4))).unwrap();
        println!("{}", shown(&format!("{} 5 % noise", entry.0), &found, &truth));
    }
}

#[test]
fn lorenz_is_found_from_points_in_any_order() {
    let lorenz = entry("lorenz63");
    let data = points(lorenz, 20_000, 0.05, 3);
    let truth = truth(lorenz);
    let ordered = WeakStationary::default().estimate(&dynamics(lorenz), &sample(data.clone(), 3, Some(0.05))).unwrap();
    let (worst, largest) = errors(&ordered, &truth);
    assert!(worst < 1e-3 && largest < 3.5 && ordered.fits(), "{}", shown("ordered", &ordered, &truth));
    let data = shuffled(&data, 3, 1);
    let lost = WeakStationary::default().estimate(&dynamics(lorenz), &sample(data, 3, None)).unwrap();
    let (worst, largest) = errors(&lost, &truth);
    assert!(worst < 0.01 && largest < 3.5 && lost.fits(), "{}", shown("shuffled", &lost, &truth));
}

#[test]
fn noise_is_undone_and_a_wrong_term_noticed() {
    let lorenz = entry("lorenz63");
    let (data, noise) = noisy(points(lorenz, 40_000, 0.05, 3), 0.1, 1);
    let data = sample(data, 3, Some(0.05));
    let truth = truth(lorenz);
    let found = WeakStationary { noise, seed: 1 }.estimate(&dynamics(lorenz), &data).unwrap();
    let (worst, largest) = errors(&found, &truth);
    assert!(worst < 0.02 && largest < 3.5 && found.fits(), "{}", shown("noise", &found, &truth));
    let blind = WeakStationary::default().estimate(&dynamics(lorenz), &data).unwrap();
    assert!(!blind.passes(), "{}", shown("noise not declared", &blind, &truth));
    // x z is missing a twentieth.
    let parameters = [("s", 10.0), ("r", 28.0), ("b", 2.7)];
    let other = written("other", &["x", "y", "z"], &["s*(y - x)", "x*(r - 0.95*z) - y", "x*y - b*z"], &parameters);
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    let data = sample(points(lorenz, 40_000, 0.05, 4), 3, Some(0.05));
    let found = WeakStationary::default().estimate(&other, &data).unwrap();
    assert!(!found.passes(), "{}", shown("wrong", &found, &truth));
}

#[test]
fn noise_is_found_without_an_order() {
    let lorenz = entry("lorenz63");
    let (data, noise) = noisy(points(lorenz, 40_000, 0.5, 3), 0.1, 1);
    let data = sample(shuffled(&data, 3, 1), 3, None);
    let truth = truth(lorenz);
    let (found, variances) = WeakStationary::default().estimate_with_noise(&dynamics(lorenz), &data).unwrap();
    let (worst, largest) = errors(&found, &truth);
    assert!(worst < 0.02 && largest < 3.5 && found.fits(), "{}", shown("noise", &found, &truth));
    for (found, level) in variances.iter().zip(&noise) {
        let (variance, error, exact) = (found.value, found.standard_error.unwrap(), level * level);
        assert!((variance - exact).abs() < 3.5 * error && error < 0.5 * exact, "{variance} ± {error} for {exact}");
    }
    // The answer finds by itself that there is some, and that there is none.
    let answered = answer(&dynamics(lorenz), &data, &Question::default()).unwrap();
    assert_eq!((answered.verdict, &answered.estimate().theta), (Verdict::Fits, &found.theta));
    let clean = sample(shuffled(&points(lorenz, 40_000, 0.5, 3), 3, 1), 3, None);
    let answered = answer(&dynamics(lorenz), &clean, &Question::default()).unwrap();
    assert_eq!((answered.verdict, answered.noise_share), (Verdict::Fits, vec![0.0; 3]));
    // Points of another system are not explained by it.
    let parameters = [("s", 10.0), ("r", 28.0), ("b", 2.7)];
    let other = written("other", &["x", "y", "z"], &["s*(y - x)", "x*(r - 0.95*z) - y", "x*y - b*z"], &parameters);
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    assert_eq!(answer(&other, &clean, &Question::default()).unwrap().verdict, Verdict::Misfit);
}

/// `cargo test --release -p wngd-identify --test weak -- --ignored --nocapture noise_of_all_systems`
#[test]
#[ignore = "takes a minute"]
fn noise_of_all_systems() {
    for entry in systems::SYSTEMS.iter().filter(|entry| entry.0 != "thomas") {
        let truth = truth(entry);
        for share in [0.05, 0.2] {
            let (data, noise) = noisy(points(entry, 40_000, entry.4, 1), share, 2);
            let data = sample(shuffled(&data, 3, 1), 3, None);
            let (found, variances) = WeakStationary::default().estimate_with_noise(&dynamics(entry), &data).unwrap();
            let known = WeakStationary { noise: noise.clone(), seed: 1 }.estimate(&dynamics(entry), &data).unwrap();
            println!("{}", shown(&format!("{} {share}", entry.0), &found, &truth));
            println!("{}", shown("        known", &known, &truth));
            let each = variances
                .iter()
                .zip(&noise)
                .map(|(v, s)| format!("{:.4} ± {:.4}", v.value / s / s, v.standard_error.unwrap_or(f64::NAN) / s / s));
            println!("        variances over the true ones {}", each.collect::<Vec<_>>().join(", "));
        }
    }
}

#[test]
fn what_no_density_tells_is_named() {
    let (data, parameters) = (
        points(entry("lorenz63"), 20_000, 0.5, 3),
        [("s", 9.0), ("r", 25.0), ("c", 0.9), ("d", 1.1), ("b", 2.5), ("e", 0.8)],
    );
    let all = written("all", &["x", "y", "z"], &["s*(y - x)", "r*x - c*x*z - d*y", "e*x*y - b*z"], &parameters);
    let all = Dynamics::written(&all, parameters.iter().map(|p| p.1).collect(), None).unwrap();
    let found = WeakStationary::default().estimate(&all, &sample(shuffled(&data, 3, 2), 3, None)).unwrap();
    assert_eq!(found.undetermined.len(), 1, "{found:?}");
    assert!(found.undetermined[0].text.contains("one constant"), "{found:?}");
    assert!(found.standard_errors.as_ref().unwrap().iter().all(Option::is_none) && !found.fits());
    // The ratios are right.
    assert!((found.theta[1] / found.theta[0] - 2.8).abs() < 0.05, "{found:?}");
    let twice = written(
        "twice",
        &["x", "y", "z"],
        &["s*(y - x)", "x*(r + q - z) - y", "x*y - b*z"],
        &[("s", 10.0), ("r", 20.0), ("q", 8.0), ("b", 2.7)],
    );
    let twice = Dynamics::written(&twice, vec![10.0, 20.0, 8.0, 2.7], None).unwrap();
    let found = WeakStationary::default().estimate(&twice, &sample(data, 3, None)).unwrap();
    assert_eq!(found.undetermined.len(), 1, "{found:?}");
    let errors = found.standard_errors.as_ref().unwrap();
    assert!(errors[1].is_none() && errors[2].is_none() && errors[0].is_some() && errors[3].is_some(), "{found:?}");
    assert!((found.theta[1] + found.theta[2] - 28.0).abs() < 0.3, "{found:?}");
}

#[test]
fn parameters_may_enter_in_any_way() {
    let rucklidge = entry("rucklidge");
    let data = sample(points(rucklidge, 20_000, 0.1, 3), 3, Some(0.1));
    let parameters = [("k", 1.0), ("l", 2.0), ("c", 0.5)];
    let other = written("other", &["x", "y", "z"], &["-k^2*x + exp(l)*y - y*z", "x", "-c*z + y^2"], &parameters);
    let other = Dynamics::written(&other, vec![1.0, 2.0, 0.5], None).unwrap();
    let found = WeakStationary::default().estimate(&other, &data).unwrap();
    let truth = [2f64.sqrt(), 6.7f64.ln(), 1.0];
    let (worst, largest) = errors(&found, &truth);
    assert!(found.fits() && worst < 0.005 && largest < 4.0, "{}", shown("other", &found, &truth));
}

#[test]
fn results_have_the_same_bits_on_any_number_of_threads() {
    let data = sample(points(entry("roessler"), 5000, 0.1, 3), 3, Some(0.1));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| WeakStationary::default().estimate(&dynamics(entry("roessler")), &data).unwrap());
        (found.theta, found.standard_errors, found.misfit)
    };
    assert_eq!(on(1), on(3));
}

/// Snapshots of Lorenz' chain of 40 variables with F = 8, a tenth of a time unit apart, by the classical Runge–Kutta method.
fn chain(count: usize) -> Vec<f64> {
    const N: usize = 40;
    let rhs = |x: &[f64]| -> Vec<f64> {
        (0..N).map(|i| (x[(i + 1) % N] - x[(i + N - 2) % N]) * x[(i + N - 1) % N] - x[i] + 8.0).collect()
    };
    let mut x: Vec<f64> = (0..N).map(|i| 8.0 + (i as f64).sin()).collect();
    let mut points = Vec::new();
    let h = 0.02;
    for step in 0..5 * (count + 200) {
        let along = |k: &[f64], h: f64| -> Vec<f64> { x.iter().zip(k).map(|(x, k)| x + h * k).collect() };
        let k1 = rhs(&x);
        let k2 = rhs(&along(&k1, 0.5 * h));
        let k3 = rhs(&along(&k2, 0.5 * h));
        let k4 = rhs(&along(&k3, h));
        (0..N).for_each(|i| x[i] += h / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
        if step % 5 == 0 && step >= 1000 {
            points.extend_from_slice(&x);
        }
    }
    points
}

#[test]
fn forty_variables_are_no_more_than_three() {
    let names: Vec<String> = (0..40).map(|i| format!("x{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let equation = |force: &dyn Fn(usize) -> String, i: usize| {
        let at = |shift: usize| names[(i + 40 + shift) % 40];
        format!("c*({} - {})*{} - {} + {}", at(1), at(38), at(39), at(0), force(i))
    };
    let data = sample(shuffled(&chain(4000), 40, 1), 40, None);
    let equations: Vec<String> = (0..40).map(|i| equation(&|_| "F".into(), i)).collect();
    let equations: Vec<&str> = equations.iter().map(String::as_str).collect();
    let two = Dynamics::written(&written("chain", &names, &equations, &[("c", 0.8), ("F", 6.0)]), vec![0.8, 6.0], None);
    let found = WeakStationary::default().estimate(&two.unwrap(), &data).unwrap();
    let (worst, largest) = errors(&found, &[1.0, 8.0]);
    assert!(found.fits() && worst < 0.005 && largest < 4.0, "{}", shown("two", &found, &[1.0, 8.0]));
}
