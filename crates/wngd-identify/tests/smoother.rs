//! Path and parameters together on systems with known parameters.
#![allow(clippy::unwrap_used)]

mod systems;

use systems::{dynamics, entry, noisy, noisy_of, points, sample, truth, written};
use wngd_identify::{Dynamics, Estimate, Question, Sample, SimulateError, Smoother, Trajectory, Verdict, answer};
use wngd_models::flow::{Equations, ExpressionField};

/// One coordinate of every point.
fn column(points: &[f64], axis: usize) -> Vec<f64> {
    points.iter().skip(axis).step_by(3).copied().collect()
}

/// Lorenz' system, its first coordinate alone.
fn first_alone(count: usize, dt: f64, seed: u64) -> Sample {
    let (data, _) = noisy(points(entry("lorenz63"), count, dt, seed), 0.05, seed);
    Sample::new(column(&data, 0), 1, vec![count], Some(dt)).unwrap()
}

/// Errors of the parameters, relative and in standard errors.
fn errors(found: &Estimate, truth: &[f64]) -> Vec<[f64; 2]> {
    let errors = found.standard_errors.as_ref().unwrap();
    let each = found.theta.iter().zip(truth).zip(errors);
    each.map(|((t, truth), e)| [t / truth - 1.0, (t - truth) / e.unwrap_or(f64::NAN)]).collect()
}

fn right(found: &Estimate, truth: &[f64], within: f64) {
    assert!(found.fits(), "{found:?}");
    for [relative, z] in errors(found, truth) {
        assert!(relative.abs() < within && z.abs() < 4.0, "{relative} {z}: {found:?}");
    }
}

#[test]
fn noise_is_found_and_parameters_with_it() {
    let lorenz = entry("lorenz63");
    let (data, noise) = noisy(points(lorenz, 3000, 0.05, 3), 0.05, 1);
    let found = Smoother::default()
        .estimate(&dynamics(lorenz), &sample(data.clone(), 3, Some(0.05)), &dynamics(lorenz).start())
        .unwrap();
    right(&found, &truth(lorenz), 0.005);
    for (found, noise) in found.noise.iter().zip(&noise) {
        assert!((found / noise - 1.0).abs() < 0.06, "{found} {noise}");
    }
    // Twice as much as was declared is held against the declaration.
    let half = Smoother { noise: Some(noise.iter().map(|s| s / 2.0).collect()), observed: None, ..Smoother::default() };
    let found = half.estimate(&dynamics(lorenz), &sample(data, 3, Some(0.05)), &truth(lorenz)).unwrap();
    assert!(!found.passes(), "{found:?}");
}

#[test]
fn a_path_at_rest_is_followed_more_strictly() {
    let system = entry("sprottE");
    let (data, _) = noisy(points(system, 4000, system.4, 3), 0.05, 1);
    let found = Smoother::default()
        .estimate(&dynamics(system), &sample(data, 3, Some(system.4)), &dynamics(system).start())
        .unwrap();
    right(&found, &truth(system), 1e-3);
    // 4.9e-5 where the last path is that of the search.
    let first = found.standard_errors.as_ref().unwrap()[0].unwrap();
    assert!(first < 2.5e-5, "{first}");
}

#[test]
fn records_are_not_joined() {
    let lorenz = entry("lorenz63");
    let all: Vec<f64> = (0..4).flat_map(|seed| points(lorenz, 500, 0.05, seed)).collect();
    let (data, _) = noisy(all, 0.05, 2);
    let records = Sample::new(data, 3, vec![500; 4], Some(0.05)).unwrap();
    let found = Smoother::default().estimate(&dynamics(lorenz), &records, &dynamics(lorenz).start()).unwrap();
    right(&found, &truth(lorenz), 0.01);
}

#[test]
fn uneven_times_and_gaps_are_borne() {
    let lorenz = entry("lorenz63");
    let (data, _) = noisy(points(lorenz, 12_000, 0.01, 3), 0.05, 1);
    // One to seven steps at a time, and one long gap.
    let mut kept = Vec::new();
    let mut at = 0;
    while at < 12_000 {
        kept.push(at);
        at += 1 + (kept.len() * kept.len()) % 7 + if kept.len() == 900 { 400 } else { 0 };
    }
    let rows: Vec<f64> = kept.iter().flat_map(|k| data[3 * k..3 * k + 3].to_vec()).collect();
    let times: Vec<f64> = kept.iter().map(|k| 0.01 * *k as f64).collect();
    let uneven = Sample::at_times(rows, 3, vec![kept.len()], &times).unwrap();
    let found = answer(&dynamics(lorenz), &uneven, &Question::default()).unwrap();
    assert_eq!(found.verdict, Verdict::Fits, "{found:?}");
    let smoother = found.estimates.iter().find(|e| e.estimator == "smoother").unwrap();
    right(smoother, &truth(lorenz), 0.01);
    assert!(Sample::at_times(vec![1.0; 300], 3, vec![100], &[0.0; 100]).is_err());
}

#[test]
fn hidden_variables_are_found() {
    let lorenz = entry("lorenz63");
    let question = Question { observed: Some(vec![0]), ..Question::default() };
    let found = answer(&dynamics(lorenz), &first_alone(4000, 0.02, 1), &question).unwrap();
    assert!(found.verdict == Verdict::Fits && found.estimate().estimator == "smoother", "{found:?}");
    right(found.estimate(), &truth(lorenz), 0.01);
    assert!((found.noise_share[0] - 0.05).abs() < 0.003, "{:?}", found.noise_share);
    assert!(
        found.remarks.iter().any(|r| r.contains("shooting was not run") && r.contains("y, z")),
        "{:?}",
        found.remarks
    );
}

#[test]
fn the_unit_of_a_hidden_variable_is_not_determined() {
    // z and e·z with b, c scaled along are the same to x and y.
    let lorenz = entry("lorenz63");
    let (data, _) = noisy(points(lorenz, 3000, 0.05, 3), 0.05, 1);
    let two: Vec<f64> = data.chunks_exact(3).flat_map(|row| [row[0], row[1]]).collect();
    let system = written(
        "scaled",
        &["x", "y", "z"],
        &["10*(y - x)", "x*(r - c*z) - y", "e*x*y - 2.6667*z"],
        &[("r", 28.0), ("c", 1.0), ("e", 1.0)],
    );
    let system = Dynamics::written(&system, vec![27.0, 1.1, 0.9], None).unwrap();
    let question = Question { observed: Some(vec![0, 1]), ..Question::default() };
    let found = answer(&system, &Sample::new(two, 2, vec![3000], Some(0.05)).unwrap(), &question).unwrap();
    assert_eq!(found.verdict, Verdict::Undetermined, "{found:?}");
    let errors = found.estimate().standard_errors.clone().unwrap();
    assert!(errors[0].is_some() && errors[1].is_none() && errors[2].is_none(), "{found:?}");
}

#[test]
fn a_missing_term_and_forcing_are_held_against_the_model() {
    let lorenz = entry("lorenz63");
    let (data, _) = noisy(points(lorenz, 4000, 0.05, 3), 0.02, 1);
    let other = written(
        "other",
        &["x", "y", "z"],
        &["s*(y - x)", "x*(r - z) - y + 1.5", "x*y - b*z"],
        &[("s", 10.0), ("r", 28.0), ("b", 2.7)],
    );
    let other = Dynamics::written(&other, vec![10.0, 28.0, 2.7], None).unwrap();
    let found = Smoother::default().estimate(&other, &sample(data.clone(), 3, Some(0.05)), &[10.0, 28.0, 2.7]).unwrap();
    assert!(!found.fits(), "{found:?}");
    // The same with x alone.
    let one = Sample::new(column(&data, 0), 1, vec![4000], Some(0.05)).unwrap();
    let smoother = Smoother { observed: Some(vec![0]), noise: None, ..Smoother::default() };
    let found = smoother.estimate(&other, &one, &[10.0, 28.0, 2.7]);
    assert!(found.as_ref().is_ok_and(|found| !found.fits()), "{found:?}");
}

/// A row of the book: root mean squares of relative errors, standard errors and normalised errors over some draws.
fn study(label: &str, draws: u64, each: impl Fn(u64) -> Estimate) -> String {
    let lorenz = truth(entry("lorenz63"));
    let (mut squares, mut normal, mut rejected, mut seconds) = ([0.0; 3], [0.0; 3], 0, 0.0);
    for seed in 1..=draws {
        let found = each(seed);
        rejected += u32::from(!found.fits());
        seconds += found.seconds / draws as f64;
        for (j, [relative, z]) in errors(&found, &lorenz).into_iter().enumerate() {
            squares[j] += (100.0 * relative).powi(2) / draws as f64;
            normal[j] += z * z / draws as f64;
        }
    }
    let root = |all: [f64; 3]| all.map(f64::sqrt);
    format!(
        "{label}: errors {:.4?} %, rms of z {:.2?}, {rejected} of {draws} rejected, {seconds:.1} s",
        root(squares),
        root(normal)
    )
}

/// `cargo test --release -p wngd-identify --test smoother -- --ignored --nocapture rows` prints the table of the book.
#[test]
#[ignore = "takes minutes"]
fn rows_of_the_book() {
    let lorenz = entry("lorenz63");
    let system = dynamics(lorenz);
    for (count, dt) in [(4000, 0.05), (8000, 0.01)] {
        let row = study(&format!("{count} points, dt {dt}"), 20, |seed| {
            let (data, _) = noisy(points(lorenz, count, dt, seed), 0.05, seed);
            Smoother::default().estimate(&system, &sample(data, 3, Some(dt)), &system.start()).unwrap()
        });
        println!("{row}");
    }
    let row = study("x alone, 8000 points, dt 0.02", 20, |seed| {
        let smoother = Smoother { observed: Some(vec![0]), noise: None, ..Smoother::default() };
        smoother.estimate(&system, &first_alone(8000, 0.02, seed), &system.start()).unwrap()
    });
    println!("{row}");
}

/// `cargo test --release -p wngd-identify --test smoother -- --ignored --nocapture fifty` prints a row like those of the
/// book, of long records: some 15 s each.
#[test]
#[ignore = "takes a quarter of an hour"]
fn fifty_files() {
    let lorenz = entry("lorenz63");
    let system = dynamics(lorenz);
    let row = study("100000 points, dt 0.05", 50, |seed| {
        let (data, _) = noisy(points(lorenz, 100_000, 0.05, seed), 0.05, seed);
        Smoother::default().estimate(&system, &sample(data, 3, Some(0.05)), &system.start()).unwrap()
    });
    println!("{row}");
}

/// A driven system: its equations, its D, parameters at the truth, start of a motion, Δt.
type Forced = (&'static [&'static str], &'static [&'static str], &'static [(&'static str, f64)], &'static [f64], f64);

const FORCED: [(&str, Forced); 4] = [
    (
        "lorenz63 with one D",
        (
            &["s*(y - x)", "x*(r - z) - y", "x*y - b*z"],
            &["D", "D", "D"],
            &[("s", 10.0), ("r", 28.0), ("b", 8.0 / 3.0), ("D", 8.0)],
            &[1.0, 2.0, 20.0],
            0.05,
        ),
    ),
    ("double well", (&["a*x - c*x^3 + h"], &["D"], &[("a", 1.0), ("c", 1.0), ("h", 0.1), ("D", 0.25)], &[1.0], 0.1)),
    (
        "a driven oscillator of which the velocity is pushed",
        (&["y", "-k*x - g*y"], &["0", "D"], &[("k", 2.0), ("g", 0.5), ("D", 0.3)], &[1.0, 0.0], 0.1),
    ),
    (
        "two wells with a D of each coordinate",
        (
            &["a*x - x^3 + c*y", "-b*y + x"],
            &["D", "E"],
            &[("a", 1.0), ("c", 0.5), ("b", 1.0), ("D", 0.3), ("E", 0.1)],
            &[1.0, 0.0],
            0.1,
        ),
    ),
];

fn forced(entry: &Forced, count: usize, noise: f64, seed: u64, factor: f64) -> (Dynamics, Sample, Vec<f64>) {
    let (equations, diffusion, parameters, start, dt) = *entry;
    let d = equations.len();
    let names = |all: &[&str]| all.iter().map(|s| s.to_string()).collect::<Vec<_>>();
    let field = ExpressionField::new(&Equations {
        name: "driven".into(),
        variables: names(&["x", "y", "z"][..d]),
        equations: names(equations),
        diffusion: names(diffusion).into_iter().map(Some).collect(),
        parameters: parameters.iter().map(|(n, v)| (n.to_string(), *v)).collect(),
        ..Equations::default()
    })
    .unwrap();
    let truth: Vec<f64> = parameters.iter().map(|p| p.1).collect();
    let mut motion = Trajectory::new(&field, &truth, start, dt).unwrap();
    motion = motion.driven(field.diffusion().unwrap(), seed).unwrap();
    let mut data = Vec::new();
    motion.skip(200.0 * dt).unwrap();
    let keep = |x: &[f64]| -> Result<(), SimulateError> {
        data.extend_from_slice(x);
        Ok(())
    };
    motion.advance(count, keep).unwrap();
    let data = if noise > 0.0 { noisy_of(data, d, noise, seed).0 } else { data };
    let near = truth.iter().map(|t| factor * t).collect();
    (Dynamics::written(&field, near, None).unwrap(), sample(data, d, Some(dt)), truth)
}

#[test]
fn what_drives_the_motion_is_found_with_the_rest() {
    for (at, noise) in [(0, 0.05), (1, 0.0), (2, 0.1)] {
        let (name, entry) = &FORCED[at];
        let (dynamics, data, truth) = forced(entry, 4000, noise, 5, 0.8);
        let found = Smoother::default().estimate(&dynamics, &data, &dynamics.start()).unwrap();
        assert!(found.fits(), "{name}: {found:?}");
        for ((t, e), truth) in found.theta.iter().zip(found.standard_errors.as_ref().unwrap()).zip(&truth) {
            let e = e.unwrap();
            assert!(
                (t - truth).abs() < 4.0 * e && e < 0.5 * truth,
                "{name}: {:?} {:?}",
                found.theta,
                found.standard_errors
            );
        }
        for level in &found.noise {
            assert!(noise == 0.0 || *level > 0.0, "{name}: {:?}", found.noise);
        }
    }
    // A D that is known and half of what there is.
    let (_, (equations, _, parameters, start, dt)) = FORCED[1];
    let (_, data, _) = forced(&(equations, &["D"], parameters, start, dt), 4000, 0.0, 5, 1.0);
    let (half, _, _) = forced(&(equations, &["0.125"], &parameters[..3], start, dt), 100, 0.0, 5, 1.0);
    let found =
        Smoother { noise: Some(vec![0.0]), ..Smoother::default() }.estimate(&half, &data, &half.start()).unwrap();
    assert!(found.objections.iter().any(|o| o.contains("times the D")), "{:?}", found.objections);
}

/// `cargo test --release -p wngd-identify --test smoother -- --ignored --nocapture driven_rows`
#[test]
#[ignore = "takes minutes"]
fn driven_rows() {
    for (name, entry) in &FORCED {
        for noise in [0.0, 0.1] {
            let (mut squares, mut scores, mut lost) = (vec![0.0; entry.2.len()], vec![0.0; entry.2.len()], 0);
            let draws = 12;
            for seed in 0..draws {
                let (dynamics, data, truth) = forced(entry, 4000, noise, seed, 0.8);
                let found = Smoother::default().estimate(&dynamics, &data, &dynamics.start()).unwrap();
                lost += usize::from(!found.fits());
                for (j, [off, score]) in errors(&found, &truth).into_iter().enumerate() {
                    squares[j] += off * off;
                    scores[j] += score * score;
                }
            }
            let root = |all: &[f64]| {
                all.iter().map(|v| format!("{:.3}", (v / draws as f64).sqrt())).collect::<Vec<_>>().join(", ")
            };
            eprintln!(
                "{name}, noise {noise}: errors {}; normalised {}; {lost} of {draws} do not fit",
                root(&squares),
                root(&scores)
            );
        }
    }
}

/// `cargo test --release -p wngd-identify --test smoother -- --ignored --nocapture every_system` prints the list of the book.
#[test]
#[ignore = "takes minutes"]
fn every_system() {
    for system in &systems::SYSTEMS {
        for hidden in [false, true] {
            let (data, _) = noisy(points(system, 5000, system.4, 1), 0.05, 1);
            let start = dynamics(system).start();
            let found = if hidden {
                let one = Sample::new(column(&data, 0), 1, vec![5000], Some(system.4)).unwrap();
                Smoother { observed: Some(vec![0]), noise: None, ..Smoother::default() }.estimate(
                    &dynamics(system),
                    &one,
                    &start,
                )
            } else {
                Smoother::default().estimate(&dynamics(system), &sample(data, 3, Some(system.4)), &start)
            };
            let words = if hidden { "x alone" } else { "all" };
            match found {
                Ok(found) => {
                    let all = errors(&found, &truth(system));
                    let worst = |k: usize| all.iter().fold(0.0, |most: f64, e| most.max(e[k].abs()));
                    println!(
                        "{}, {words}: {:.4} %, {:.1} s.e., fits {}, {:?} {:?} {:.1} s",
                        system.0,
                        100.0 * worst(0),
                        worst(1),
                        found.fits(),
                        found.misfit.map(|m| m.p_value),
                        found.undetermined.iter().map(|u| &u.text).chain(&found.objections).collect::<Vec<_>>(),
                        found.seconds
                    );
                }
                Err(error) => println!("{}, {words}: {error}", system.0),
            }
        }
    }
}

#[test]
fn a_search_begins_with_the_noise_that_was_found() {
    let lorenz = entry("lorenz63");
    // So sparse and noisy that a search from a twentieth of the scatter takes up a wrong path as noise.
    let (data, noise) = noisy(points(lorenz, 1000, 0.2, 1), 0.2, 1);
    let found = answer(&dynamics(lorenz), &sample(data, 3, Some(0.2)), &Question::default()).unwrap();
    let smoother = found.estimates.iter().find(|e| e.estimator == "smoother").unwrap();
    assert!(smoother.converged && smoother.fits(), "{:?}", smoother.remarks);
    for (level, true_level) in smoother.noise.iter().zip(&noise) {
        assert!((level / true_level - 1.0).abs() < 0.15, "{:?} {noise:?}", smoother.noise);
    }
    for ((t, e), truth) in smoother.theta.iter().zip(smoother.standard_errors.as_ref().unwrap()).zip(truth(lorenz)) {
        assert!((t - truth).abs() < 4.0 * e.unwrap(), "{:?} {:?}", smoother.theta, smoother.standard_errors);
    }
}

#[test]
fn steps_that_nothing_explains_are_no_fit() {
    let lorenz = entry("lorenz63");
    // Noise grows beyond any linear law over such steps, and is not found.
    let (data, _) = noisy(points(lorenz, 1000, 0.5, 1), 0.2, 1);
    let found = answer(&dynamics(lorenz), &sample(data, 3, Some(0.5)), &Question::default()).unwrap();
    let shooting = found.estimates.iter().find(|e| e.estimator == "shooting").unwrap();
    let off = shooting.theta.iter().zip(truth(lorenz)).any(|(t, truth)| (t / truth - 1.0).abs() > 0.05);
    assert!(off && !shooting.fits(), "{:?} {:?}", shooting.theta, found.remarks);
    assert!(shooting.objections.iter().any(|o| o.contains("beyond any linear law")), "{:?}", shooting.objections);
    // The equations that ask for no order find the noise, and bear it.
    assert_eq!((found.verdict, found.estimate().estimator), (Verdict::Fits, "weak-stationary"), "{:?}", found.remarks);
    right(found.estimate(), &truth(lorenz), 0.1);
}
