//! What holds for every fit: threads, units, weights, outliers, repeated values, wide and cut bins, refusals.
#![allow(clippy::unwrap_used)]

use wngd_fit::{
    Components, Family, FitError, Histogram, Mixture, Options, Remark, Samples, Weighting, fit, fit_histogram,
};

fn two() -> Mixture {
    let covariances = vec![vec![vec![1.0, 0.3], vec![0.3, 0.5]], vec![vec![0.4, -0.1], vec![-0.1, 0.8]]];
    Mixture::new(vec![0.65, 0.35], vec![vec![0.0, 0.0], vec![3.0, 2.0]], covariances).unwrap()
}

fn exactly(k: usize) -> Options {
    Options { components: Components::Exactly(k), ..Options::default() }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let samples = Samples::new(2, two().sample(50_000, 3)).unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| fit(&samples, &exactly(2)).unwrap());
        let errors = found.standard_errors();
        (found.theta, errors, found.log_likelihood, found.goodness)
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn the_truth_is_found_within_its_errors_in_any_units() {
    let values = two().sample(3000, 11);
    let plain = fit(&Samples::new(2, values.clone()).unwrap(), &Options::default()).unwrap();
    assert_eq!((plain.status.name(), plain.mixture.weights().len()), ("converged", 2));
    let truth = [0.65, 0.0, 0.0, 3.0, 2.0, 1.0, 0.3, 0.5, 0.4, -0.1, 0.8];
    for (i, (t, e)) in truth.iter().zip(plain.standard_errors()).enumerate() {
        assert!((plain.theta[i] - t).abs() < 4.0 * e.unwrap(), "{}", plain.names[i]);
    }
    let units: Vec<f64> =
        values.iter().enumerate().map(|(i, v)| if i % 2 == 0 { 1e-9 * v } else { 1e12 + 1e6 * v }).collect();
    let other = fit(&Samples::new(2, units).unwrap(), &Options::default()).unwrap();
    assert!((other.theta[0] - plain.theta[0]).abs() < 1e-5);
    assert!((other.standard_errors()[1].unwrap() / plain.standard_errors()[1].unwrap() / 1e-9 - 1.0).abs() < 1e-3);
    let volume = 3000.0 * (1e-9f64.ln() + 1e6f64.ln());
    assert!((other.log_likelihood + volume - plain.log_likelihood).abs() < 1e-2);
}

#[test]
fn whole_weights_are_repetitions_and_others_known_up_to_a_factor() {
    let values = two().sample(800, 5);
    let weights: Vec<f64> = (0..800).map(|i| f64::from(i % 4)).collect();
    let repeated: Vec<f64> = values
        .chunks(2)
        .zip(&weights)
        .flat_map(|(x, w)| (0..*w as usize).flat_map(|_| x.to_vec()).collect::<Vec<_>>())
        .collect();
    let counted = Samples::new(2, values.clone()).unwrap().with_weights(&weights).unwrap();
    assert_eq!(counted.weighting(), Weighting::Counts);
    let (a, b) = (fit(&counted, &exactly(2)).unwrap(), fit(&Samples::new(2, repeated).unwrap(), &exactly(2)).unwrap());
    assert!((a.log_likelihood - b.log_likelihood).abs() < 1e-6);
    for (x, y) in a.standard_errors().iter().zip(b.standard_errors()) {
        assert!((x.unwrap() / y.unwrap() - 1.0).abs() < 1e-4);
    }
    let scaled = |factor: f64| {
        let weights: Vec<f64> = weights.iter().map(|w| factor * (w + 0.25)).collect();
        fit(&Samples::new(2, values.clone()).unwrap().with_weights(&weights).unwrap(), &exactly(2)).unwrap()
    };
    let (c, d) = (scaled(1.0), scaled(1e-3));
    assert!((c.theta[0] - d.theta[0]).abs() < 1e-6 && (c.log_likelihood - d.log_likelihood).abs() < 1e-5);
    assert!(c.observations < 800.0 && c.goodness.is_err());
}

#[test]
fn one_outlier_stops_nothing() {
    let mut values = two().sample(1000, 9);
    values.extend([1e6, -1e6]);
    for k in 1..=4 {
        let found = fit(&Samples::new(2, values.clone()).unwrap(), &exactly(k)).unwrap();
        assert!(found.log_likelihood.is_finite() && found.status.name() == "converged", "{k}: {:?}", found.status);
    }
    let found = fit(&Samples::new(2, values).unwrap(), &exactly(3)).unwrap();
    assert!((found.mixture.means()[0][0]).abs() < 0.2, "{:?}", found.mixture.means());
}

#[test]
fn repeated_values_are_a_component_that_is_named() {
    let mut values = Mixture::new(vec![1.0], vec![vec![0.0]], vec![vec![vec![1.0]]]).unwrap().sample(100, 2);
    values.extend([0.7; 10]);
    let found = fit(&Samples::new(1, values).unwrap(), &exactly(2)).unwrap();
    assert!((found.theta[0] - 100.0 / 110.0).abs() < 0.005, "{}", found.theta[0]);
    assert!(found.remarks.iter().any(|r| matches!(r, Remark::Narrow { component: 1, .. })), "{:?}", found.remarks);
    let errors = found.standard_errors();
    assert!(errors[4].is_none() && errors[3].is_some(), "{:?} {errors:?}", found.names);
}

/// Counts per bin of samples on the line.
fn histogram(values: &[f64], lower: f64, width: f64, bins: usize) -> Histogram {
    let mut counts = vec![0.0; bins];
    for v in values {
        let bin = ((v - lower) / width).floor();
        if bin >= 0.0 && (bin as usize) < bins {
            counts[bin as usize] += 1.0;
        }
    }
    let edge = |i: usize| lower + width * i as f64;
    Histogram::new(1, (0..bins).map(edge).collect(), (1..=bins).map(edge).collect(), counts).unwrap()
}

#[test]
fn wide_bins_do_not_widen_components() {
    let one = Mixture::new(vec![1.0], vec![vec![0.1]], vec![vec![vec![0.25]]]).unwrap();
    let values = one.sample(20_000, 4);
    let raw = fit(&Samples::new(1, values.clone()).unwrap(), &exactly(1)).unwrap();
    for width in [1.0, 0.5, 0.1] {
        let found = fit_histogram(&histogram(&values, -4.0, width, (8.0 / width) as usize), &exactly(1)).unwrap();
        let error = found.standard_errors()[1].unwrap();
        assert!((found.theta[1] - raw.theta[1]).abs() < 2.0 * error, "{width}: {} {}", found.theta[1], raw.theta[1]);
        assert!(found.goodness.is_err() || found.goodness.unwrap().p_value > 1e-3);
    }
}

#[test]
fn a_range_that_cuts_the_peak_is_seen() {
    let one = Mixture::new(vec![1.0], vec![vec![0.0]], vec![vec![vec![1.0]]]).unwrap();
    let found = fit_histogram(&histogram(&one.sample(40_000, 8), 0.3, 0.1, 40), &exactly(1)).unwrap();
    assert!(found.remarks.iter().any(|r| matches!(r, Remark::Cut { .. })));
    let errors = found.standard_errors();
    for i in 0..2 {
        assert!((found.theta[i] - i as f64).abs() < 4.0 * errors[i].unwrap(), "{:?} {errors:?}", found.theta);
    }
}

#[test]
fn every_family_converges_in_any_dimension() {
    for dim in [1, 3, 5] {
        let mean = |s: f64| vec![s; dim];
        let unit: Vec<Vec<f64>> = (0..dim).map(|a| (0..dim).map(|b| f64::from(u8::from(a == b))).collect()).collect();
        let truth = Mixture::new(vec![0.5, 0.5], vec![mean(0.0), mean(4.0)], vec![unit.clone(), unit]).unwrap();
        let samples = Samples::new(dim, truth.sample(600, 1)).unwrap();
        for family in Family::ALL {
            let found = fit(&samples, &Options { family, ..exactly(2) }).unwrap();
            assert_eq!(found.status.name(), "converged", "{dim} {family}");
            assert!(found.standard_errors().iter().all(Option::is_some), "{dim} {family}: {:?}", found.remarks);
            assert_eq!(found.names.len(), family.parameters(2, dim));
        }
    }
}

#[test]
fn what_cannot_be_fitted_is_refused_by_name() {
    let text = |e: FitError| e.to_string();
    assert!(text(Samples::new(2, vec![1.0, f64::NAN]).unwrap_err()).contains("values[1]"));
    assert!(text(Samples::new(2, vec![1.0]).unwrap_err()).contains("rows of dim"));
    let constant = Samples::new(2, vec![1.0, 5.0, 2.0, 5.0, 3.0, 5.0, 4.0, 5.0]).unwrap();
    assert!(text(fit(&constant, &exactly(1)).unwrap_err()).contains("column 1 has the same value 5"));
    let few = Samples::new(2, vec![1.0, 5.0, 2.0, 6.0]).unwrap();
    assert!(text(fit(&few, &exactly(1)).unwrap_err()).contains("at least 3"));
    let weights = Samples::new(1, vec![1.0, 2.0]).unwrap().with_weights(&[1.0, -1.0]).unwrap_err();
    assert!(text(weights).contains("weights[1]"));
    let bins = |counts: Vec<f64>| Histogram::new(1, vec![0.0, 1.0], vec![1.0, 2.0], counts);
    assert!(text(bins(vec![0.5, 1.0]).unwrap_err()).contains("whole numbers"));
    assert!(text(bins(vec![0.0, 0.0]).unwrap_err()).contains("at least one bin"));
    assert!("7..3".parse::<Components>().is_err() && "0".parse::<Components>().is_err());
    assert_eq!("2..4".parse::<Components>().unwrap(), Components::Range(2, 4));
    let tiny = Samples::new(1, vec![1.0, 2.0, 4.0]).unwrap();
    let found = fit(&tiny, &Options::default()).unwrap();
    assert_eq!(found.mixture.weights().len(), 1);
}
