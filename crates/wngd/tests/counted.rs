//! Fits of counted data: errors against the scatter of many samples, goodness of fit against its own p-values.
#![allow(clippy::unwrap_used)]

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use wngd::adjoint::Normalised;
use wngd::models::GaussianSmoothing;
use wngd::opt::{
    Descent, FisherRao, KullbackLeibler, LinearMap, Sampled, Status, Uncertainty, UncertaintyError, goodness_of_fit,
    uncertainty,
};
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

/// A standard normal number, by Box and Muller.
fn normal(rng: &mut Pcg64Mcg) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn rng(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::new(u128::from(seed) << 32 | 0x5851_f42d)
}

/// Two Gaussians, or one, with variances.
fn mixture(grid: &Grid, theta: &[f64]) -> GaussianMixture {
    let parameters = match *theta {
        [w, a, b, s, t] => MixtureParameters {
            weights: vec![w, 1.0 - w],
            means: vec![vec![a], vec![b]],
            covariances: Covariances::Isotropic(vec![s, t]),
        },
        [a, s, ..] => {
            MixtureParameters { weights: vec![1.0], means: vec![vec![a]], covariances: Covariances::Isotropic(vec![s]) }
        }
        _ => unreachable!(),
    };
    let free: &[&str] = if theta.len() == 5 { &["weights", "means", "covariances"] } else { &["means", "covariances"] };
    GaussianMixture::new(grid.clone(), parameters, free).unwrap().cell_means()
}

/// A fit with its errors and its p-value.
struct Fit {
    theta: Vec<f64>,
    found: Uncertainty,
    p_value: Option<f64>,
}

fn fit<M: ForwardModel>(
    model: &M,
    grid: &Grid,
    samples: &[Vec<f64>],
    start: &[f64],
    bandwidth: Option<f64>,
) -> Result<Fit, Any> {
    let seen = density_of_samples(grid, samples, &Estimate::Histogram)?;
    let smoothing = bandwidth.map(|b| GaussianSmoothing::new(grid, &[b]).unwrap());
    let mut data = seen.density.clone();
    smoothing.iter().for_each(|s| s.apply(&mut data));
    let objective = KullbackLeibler::new(grid, data)?;
    let objective = if seen.outside == 0 { objective.complete() } else { objective };
    let outcome = Descent::new(model, &objective).metric(FisherRao).run(start)?;
    assert!(matches!(outcome.status, Status::Converged(_)), "{:?}", outcome.status);
    let theta = outcome.last().theta.clone();
    let transpose = smoothing.as_ref().map(|s| move |v: &mut [f64]| s.apply_transpose(v));
    let sampled = Sampled {
        density: &seen.density,
        number: seen.inside as f64,
        transpose: transpose.as_ref().map(|t| t as &LinearMap<'_>),
        poisson: false,
    };
    let found = uncertainty(model, &objective, &theta, &sampled)?;
    let volume = grid.cell_volume();
    let share = |values: &[f64]| values.iter().map(|v| v * volume).collect::<Vec<f64>>();
    let test = goodness_of_fit(
        &share(&seen.density),
        &share(&outcome.state.values),
        grid.cells(),
        sampled.number,
        theta.len(),
    );
    Ok(Fit { theta, found, p_value: test.map(|t| t.p_value) })
}

/// Errors over scatter, and shares within two errors of the middle, per parameter.
fn coverage(fits: &[Fit]) -> Vec<(f64, f64)> {
    let n = fits.len() as f64;
    (0..fits[0].theta.len())
        .map(|j| {
            let mean = fits.iter().map(|f| f.theta[j]).sum::<f64>() / n;
            let scatter = (fits.iter().map(|f| (f.theta[j] - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            let error = |f: &Fit| f.found.standard_errors[j].unwrap();
            let typical = fits.iter().map(error).sum::<f64>() / n;
            let within = fits.iter().filter(|f| (f.theta[j] - mean).abs() <= 2.0 * error(f)).count() as f64;
            (typical / scatter, within / n)
        })
        .collect()
}

fn two_component_samples(rng: &mut Pcg64Mcg, count: usize) -> Vec<Vec<f64>> {
    (0..count)
        .map(|_| {
            let z = normal(rng);
            vec![if rng.random::<f64>() < 0.6 { -1.0 + 0.7 * z } else { 2.0 + z }]
        })
        .collect()
}

const TRUTH: [f64; 5] = [0.6, -1.0, 2.0, 0.49, 1.0];

#[test]
fn errors_are_the_scatter_of_samples_and_correct_models_are_not_refused() -> Result<(), Any> {
    let grid = Grid::new(&[-7.0], &[8.0], &[90])?;
    let mut rng = rng(1);
    let mut fits = Vec::new();
    for _ in 0..500 {
        let samples = two_component_samples(&mut rng, 1000);
        fits.push(fit(&mixture(&grid, &TRUTH), &grid, &samples, &TRUTH, None)?);
    }
    for (j, (ratio, within)) in coverage(&fits).into_iter().enumerate() {
        println!("parameter {j}: error/scatter {ratio:.3}, within two errors {within:.3}");
        assert!((0.85..1.2).contains(&ratio), "{j}: {ratio}");
        assert!((0.92..=0.98).contains(&within), "{j}: {within}");
    }
    let refused = fits.iter().filter(|f| f.p_value.unwrap() < 0.01).count();
    let small = fits.iter().filter(|f| f.p_value.unwrap() < 0.5).count();
    println!("{refused} of 500 correct fits have p < 0.01, {small} p < 0.5");
    assert!((1..=9).contains(&refused), "{refused}");
    assert!((200..300).contains(&small), "{small}");
    Ok(())
}

#[test]
fn errors_hold_where_the_model_is_wrong() -> Result<(), Any> {
    // A Laplace distribution: its variance scatters √5/√2 times as much as a Gaussian's.
    let grid = Grid::new(&[-18.0], &[18.0], &[120])?;
    let mut rng = rng(2);
    let mut fits = Vec::new();
    for _ in 0..200 {
        let samples: Vec<Vec<f64>> = (0..800)
            .map(|_| {
                let u: f64 = rng.random::<f64>() - 0.5;
                vec![-u.signum() * (1.0 - 2.0 * u.abs()).max(1e-12).ln()]
            })
            .collect();
        fits.push(fit(&mixture(&grid, &[0.0, 2.0]), &grid, &samples, &[0.0, 2.0], None)?);
    }
    for (j, (ratio, within)) in coverage(&fits).into_iter().enumerate() {
        println!("parameter {j}: error/scatter {ratio:.3}, within two errors {within:.3}");
        assert!((0.85..1.2).contains(&ratio), "{j}: {ratio}");
        assert!((0.90..=0.99).contains(&within), "{j}: {within}");
    }
    let naive = fits[0].found.if_right[1].unwrap() / fits[0].found.standard_errors[1].unwrap();
    assert!((0.5..0.75).contains(&naive), "{naive}");
    assert!(fits.iter().all(|f| f.p_value.unwrap() < 1e-3));
    Ok(())
}

#[test]
fn errors_of_kernel_estimates_are_the_scatter() -> Result<(), Any> {
    let grid = Grid::new(&[-7.0], &[8.0], &[90])?;
    let mut rng = rng(3);
    let mut fits = Vec::new();
    for _ in 0..150 {
        let samples = two_component_samples(&mut rng, 1000);
        fits.push(fit(&mixture(&grid, &TRUTH), &grid, &samples, &TRUTH, Some(0.45))?);
    }
    for (j, (ratio, within)) in coverage(&fits).into_iter().enumerate() {
        println!("parameter {j}: error/scatter {ratio:.3}, within two errors {within:.3}");
        assert!((0.85..1.2).contains(&ratio), "{j}: {ratio}");
        assert!((0.90..=0.99).contains(&within), "{j}: {within}");
    }
    Ok(())
}

#[test]
fn a_range_that_cuts_the_peak_gives_the_parameters_of_the_whole() -> Result<(), Any> {
    // Only what lies above 0.5 is seen of N(1, 1): 69 %.
    let grid = Grid::new(&[0.5], &[6.0], &[40])?;
    let mut rng = rng(4);
    let mut fits = Vec::new();
    for _ in 0..100 {
        let samples: Vec<Vec<f64>> = (0..4000).map(|_| vec![1.0 + normal(&mut rng)]).collect();
        let model = Normalised::new(mixture(&grid, &[1.0, 1.0]), grid.cell_volume())?;
        fits.push(fit(&model, &grid, &samples, &[1.0, 1.0], None)?);
    }
    for (j, (ratio, within)) in coverage(&fits).into_iter().enumerate() {
        println!("parameter {j}: error/scatter {ratio:.3}, within two errors {within:.3}");
        let middle = fits.iter().map(|f| f.theta[j]).sum::<f64>() / 100.0;
        assert!((middle - 1.0).abs() < 0.04, "{j}: {middle}");
        assert!((0.8..1.25).contains(&ratio), "{j}: {ratio}");
    }
    Ok(())
}

#[test]
fn a_weight_at_its_bound_is_held_and_the_rest_keeps_its_errors() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0], &[6.0], &[100])?;
    let mut rng = rng(5);
    let samples: Vec<Vec<f64>> = (0..2000).map(|_| vec![normal(&mut rng)]).collect();
    let parameters = MixtureParameters {
        weights: vec![0.5, 0.3, 0.2],
        means: vec![vec![0.3], vec![4.0], vec![4.5]],
        covariances: Covariances::Isotropic(vec![1.0, 0.2, 0.2]),
    };
    let model =
        GaussianMixture::new(grid.clone(), parameters, &["weights", "means[0]", "covariances[0]"])?.cell_means();
    let start = model.theta();
    let found = fit(&model, &grid, &samples, &start, None)?;
    assert_eq!(found.theta[..2], [1.0, 0.0], "{:?}", found.theta);
    let errors = &found.found.standard_errors;
    assert_eq!(errors[..2], [None, None]);
    assert!((errors[2].unwrap() * 2000f64.sqrt() - 1.0).abs() < 0.05, "{errors:?}");
    assert_eq!(found.found.bounded, [0, 1]);
    Ok(())
}

#[test]
fn equal_components_sit_on_a_saddle() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0], &[6.0], &[100])?;
    let mut rng = rng(6);
    let samples: Vec<Vec<f64>> = (0..1000).map(|_| vec![normal(&mut rng)]).collect();
    let model = mixture(&grid, &[0.4, 0.0, 0.0, 1.0, 1.0]);
    let seen = density_of_samples(&grid, &samples, &Estimate::Histogram)?;
    let objective = KullbackLeibler::new(&grid, seen.density.clone())?.complete();
    let sampled = Sampled { density: &seen.density, number: 1000.0, transpose: None, poisson: false };
    let found = uncertainty(&model, &objective, &[0.4, 0.02, 0.02, 1.0, 1.0], &sampled);
    assert!(matches!(found, Err(UncertaintyError::Saddle)), "{found:?}");
    Ok(())
}

#[test]
fn what_data_do_not_determine_has_no_error() -> Result<(), Any> {
    // All of the second component lies in one cell: its weight is seen, its place and width there are not.
    let grid = Grid::new(&[-6.0], &[6.0], &[100])?;
    let theta = [0.9, 0.0, 2.46, 1.0, 1e-6];
    let model = mixture(&grid, &theta);
    let density = model.state(&theta)?.values;
    let objective = KullbackLeibler::new(&grid, density.clone())?.complete();
    let sampled = Sampled { density: &density, number: 1000.0, transpose: None, poisson: false };
    let found = uncertainty(&model, &objective, &theta, &sampled)?;
    let known: Vec<bool> = found.standard_errors.iter().map(Option::is_some).collect();
    assert_eq!(known, [true, true, false, true, false], "{:?}", found.standard_errors);
    assert_eq!((found.rank, found.undetermined.len()), (3, 2));
    // The rest has the errors of a Gaussian and of a share.
    let error = |j: usize| found.standard_errors[j].unwrap() * 1000f64.sqrt();
    assert!((error(1) * 0.9f64.sqrt() - 1.0).abs() < 0.05 && (error(0) / 0.3 - 1.0).abs() < 0.05);
    assert_eq!(found.covariance[(2, 2)], 0.0);
    Ok(())
}
