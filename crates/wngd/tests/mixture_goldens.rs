//! The discrete values of Gaussian mixtures against an independent reference in extended precision.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use serde_json::Value;
use wngd::linalg::dense::{column_norms, dot, gram, norm};
use wngd::linalg::faer::Mat;
use wngd::linalg::operator::apply_transpose_vec;
use wngd::opt::{Metric, Point};
use wngd::prelude::*;

type Any = Box<dyn std::error::Error>;

fn entries(kind: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("golden/mixture.json")).unwrap();
    all["entries"].as_array().unwrap().iter().filter(|e| e["kind"] == kind).cloned().collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

fn parameters(value: &Value, covariance: &Value) -> MixtureParameters {
    let covariances = match covariance.as_array() {
        None => Covariances::Identity,
        Some(list) => Covariances::Full(list.iter().map(rows).collect()),
    };
    MixtureParameters { weights: numbers(&value["weights"]), means: rows(&value["means"]), covariances }
}

fn grid(entry: &Value) -> Grid {
    let d = numbers(&entry["domain"]);
    let cells = [entry["nx"].as_u64().unwrap() as usize, entry["ny"].as_u64().unwrap() as usize];
    Grid::new(&[d[0], d[2]], &[d[1], d[3]], &cells).unwrap()
}

fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let scale = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance * scale, "{what}: {found:?} against {expected:?}");
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

fn flat(m: &Mat<f64>) -> Vec<f64> {
    (0..m.nrows()).flat_map(|i| (0..m.ncols()).map(move |j| (i, j))).map(|(i, j)| m[(i, j)]).collect()
}

fn wasserstein(entry: &Value, grid: &Grid) -> Wasserstein2 {
    let mut metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(grid).unwrap()));
    metric.faces = FaceDensity::Mean(match entry["face_mean"].as_str().unwrap() {
        "arith" => FaceMean::Arithmetic,
        "geom" => FaceMean::Geometric,
        "log" => FaceMean::Logarithmic,
        "harm" => FaceMean::Harmonic,
        other => panic!("{other}"),
    });
    metric
}

#[test]
fn two_dimensional_entries_agree_to_1e8() -> Result<(), Any> {
    for entry in entries("disc2d") {
        let name = entry["name"].as_str().unwrap();
        let grid = grid(&entry);
        let c = grid.cell_volume();
        let model = GaussianMixture::new(grid.clone(), parameters(&entry, &entry["cov"]), &["weights", "means"])?;
        let theta = model.theta();
        let target_cov =
            if entry["target"]["cov"] == "same as model" { &entry["cov"] } else { &entry["target"]["cov"] };
        let target = GaussianMixture::new(grid.clone(), parameters(&entry["target"], target_cov), &["means"])?;
        let target = target.state(&target.theta())?;
        let linear = model.linearize(&theta)?;
        let (state, z) = (linear.state, linear.jacobian);

        let mass = c * state.values.iter().sum::<f64>();
        assert_close(name, &[mass], &[entry["mass"].as_f64().unwrap()], 1e-12);
        let g_l2 = gram(z.as_ref());
        let g_l2: Vec<f64> = flat(&g_l2).iter().map(|v| v * c).collect();
        assert_close(&format!("{name} G_L2"), &g_l2, &rows(&entry["G_L2"]).concat(), 1e-10);

        let metric = wasserstein(&entry, &grid);
        let point = Point { theta: &theta, state: &state, iteration: 0, rounding: &[] };
        let laplacian = metric.laplacian_at(&point)?;
        assert_eq!(laplacian.report().inactive_cells, entry["inactive_cells"].as_u64().unwrap() as usize, "{name}");
        let (x, _) = laplacian.factored().expect("a small grid").whiten(z.clone());
        let g_w2: Vec<f64> = flat(&gram(x.as_ref())).iter().map(|v| v * c).collect();
        assert_close(&format!("{name} G_W2"), &g_w2, &rows(&entry["G_W2"]).concat(), 1e-9);
        let (y, _) = laplacian.flux(z.clone())?;
        let lengths: Vec<f64> = column_norms(y.as_ref()).iter().map(|v| v * c.sqrt()).collect();
        assert_close(&format!("{name} |Y|"), &lengths, &numbers(&entry["Y_norm"]), 1e-9);

        for (key, expected) in entry["objectives"].as_object().unwrap() {
            let objective: Box<dyn Objective> = match key.as_str() {
                "L2" => Box::new(LeastSquaresMisfit::new(&grid, target.values.clone())?),
                "KL" => Box::new(KullbackLeibler::with_logarithms(&grid, target.clone())?),
                "Hm1" => Box::new(NegativeSobolev::new(&grid, target.values.clone())?),
                other => panic!("{other}"),
            };
            let what = |q: &str| format!("{name} {key} {q}");
            let (f, u) = objective.derivative(&state)?;
            let expected_f = expected["f"].as_f64().unwrap();
            assert!((f - expected_f).abs() <= 1e-9 * expected_f.abs() + 1e-17, "{}: {f} {expected_f}", what("f"));
            let gradient: Vec<f64> = apply_transpose_vec(&z, &u).iter().map(|g| c * g).collect();
            let size = numbers(&expected["grad"]).iter().fold(0.0f64, |m, v| m.max(v.abs()));
            if size < 1e-15 {
                continue; // at the truth, where only rounding is left
            }
            assert_close(&what("grad"), &gradient, &numbers(&expected["grad"]), 1e-9);
            for route in [Route::Qr, Route::Svd, Route::Information] {
                let mut tolerance = 1e-8f64;
                if route == Route::Information {
                    // The normal equations square the condition number.
                    tolerance = tolerance.max(1e-14 * entry["cond_G_W2"].as_f64().unwrap());
                }
                let l2 = Natural { metric: L2, route, damping: 0.0 };
                let eta = l2.prepare(&point, z.clone(), &u, c)?.direction(0.0)?.eta;
                assert_close(&what("eta_L2"), &eta, &numbers(&expected["eta_L2"]), tolerance);
                let w2 = Natural { metric: metric.clone(), route, damping: 0.0 };
                let direction = w2.prepare(&point, z.clone(), &u, c)?.direction(0.0)?;
                assert_close(&what("eta_W2"), &direction.eta, &numbers(&expected["eta_W2"]), tolerance);
                let condition = direction.condition.powi(2);
                let expected = entry["cond_G_W2"].as_f64().unwrap();
                assert!((condition / expected - 1.0).abs() < 1e-4, "{}: {condition} {expected}", what("condition"));
            }
        }
    }
    Ok(())
}

/// G_W2 of w N(m₁, s₁²) + (1−w) N(m₂, s₂²) in the parameters (w, m₁, s₁, m₂, s₂).
fn information_1d(theta: &[f64], grid: &Grid, y: bool) -> Result<(Mat<f64>, Mat<f64>), Any> {
    let parameters = MixtureParameters {
        weights: vec![theta[0], 1.0 - theta[0]],
        means: vec![vec![theta[1]], vec![theta[3]]],
        covariances: Covariances::Isotropic(vec![theta[2].powi(2), theta[4].powi(2)]),
    };
    let model = GaussianMixture::new(grid.clone(), parameters, &["weights", "means", "covariances"])?;
    let values = model.theta();
    let linear = model.linearize(&values)?;
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(grid)?));
    // Reference order (w, m1, s1, m2, s2); ours is (w, m1, m2, v1, v2) with v = s².
    let order = [0, 1, 3, 2, 4];
    let chain = [1.0, 1.0, 2.0 * theta[2], 1.0, 2.0 * theta[4]];
    let z = Mat::from_fn(grid.len(), 5, |i, j| linear.jacobian[(i, order[j])] * chain[j]);
    let laplacian =
        metric.laplacian_at(&Point { theta: &values, state: &linear.state, iteration: 0, rounding: &[] })?;
    let g = gram(laplacian.factored().expect("a small grid").whiten(z.clone()).0.as_ref());
    let flux = if y { laplacian.flux(z)?.0 } else { Mat::zeros(0, 0) };
    Ok((Mat::from_fn(5, 5, |i, j| grid.cell_volume() * g[(i, j)]), flux))
}

#[test]
fn one_dimensional_entries_agree_to_1e8() -> Result<(), Any> {
    for entry in entries("disc1d") {
        let name = entry["name"].as_str().unwrap();
        let d = numbers(&entry["domain"]);
        let grid = Grid::new(&[d[0]], &[d[1]], &[entry["n"].as_u64().unwrap() as usize])?;
        let (g, y) = information_1d(&numbers(&entry["theta"]), &grid, true)?;
        assert_close(name, &flat(&g), &rows(&entry["G_W2"]).concat(), 1e-9);
        for (face, expected) in numbers(&entry["probe_faces"]).iter().zip(rows(&entry["Y_probe"])) {
            let found: Vec<f64> = (0..5).map(|j| y[(*face as usize, j)]).collect();
            assert_close(&format!("{name} Y"), &found, &expected, 1e-8);
        }
    }
    Ok(())
}

#[test]
fn the_information_matrix_converges_to_the_continuum_at_second_order() -> Result<(), Any> {
    // In one dimension, against quadrature; the box is wide enough for its truncation not to show.
    for entry in entries("cont1d").iter().filter(|e| e["theta"].is_array()) {
        let theta = numbers(&entry["theta"]);
        let expected = rows(&entry["G_W2"]).concat();
        let scale = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let error = |cells: usize| -> Result<f64, Any> {
            let grid = Grid::new(&[-12.0], &[12.0], &[cells])?;
            let (g, _) = information_1d(&theta, &grid, false)?;
            Ok(flat(&g).iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / scale)
        };
        let (coarse, fine) = (error(480)?, error(960)?);
        let order = (coarse / fine).log2();
        assert!(order > 1.9 && fine < 0.02, "{}: {coarse:e} {fine:e} order {order}", entry["name"]);
    }
    // In two dimensions, directions and matrices of the deck's mixtures.
    for entry in entries("cont2d").iter().filter(|e| e["theta"].is_array()) {
        let name = entry["name"].as_str().unwrap();
        let t = numbers(&entry["theta"]);
        let expected = rows(&entry["G_W2"]).concat();
        let scale = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let error = |cells: usize| -> Result<f64, Any> {
            let grid = Grid::new(&[-8.0, -8.0], &[13.0, 13.0], &[cells, cells])?;
            let parameters = MixtureParameters {
                weights: vec![t[0], 1.0 - t[0]],
                means: vec![t[1..3].to_vec(), t[3..5].to_vec()],
                covariances: Covariances::Identity,
            };
            let model = GaussianMixture::new(grid.clone(), parameters, &["weights", "means"])?;
            let linear = model.linearize(&t)?;
            let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?));
            let laplacian =
                metric.laplacian_at(&Point { theta: &t, state: &linear.state, iteration: 0, rounding: &[] })?;
            let g = gram(laplacian.factored().expect("a small grid").whiten(linear.jacobian).0.as_ref());
            let c = grid.cell_volume();
            Ok(flat(&g).iter().zip(&expected).map(|(a, b)| (c * a - b).abs()).fold(0.0, f64::max) / scale)
        };
        let (coarse, fine) = (error(63)?, error(126)?);
        let order = (coarse / fine).log2();
        assert!(order > 1.8 && fine < 0.01, "{name}: {coarse:e} {fine:e} order {order}");
    }
    Ok(())
}

#[test]
fn closed_forms_of_single_gaussians_are_approached() -> Result<(), Any> {
    // N(0, Σ) with Σ free: the Bures metric.
    let entry = entries("cont2d").into_iter().find(|e| e["name"] == "closed_form_bures").unwrap();
    let grid = Grid::new(&[-9.0, -9.0], &[9.0, 9.0], &[120, 120])?;
    let parameters = MixtureParameters {
        weights: vec![1.0],
        means: vec![vec![0.0, 0.0]],
        covariances: Covariances::Full(vec![rows(&entry["Sigma"])]),
    };
    let model = GaussianMixture::new(grid.clone(), parameters, &["covariances"])?;
    let theta = model.theta();
    let linear = model.linearize(&theta)?;
    let metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?));
    let local = metric.at(&Point { theta: &theta, state: &linear.state, iteration: 0, rounding: &[] })?;
    let g = gram(local.whiten(linear.jacobian).y.as_ref());
    let found: Vec<f64> = flat(&g).iter().map(|v| v * grid.cell_volume()).collect();
    assert_close("Bures", &found, &rows(&entry["G_W2"]).concat(), 5e-3);
    Ok(())
}

#[test]
fn midpoint_faces_are_far_more_accurate_across_a_barrier() -> Result<(), Any> {
    // c1d entries with the widest gap: arithmetic means against densities at the faces.
    let entry = entries("cont1d").into_iter().rfind(|e| e["theta"].is_array()).unwrap();
    let theta = numbers(&entry["theta"]);
    let grid = Grid::new(&[-12.0], &[12.0], &[240])?;
    let parameters = MixtureParameters {
        weights: vec![theta[0], 1.0 - theta[0]],
        means: vec![vec![theta[1]], vec![theta[3]]],
        covariances: Covariances::Isotropic(vec![theta[2].powi(2), theta[4].powi(2)]),
    };
    let model = Arc::new(GaussianMixture::new(grid.clone(), parameters, &["weights"])?);
    let values = model.theta();
    let linear = model.linearize(&values)?;
    let expected = entry["G_W2"][0][0].as_f64().unwrap();
    let mut metric = Wasserstein2::new(Arc::new(LaplacianPlan::new(&grid)?));
    let error = |metric: &Wasserstein2| -> Result<f64, Any> {
        let local = metric.at(&Point { theta: &values, state: &linear.state, iteration: 0, rounding: &[] })?;
        let y = local.whiten(linear.jacobian.clone()).y;
        Ok((grid.cell_volume() * gram(y.as_ref())[(0, 0)] / expected - 1.0).abs())
    };
    let arithmetic = error(&metric)?;
    let source = model.clone();
    metric.faces = FaceDensity::Midpoint(Arc::new(move |theta| source.face_midpoint_density(theta)));
    let midpoint = error(&metric)?;
    assert!(midpoint < 0.1 * arithmetic, "{midpoint:e} against {arithmetic:e}");
    Ok(())
}

#[test]
fn objective_gradients_pass_the_taylor_test() -> Result<(), Any> {
    let grid = Grid::new(&[-6.0, -6.0], &[9.0, 9.0], &[24, 26])?;
    let parameters = |shift: f64| MixtureParameters {
        weights: vec![0.35, 0.65],
        means: vec![vec![1.0 + shift, 2.0], vec![3.0, 2.0 - shift]],
        covariances: Covariances::Isotropic(vec![1.0, 1.3]),
    };
    let model = GaussianMixture::new(grid.clone(), parameters(0.0), &["weights", "means", "covariances"])?;
    let data = GaussianMixture::new(grid.clone(), parameters(0.7), &["weights"])?;
    let data = data.state(&data.theta())?;
    let plan = Arc::new(LaplacianPlan::new(&grid)?);
    let objectives: Vec<Box<dyn Objective>> = vec![
        Box::new(LeastSquaresMisfit::new(&grid, data.values.clone())?),
        Box::new(KullbackLeibler::with_logarithms(&grid, data.clone())?),
        Box::new(NegativeSobolev::new(&grid, data.values.clone())?),
        Box::new(LinearisedWasserstein::new(&plan, data.values.clone())?),
    ];
    let theta = model.theta();
    let delta: Vec<f64> = (0..theta.len()).map(|i| 0.3 * (1.0 + i as f64).sin()).collect();
    let linear = model.linearize(&theta)?;
    for objective in &objectives {
        let (_, u) = objective.derivative(&linear.state)?;
        let gradient: Vec<f64> =
            apply_transpose_vec(&linear.jacobian, &u).iter().map(|g| objective.cell_volume() * g).collect();
        let value = |t: &[f64]| -> Result<f64, Any> { Ok(objective.value(&model.state(t)?)?) };
        let test = wngd::adjoint::taylor_test_scalar(value, &gradient, &theta, &delta)?;
        assert!(test.rate > 1.9, "{}: {test:?}", objective.name());
        // The curvature is symmetric and, at the data, the second derivative.
        let w = objective.curvature(&linear.state, linear.jacobian.clone())?;
        let a = dot(w.col_as_slice(0), linear.jacobian.col_as_slice(2));
        let b = dot(w.col_as_slice(2), linear.jacobian.col_as_slice(0));
        let scale = norm(w.col_as_slice(0)) * norm(linear.jacobian.col_as_slice(2));
        assert!((a - b).abs() <= 1e-11 * scale, "{}", objective.name());
    }
    // ½W₂² is piecewise smooth on a grid: its potential predicts small changes of value.
    let objective = Wasserstein::new(&plan, data.values)?;
    let (f0, u) = objective.derivative(&linear.state)?;
    let slope = objective.cell_volume() * dot(&apply_transpose_vec(&linear.jacobian, &u), &delta);
    let t = 1e-4;
    let moved: Vec<f64> = theta.iter().zip(&delta).map(|(x, d)| x + t * d).collect();
    let back: Vec<f64> = theta.iter().zip(&delta).map(|(x, d)| x - t * d).collect();
    let (up, down) = (objective.value(&model.state(&moved)?)?, objective.value(&model.state(&back)?)?);
    assert!(((up - down) / (2.0 * t) - slope).abs() < 1e-3 * slope.abs(), "{f0} {} {slope}", (up - down) / (2.0 * t));
    Ok(())
}
